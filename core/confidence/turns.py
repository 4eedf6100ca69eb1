"""Labelled turns: a question, what was retrieved for it, a reply, and whether that is right.

Decides the form of a row. Refuses one that lacks a field or has another kind of value there, by its
number, the field and the remedy.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.errors import FanlightError


class BadTurns(FanlightError, ValueError):
    """A file of labelled turns cannot be used."""


@dataclass(frozen=True, slots=True)
class LabelledTurn:
    """One row. `site` groups what must not be split over folds; `style` says what was done to it.

    `logprob` is the mean natural log-probability of the reply's tokens, where it is known.
    """

    question: str
    passages: tuple[str, ...]
    reply: str
    right: bool
    site: str = ""
    locale: str = ""
    style: str = ""
    logprob: float | None = None


def read_turns(lines: Iterable[str], name: str) -> list[LabelledTurn]:
    """The turns of JSON Lines; empty lines are skipped. Raises `BadTurns`."""
    found = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                found.append(_turn(json.loads(line)))
            except ValueError as error:
                raise BadTurns(f"{name}, line {number}: {error}") from error
    return found


def _turn(row: object) -> LabelledTurn:
    if not isinstance(row, Mapping):
        raise ValueError("a turn is an object {question, passages, reply, right}")
    right = row.get("right")
    if not isinstance(right, bool) and right not in {0, 1}:
        raise ValueError("`right` must be true or false")
    logprob = row.get("logprob")
    if logprob is not None and (isinstance(logprob, bool) or not isinstance(logprob, int | float)):
        raise ValueError("`logprob` must be a number")
    return LabelledTurn(
        _text(row, "question"),
        _passages(row.get("passages")),
        _text(row, "reply"),
        bool(right),
        site=str(row.get("site") or ""),
        locale=str(row.get("locale") or ""),
        style=str(row.get("style") or ""),
        logprob=logprob,
    )


def _text(row: Mapping[str, object], field: str) -> str:
    value = row.get(field)
    if not isinstance(value, str):
        raise ValueError(f"`{field}` must be a text")
    return value


def _passages(value: object) -> tuple[str, ...]:
    """Texts, or objects with a `text`, or with a `question` and an `answer`."""
    if not isinstance(value, list):
        raise ValueError("`passages` must be a list of texts")
    return tuple(_passage(each) for each in value)


def _passage(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        parts = [value.get(field) for field in ("title", "question", "text", "answer")]
        told = [part for part in parts if isinstance(part, str)]
        if told:
            return "\n".join(told)
    raise ValueError("a passage must be a text, or an object with a `text`")
