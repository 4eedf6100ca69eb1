"""The part of JSON Schema (2020-12) that tools are described in, and values checked against it.

Decides what is known: types, properties, items, enumerations and bounds. A schema with anything
else is refused when the tool is registered, so that no bound is passed over in silence. Raises
nothing: what is wrong is listed, each with its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

Schema = Mapping[str, Any]

COMMAND: Final = "command"
"""The only `format`: a shell command or SQL, which is judged before it is run."""

_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "object": lambda value: isinstance(value, Mapping),
    "array": lambda value: isinstance(value, list | tuple),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
}
_BOUNDS: Final[Mapping[str, tuple[str, Callable[[Any, Any], bool], str]]] = {
    "minimum": ("number", lambda value, bound: value >= bound, "is less than"),
    "maximum": ("number", lambda value, bound: value <= bound, "is more than"),
    "minLength": ("string", lambda value, bound: len(value) >= bound, "is shorter than"),
    "maxLength": ("string", lambda value, bound: len(value) <= bound, "is longer than"),
    "minItems": ("array", lambda value, bound: len(value) >= bound, "has fewer items than"),
    "maxItems": ("array", lambda value, bound: len(value) <= bound, "has more items than"),
}
_KNOWN: Final = frozenset(
    (
        *("type", "properties", "required", "additionalProperties", "items", "enum", "format"),
        *("description", "title", *_BOUNDS),
    )
)
DEEPEST: Final = 8
"""Schemas within schemas; what a tool takes is no document format."""


def schema_flaws(schema: object, where: str = "", depth: int = 0) -> Iterator[str]:
    """What is wrong with a schema."""
    at = where or "the schema"
    if not isinstance(schema, Mapping):
        yield f"{at} is no object"
        return
    if depth > DEEPEST:
        yield f"{at} is nested too deeply"
        return
    yield from (f"{at} has {key!r}, which is not known" for key in schema if key not in _KNOWN)
    if not where and schema.get("type") != "object":
        yield "the schema is not of an object"
    if schema.get("type") not in _TYPES:
        yield f"{at} has no type of {', '.join(_TYPES)}"
    if schema.get("format", COMMAND) != COMMAND:
        yield f"{at} has another format than {COMMAND}"
    if not isinstance(schema.get("additionalProperties", False), bool):
        yield f"{at} says of additionalProperties neither true nor false"
    yield from _bad_bounds(schema, at)
    yield from _within(schema, where, at, depth)


def _bad_bounds(schema: Schema, at: str) -> Iterator[str]:
    for name in _BOUNDS:
        if name in schema and not _TYPES["number"](schema[name]):
            yield f"{at} has a {name} that is no number"
    if "enum" in schema and not isinstance(schema["enum"], list | tuple):
        yield f"{at} has an enum that is no list"


def _within(schema: Schema, where: str, at: str, depth: int) -> Iterator[str]:
    inner = schema.get("properties", {})
    if not isinstance(inner, Mapping):
        yield f"{at} has properties that are no object"
        return
    required = schema.get("required", ())
    if not isinstance(required, list | tuple) or any(name not in inner for name in required):
        yield f"{at} requires what is none of its properties"
    for name, child in inner.items():
        yield from schema_flaws(child, f"{where}.{name}".lstrip("."), depth + 1)
    if "items" in schema:
        yield from schema_flaws(schema["items"], f"{where}[]", depth + 1)


def value_flaws(value: object, schema: Schema, where: str = "") -> Iterator[str]:
    """How a value differs from its schema, which has no flaws itself.

    Properties that the schema does not name are refused unless it says that it takes them.
    """
    at = where or "it"
    kind = schema["type"]
    if not _TYPES[kind](value):
        yield f"{at} is no {kind}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at} is none of {', '.join(map(str, schema['enum']))}"
    for name, (of, holds, told) in _BOUNDS.items():
        if name in schema and _TYPES[of](value) and not holds(value, schema[name]):
            yield f"{at} {told} {schema[name]}"
    if isinstance(value, Mapping):
        yield from _object_flaws(value, schema, where, at)
    elif isinstance(value, list | tuple) and "items" in schema:
        for number, item in enumerate(value):
            yield from value_flaws(item, schema["items"], f"{where}[{number}]")


def _object_flaws(value: Mapping[str, Any], schema: Schema, where: str, at: str) -> Iterator[str]:
    known = schema.get("properties", {})
    yield from (f"{at} has no {name}" for name in schema.get("required", ()) if name not in value)
    if not schema.get("additionalProperties", False):
        yield from (f"{at} has {name!r}, which is not known" for name in value if name not in known)
    for name, child in known.items():
        if name in value:
            yield from value_flaws(value[name], child, f"{where}.{name}".lstrip("."))


def commands_in(value: object, schema: Schema) -> Iterator[str]:
    """The commands in a value that fits its schema."""
    if schema.get("format") == COMMAND and isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, child in schema.get("properties", {}).items():
            if name in value:
                yield from commands_in(value[name], child)
    elif isinstance(value, list | tuple) and "items" in schema:
        for item in value:
            yield from commands_in(item, schema["items"])
