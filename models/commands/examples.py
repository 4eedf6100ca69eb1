"""The labelled commands, and what people said of others since.

Decides what belongs to a fit. Refuses a file that is not complete, by the family's name.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from core.commands.labels import LABELS, Label
from models.errors import ModelError

PACKAGED: Final = "examples.toml"
TOLD: Final = "feedback"


class BadExamples(ModelError):
    """A file of examples cannot be used."""


@dataclass(frozen=True, slots=True)
class Example:
    """One command, what it does, and the family that it belongs to."""

    command: str
    label: Label
    family: str
    held_out: bool = False


def read_examples() -> list[Example]:
    """The examples that come along. Raises `BadExamples`."""
    return parse_examples((files("models.commands") / PACKAGED).read_text(encoding="utf-8"))


def parse_examples(text: str) -> list[Example]:
    """The examples of a TOML text: tables by family, lists by label. Raises `BadExamples`."""
    found: list[Example] = []
    for family, table in tomllib.loads(text).items():
        unknown = set(table) - {*LABELS, "held_out"}
        if unknown:
            raise BadExamples(f"{family}: there is no label {min(unknown)!r}.")
        held_out = table.get("held_out", False)
        found += [
            Example(command, label, family, held_out)
            for label in LABELS
            for command in table.get(label, ())
        ]
    twice = {one.command for one in found if sum(one.command == x.command for x in found) > 1}
    if twice:
        raise BadExamples(f"Labelled twice: {min(twice)!r}.")
    return found


def read_feedback(path: Path) -> list[Example]:
    """What `fanlight commands feedback` wrote, a JSON object a line. Raises `BadExamples`."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            command, label = row["command"], row["expected"]
        except (ValueError, LookupError, TypeError) as error:
            raise BadExamples(f"{path}, line {number}: no `command` and `expected`.") from error
        if label not in LABELS or not isinstance(command, str):
            raise BadExamples(f"{path}, line {number}: there is no label {label!r}.")
        found.append(Example(command, label, TOLD))
    return found
