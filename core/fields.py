"""Reads the fields of a request that a host hands over as JSON.

Refuses what is not of its form with a `ValueError` that names the field.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import date
from types import NoneType
from typing import Any


def read_object(text: str) -> dict[str, Any]:
    """The object that a JSON text is."""
    asked = json.loads(text)
    if not isinstance(asked, dict):
        raise ValueError("the request must be an object")
    return asked


def read(
    asked: dict[str, Any], name: str, kinds: type | tuple[type, ...], default: object = ...
) -> Any:
    """The value of a field; it is required where it has no default."""
    value = asked.get(name, default)
    if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
        raise ValueError(f"{name} is missing or of the wrong type")
    return value


def read_choice(asked: dict[str, Any], name: str, choices: Collection[str], default: str) -> Any:
    """One of these words."""
    value = read(asked, name, str, default)
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}")
    return value


def read_share(asked: dict[str, Any], name: str, default: float | None) -> Any:
    """A number between 0 and 1, or None where that is the default."""
    kinds = (int, float, NoneType) if default is None else (int, float)
    value = read(asked, name, kinds, default)
    if value is not None and not 0 <= value <= 1:
        raise ValueError(f"{name} must be between 0 and 1")
    return value


def read_texts(asked: dict[str, Any], name: str) -> list[str]:
    """A list of texts; none where it is not given."""
    given = read(asked, name, list, default=[])
    if not all(isinstance(text, str) for text in given):
        raise ValueError(f"{name} must be a list of texts")
    return list(given)


def read_day(asked: dict[str, Any], name: str) -> str | None:
    """A day of ISO 8601, or None."""
    day = read(asked, name, (str, NoneType), None)
    if day is None:
        return None
    try:
        return date.fromisoformat(day).isoformat()
    except ValueError as error:
        raise ValueError(f"{name} must be a day such as 2026-12-24") from error
