"""Replies by rule, beside those of the real model: that one is so seldom right.

Decides what they are: what a model that reads would have said (the sentence of the right entry that
is nearest to the question), and what one that does not says (the question again, or the nearest
sentence of an entry that does not answer). They have no log-probabilities.
`python -m models.local.scripted FILE` writes them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from core.prompting.quoting import entry_text
from kb import Entry, Index, build_index, load_index
from kb.bundled import load_bundled
from kb.features import STOP_STEMS, stems
from kb.passages import sentences
from models.local.others import Question
from models.local.turns import Row, entries_for, own_entries, split

MOST: Final = 48
"""Questions of each kind, answerable and not."""


def nearest_sentence(question: str, entry: Entry) -> str:
    """The sentence of an answer that shares most with a question and the entry's own; the first of
    equals."""
    asked = set(stems(f"{question} {entry.question}")) - STOP_STEMS
    spans = [entry.answer[start:end].strip() for start, end in sentences(entry.answer)]
    return max(spans or [entry.answer], key=lambda span: len(asked & set(stems(span))))


def scripted(index: Index, questions: Sequence[Question]) -> Iterator[Row]:
    """The rows of some questions."""
    left = {"answerable": MOST, "not_answerable": MOST}
    for question in questions:
        entries, retrieval = entries_for(index, question)
        gold = next((entry for entry in entries if entry.id == question.entry_id), None)
        others = [entry for entry in entries if entry.id != question.entry_id]
        style = "answerable" if gold else "not_answerable"
        if not left[style] or not others:
            continue
        left[style] -= 1
        said = [(question.text, False), (nearest_sentence(question.text, others[0]), False)]
        if gold:
            said.append((nearest_sentence(question.text, gold), True))
        for reply, right in said:
            yield Row(
                question.text, [entry_text(entry) for entry in entries], reply, right,
                question.entry_id, question.locale, f"scripted_{style}", round(retrieval, 4),
                "stop", [],
            )  # fmt: skip


def main() -> None:
    """Write the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    kept, questions = split(own_entries())
    table = load_bundled()
    index = load_index(build_index(kept, embedding=table), table)
    rows = [json.dumps(asdict(row), ensure_ascii=False) for row in scripted(index, questions)]
    parser.parse_args().file.write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
