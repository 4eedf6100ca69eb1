"""Reads one TOML table against the list of settings: names, types and ranges.

Decides which values are of their type; what is not, is replaced by the default so that reading goes
on and every flaw is found. Refuses secrets that stand in the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from gateway.configuration.flaws import Flaw
from gateway.configuration.setting import Setting
from gateway.configuration.table import section
from gateway.configuration.variables import MODEL_KEY, TARGET_SECRET, TARGET_TOKEN

type Values = dict[str, Any]

SECRETS: Final = {
    "gateway.operator_token": "FANLIGHT_OPERATOR_TOKEN",
    "model.key": "FANLIGHT_LLM_KEY",
    "embeddings.key": "FANLIGHT_EMBEDDINGS_KEY",
    "rerank.key": "FANLIGHT_RERANK_KEY",
    "models.key": MODEL_KEY,
    "targets.secret": TARGET_SECRET,
    "targets.signing_secret": TARGET_SECRET,
    "targets.token": TARGET_TOKEN,
    "targets.key": TARGET_TOKEN,
}
_PLACEHOLDERS: Final = {"string": "", "list of strings": (), "table of strings": {}}


def hint(name: str, known: Iterable[str], remedy: str) -> str:
    """The nearest known name as a question, else `remedy`."""
    near = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"Did you mean {near[0]}?" if near else remedy


def read_table(raw: object, name: str, where: str, flaws: list[Flaw]) -> Values:
    """Values of section `name`, complete with defaults; `where` is how messages call the table."""
    known = section(name)
    if not isinstance(raw, Mapping):
        flaws.append(Flaw(where, "This must be a table.", f"Write it as [{name}] with keys below."))
        raw = {}
    flaws.extend(_unknown(key, known, name, where) for key in raw if key not in known)
    return {key: _value(raw, setting, f"{where}.{key}", flaws) for key, setting in known.items()}


def read_tables(
    raw: object, name: str, flaws: list[Flaw], called: str = ""
) -> list[tuple[str, Values]]:
    """The array of tables `[[name]]`, each with what messages call it: `called`, else its name."""
    called = called or name
    if not isinstance(raw, list | tuple):
        flaws.append(Flaw(called, "This must be a list of tables.", f"Write each as [[{name}]]."))
        return []
    found = []
    for number, table in enumerate(raw, 1):
        title = (
            table.get("key" if name == "sites" else "name") if isinstance(table, Mapping) else ""
        )
        where = f"{called}[{title if isinstance(title, str) and title else f'#{number}'}]"
        found.append((where, read_table(table, name, where, flaws)))
    return found


def _unknown(key: str, known: Mapping[str, Setting], name: str, where: str) -> Flaw:
    secret = SECRETS.get(f"{name}.{key}")
    if secret:
        remedy = f"Take it out, and set {secret} in the environment."
        return Flaw(f"{where}.{key}", "A secret does not belong in this file.", remedy)
    remedy = hint(key, known, f"Known here: {', '.join(known)}.")
    return Flaw(f"{where}.{key}", "There is no such setting.", remedy)


def _value(raw: Mapping[str, Any], setting: Setting, where: str, flaws: list[Flaw]) -> Any:
    fallback: Any = setting.default
    if fallback is None and setting.required:
        fallback = _PLACEHOLDERS[setting.kind]
    if setting.name not in raw:
        if setting.required:
            flaws.append(Flaw(where, "This is missing.", f"Set it. {setting.text}"))
        return fallback
    value = raw[setting.name]
    if not _is(setting.kind, value):
        remedy = f"Write a {setting.kind}."
        flaws.append(Flaw(where, f"This is a {_name(value)}, not a {setting.kind}.", remedy))
        return fallback
    if setting.required and not value:
        flaws.append(Flaw(where, "This is empty.", f"Set it. {setting.text}"))
    return _in_range(value, setting, where, flaws)


def _in_range(value: Any, setting: Setting, where: str, flaws: list[Flaw]) -> Any:
    low, high = setting.low, setting.high
    if low is None or high is None:
        return tuple(value) if isinstance(value, list) else value
    # "not inside" rather than "outside", so that nan is refused too.
    if not low <= value <= high:
        detail = f"{value} is out of range."
        flaws.append(Flaw(where, detail, f"Choose a value from {low:g} to {high:,g}."))
        return setting.default
    return float(value) if setting.kind == "number" else value


def _is(kind: str, value: object) -> bool:
    if kind == "list of strings":
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if kind == "list of numbers":
        return isinstance(value, list) and all(_is("number", item) for item in value)
    if kind == "table":
        return isinstance(value, dict)
    if kind == "table of strings":
        return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())
    if kind == "list of tables":
        return isinstance(value, list) and all(isinstance(item, dict) for item in value)
    if kind == "string":
        return isinstance(value, str)
    if kind == "true or false":
        return isinstance(value, bool)
    numbers = int | float if kind == "number" else int
    return isinstance(value, numbers) and not isinstance(value, bool)


def _name(value: object) -> str:
    names = {bool: "true or false", str: "string", int: "integer", float: "number", dict: "table"}
    return names.get(type(value), "list of other things" if isinstance(value, list) else "date")
