"""Questions of another site, to judge the fit on: never to make it.

Decides how pairs of questions that say the same, or do not, become questions with an entry or
without. Refuses a row that lacks a field, by its place.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from kb import Entry
from kb.features import text_key
from kb.json_rows import json_object, text_field
from models.local.knowledge import Place, Question

SEED: Final = 7
LOCALE: Final = "en"
NAME: Final = "Fanlight"


def read_others(kb: Path, queries: Path) -> Place:
    """A site of {question, answer}, and the questions of {q1, q2, similar} in an order without
    a pattern: `q2` is answered by the entry of `q1` where they are similar, else by none."""
    entries = [
        Entry(
            f"entry-{number}",
            LOCALE,
            text_field(row, "question", at),
            text_field(row, "answer", at),
        )
        for number, (at, row) in enumerate(_rows(kb))
    ]
    known = {text_key(entry.question): entry.id for entry in entries}
    asked = []
    for at, row in _rows(queries):
        entry_id = known.get(text_key(text_field(row, "q1", at)))
        if row.get("lang", LOCALE) == LOCALE and entry_id is not None:
            same = entry_id if row.get("similar") else f"none-{entry_id}"
            asked.append(Question(text_field(row, "q2", at), same, LOCALE))
    random.Random(SEED).shuffle(asked)  # noqa: S311 - an order, not a secret
    return Place(NAME, tuple(entries), tuple(asked))


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield f"{path}:{number}", json_object(line, f"{path}:{number}")
