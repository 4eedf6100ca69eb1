"""Rows of labelled JSON Lines, as evaluations read them: one object a line, fields that are text.

Decides nothing about what the fields mean. Refuses a line or a field by its place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def json_object(line: str, place: str) -> dict[str, Any]:
    """Give the object of a line; raises `ValueError` that names the place."""
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"{place}: not JSON: {error.msg}; each line must be one object") from error
    if not isinstance(row, dict):
        raise ValueError(f"{place}: each line must be one JSON object")
    return row


def text_field(row: Mapping[str, Any], field: str, place: str) -> str:
    """Give a field that must be text; raises `ValueError` that names it and the place."""
    value = row.get(field)
    if not isinstance(value, str):
        raise ValueError(f"{place}: the field {field!r} must be there, as text")
    return value
