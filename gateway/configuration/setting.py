"""What a setting of `fanlight.toml` is: its place, its kind, its default and its range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

type Kind = Literal[
    "string",
    "integer",
    "number",
    "list of strings",
    "list of numbers",
    "true or false",
    "table",
    "table of strings",
    "list of tables",
]
type Value = str | bool | int | float | tuple[str, ...] | tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of `fanlight.toml`.

    `default` is None for what must be given (`required`) or is worked out as `text` says.
    """

    section: str
    name: str
    kind: Kind
    text: str
    default: Value | None = None
    required: bool = False
    low: float | None = None
    high: float | None = None
