"""Rows of JSON Lines: labelled ones as evaluations read them, and entries as they are written.

Decides nothing about what the fields mean. Refuses a line or a field by its place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kb.entry import Entry


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


def entry_fields(entry: Entry) -> dict[str, Any]:
    """Give an entry as an object of JSON, under the names that `kb.readers` reads."""
    return {
        "id": entry.id,
        "locale": entry.locale,
        "question": entry.question,
        "answer": entry.answer,
        "variants": list(entry.variants),
        "links": [{"title": link.title, "url": link.url} for link in entry.links],
        "tags": list(entry.tags),
        "escalate": entry.escalate,
        "valid_from": entry.valid_from,
        "valid_until": entry.valid_until,
    }
