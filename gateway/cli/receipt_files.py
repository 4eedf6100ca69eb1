"""Receipts as people keep them: one to a line, or inside any JSON document, such as an export.

Decides where a receipt stands. A line is a receipt by itself, as a JSON string, or as an object
with a `receipt`; in a document every member `receipt` and every text of a list `receipts` is one.
Beside a `receipt`, `question` and `answer` (or `reply`) are taken to be the texts that it speaks
of.
Refuses a file in which it finds none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass


class NoReceipts(ValueError):
    """A file without any receipt; the message says what one looks like."""


@dataclass(frozen=True, slots=True)
class Written:
    """A receipt in a file, not yet verified, with the texts beside it."""

    place: str
    token: str
    question: str | None = None
    answer: str | None = None


def read_receipts(text: str) -> list[Written]:
    """Every receipt of a file, in its order; raises `NoReceipts`."""
    try:
        document = json.loads(text)
    except ValueError:
        found = list(_lines(text))
    else:
        found = list(_walk(document, "")) if isinstance(document, dict | list) else []
        found = found or list(_lines(text))
    if not found:
        raise NoReceipts("There is no receipt in it: give JSON Lines, one receipt a line.")
    return found


def _lines(text: str) -> Iterator[Written]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield from _line(line.strip(), f"line {number}")


def _line(line: str, place: str) -> Iterator[Written]:
    try:
        value = json.loads(line)
    except ValueError:
        value = line
    if isinstance(value, dict) and isinstance(value.get("receipt"), str):
        yield _beside(value, value["receipt"], place)
    else:
        # Whatever else stands on a line is no receipt, and the check will say so.
        yield Written(place, value if isinstance(value, str) else line)


def _walk(value: object, path: str) -> Iterator[Written]:
    if isinstance(value, list):
        for number, item in enumerate(value):
            here = f"{path}[{number}]"
            listed = path == "" or path.endswith("receipts")
            if isinstance(item, str) and listed:
                yield Written(here, item)
            else:
                yield from _walk(item, here)
    elif isinstance(value, dict):
        for name, item in value.items():
            here = f"{path}.{name}" if path else name
            if name == "receipt" and isinstance(item, str):
                yield _beside(value, item, here)
            else:
                yield from _walk(item, here)


def _beside(found: dict[str, object], token: str, place: str) -> Written:
    question, answer = found.get("question"), found.get("answer", found.get("reply"))
    return Written(
        place,
        token,
        question if isinstance(question, str) else None,
        answer if isinstance(answer, str) else None,
    )
