"""What a summary keeps of what a question needs."""

import json
from collections.abc import Mapping, Sequence

import pytest

from core.prompting.recall import measure, read_probes, read_talks

TURNS: list[dict[str, object]] = [
    {"conv": "c", "dia_id": f"D{at}", "speaker": "Ann", "text": text}
    for at, text in enumerate(
        ["My dog is called Rex", *(f"small talk number {n} about the weather" for n in range(60))]
    )
]
QUESTIONS: list[dict[str, object]] = [
    {"conv": "c", "question": "What is the dog called?", "evidence": ["D0"], "evidence_ok": True},
    {"conv": "c", "question": "What is the dog called?", "evidence": ["D1"], "evidence_ok": False},
    {"conv": "c", "question": "And?", "evidence": []},
]


def lines(rows: Sequence[Mapping[str, object]]) -> list[str]:
    return [json.dumps(row) for row in rows] + [""]


def test_what_bears_on_a_question_is_kept_where_a_window_loses_it() -> None:
    talks = read_talks(lines(TURNS), "t")
    probes = read_probes(lines(QUESTIONS), "q", talks)
    assert [probe.evidence for probe in probes] == [[0]]
    found = measure(talks, probes, lambda _text: None, 60)
    assert (found.questions, found.turns) == (1, 1)
    assert (found.shares["distil"], found.shares["last_six"]) == (1.0, 0.0)
    assert found.shares["last_that_fit"] == 0.0


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ({"conv": "x", "question": "q", "evidence": []}, "conversation 'x'"),
        ({"conv": "c", "question": "q", "evidence": "D0"}, "evidence"),
        ({"conv": "c", "evidence": []}, "question"),
    ],
)
def test_a_row_that_is_none_is_named(row: dict[str, object], named: str) -> None:
    talks = read_talks(lines(TURNS), "t")
    with pytest.raises(ValueError, match=f"q:1.*{named}"):
        read_probes(lines([row]), "q", talks)
