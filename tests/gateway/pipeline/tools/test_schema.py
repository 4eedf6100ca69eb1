"""Schemas of tools: the part that is known, and values against it."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.pipeline.builtin import TOOLS
from gateway.pipeline.tools.schema import commands_in, schema_flaws, value_flaws

TEXT = {"type": "string"}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 5},
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
        "kind": {"type": "string", "enum": ["one", "two"]},
        "items": {"type": "array", "items": TEXT, "minItems": 1, "maxItems": 2},
        "deep": {"type": "object", "properties": {"x": {"type": "boolean"}}, "required": ["x"]},
        "share": {"type": "number"},
    },
    "required": ["name"],
}
WRONG: dict[str, tuple[object, str]] = {
    "no object": (["a"], "it is no object"),
    "missing": ({}, "it has no name"),
    "not text": ({"name": 3}, "name is no string"),
    "too short": ({"name": ""}, "name is shorter than 1"),
    "too long": ({"name": "abcdef"}, "name is longer than 5"),
    "no whole number": ({"name": "a", "count": 1.5}, "count is no integer"),
    "true is no number": ({"name": "a", "count": True}, "count is no integer"),
    "too small": ({"name": "a", "count": 0}, "count is less than 1"),
    "too large": ({"name": "a", "count": 10}, "count is more than 9"),
    "none of them": ({"name": "a", "kind": "three"}, "kind is none of one, two"),
    "no items": ({"name": "a", "items": []}, "items has fewer items than 1"),
    "too many": ({"name": "a", "items": ["a"] * 3}, "items has more items than 2"),
    "a wrong item": ({"name": "a", "items": [1]}, "items[0] is no string"),
    "deep": ({"name": "a", "deep": {"x": 1}}, "deep.x is no boolean"),
    "strange": ({"name": "a", "other": 1}, "it has 'other', which is not known"),
}


@pytest.mark.parametrize(("value", "flaw"), WRONG.values(), ids=WRONG)
def test_what_does_not_fit_is_named(value: object, flaw: str) -> None:
    assert list(value_flaws(value, SCHEMA)) == [flaw]


@pytest.mark.parametrize(
    "value",
    [
        {"name": "a"},
        {"name": "a", "count": 9, "kind": "two", "items": ["x", "y"]},
        {"name": "a", "share": 1, "deep": {"x": True}},
    ],
)
def test_what_fits_has_no_flaw(value: object) -> None:
    assert list(value_flaws(value, SCHEMA)) == []


def of(**more: object) -> dict[str, object]:
    return {"type": "object", "properties": {"a": {"type": "string", **more}}}


BAD: dict[str, tuple[object, str]] = {
    "no object": ("x", "the schema is no object"),
    "of a text": (TEXT, "the schema is not of an object"),
    "no type": ({"type": "object", "properties": {"a": {}}}, "a has no type"),
    "a pattern": (of(pattern="x"), "a has 'pattern', which is not known"),
    "a reference": ({"type": "object", "$ref": "#"}, "'$ref', which is not known"),
    "another format": (of(format="date"), "a has another format than command"),
    "a bound that is none": (of(maxLength="9"), "a has a maxLength that is no number"),
    "an enum that is none": (of(enum="ab"), "a has an enum that is no list"),
    "required, and not there": ({"type": "object", "required": ["x"]}, "requires what is none"),
}


@pytest.mark.parametrize(("schema", "flaw"), BAD.values(), ids=BAD)
def test_a_schema_with_what_is_not_known_is_refused(schema: object, flaw: str) -> None:
    assert any(flaw in found for found in schema_flaws(schema))


def test_a_schema_that_never_ends_is_refused() -> None:
    schema: dict[str, Any] = {"type": "object"}
    schema["properties"] = {"x": schema}
    assert any("nested too deeply" in found for found in schema_flaws(schema))


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_our_own_schemas_have_no_flaw(tool: Any) -> None:
    assert [*schema_flaws(tool.parameters), *schema_flaws(tool.returns)] == []


def test_commands_are_found_wherever_they_stand() -> None:
    command = {"type": "string", "format": "command"}
    schema = {
        "type": "object",
        "properties": {
            "first": command,
            "more": {"type": "array", "items": {"type": "object", "properties": {"run": command}}},
            "note": TEXT,
        },
    }
    value = {"first": "ls", "more": [{"run": "rm x"}, {}], "note": "rm -rf /"}
    assert list(commands_in(value, schema)) == ["ls", "rm x"]
