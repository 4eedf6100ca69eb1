import gzip
import itertools
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

import kb
from kb.evaluate import (
    Judged,
    Labelled,
    auroc,
    entries_of,
    expected_calibration_error,
    figures,
    judge,
    read_labelled,
)


def ticks() -> Iterator[float]:
    yield from itertools.count(0, 0.001)


def answered(answerable: bool, right: bool, confidence: float) -> Judged:
    return Judged(answerable, right, right, confidence, 0.001)


def test_each_figure_is_counted_as_it_is_defined() -> None:
    judged = [
        answered(True, True, 0.9),  # right and shown
        answered(True, True, 0.4),  # right but refused
        answered(True, False, 0.8),  # wrong and shown
        Judged(True, False, True, 0.1, 0.004),  # second, refused
        answered(False, False, 0.7),  # a stranger that is answered
        answered(False, False, 0.2),  # a stranger that is refused
    ]
    found = figures(judged, 0.55)
    assert found.top1 == 2 / 4
    assert found.top3 == 3 / 4
    assert found.e2e == 2 / 6
    assert found.coverage == 1 / 4
    assert found.risk == 2 / 3
    assert found.answered_in == 2 / 4
    assert found.answered_out == 1 / 2
    assert found.auroc == 5 / 8
    assert found.p50_ms == pytest.approx(1)
    assert found.p95_ms == pytest.approx(4)
    assert found.n == 6


def test_who_is_asked_back_is_counted_apart() -> None:
    judged = [
        answered(True, True, 0.9),  # right and shown
        Judged(True, False, True, 0.4, 0.001, offered=True),
        Judged(True, False, False, 0.4, 0.001, offered=False),
        Judged(False, False, False, 0.4, 0.001, offered=False),
        answered(False, False, 0.2),  # a stranger that is refused
    ]
    found = figures(judged, 0.55)
    assert found.asked_back == 3 / 5
    assert found.asked_right == 1 / 3
    assert found.e2e == 3 / 5
    assert found.e2e_settled == 2 / 2


def test_a_query_between_two_entries_is_one_that_is_asked_back() -> None:
    entries = [
        kb.Entry("order", "en", "How do I cancel my order?", "A", ("stop my order",)),
        kb.Entry("plan", "en", "How do I cancel my plan?", "B", ("end my plan",)),
        kb.Entry("hours", "en", "When are you open?", "C", ("opening hours",)),
    ]
    index = kb.load_index(kb.build_index(entries))
    queries = [Labelled("how do i cancel", "plan"), Labelled("opening hours", "hours")]
    clock = ticks()
    between, sure = judge(index, queries, lambda: next(clock))
    assert between.offered is True
    assert sure.offered is None
    assert judge(index, queries, lambda: next(clock), 0.01)[0].offered is None


def test_a_share_of_nothing_is_none() -> None:
    found = figures([], 0.55)
    assert found.n == 0
    assert found.top1 is found.auroc is found.risk is found.ece is found.p50_ms is None


@pytest.mark.parametrize(
    ("inside", "outside", "expected"),
    [
        ([1], [0], 1.0),
        ([0], [1], 0.0),
        ([0.5], [0.5], 0.5),
        ([0.2, 0.9], [0.5], 0.5),
        ([], [1], None),
    ],
)
def test_auroc_is_the_chance_of_the_right_order(
    inside: list[float], outside: list[float], expected: float | None
) -> None:
    assert auroc(inside, outside) == expected


def test_calibration_error_is_the_mean_gap_over_bins_of_equal_count() -> None:
    assert expected_calibration_error([(0.0, False), (1.0, True)]) == 0
    assert expected_calibration_error([(1.0, False)] * 20) == 1
    half = [(0.5, n % 2 == 0) for n in range(40)]
    assert expected_calibration_error(half) == pytest.approx(0)


def test_rows_are_read_with_their_conditions() -> None:
    lines = [
        '{"text": "a", "label": "x", "bot": "one"}',
        "",
        '{"text": "b", "label": "y", "bot": "two", "near": true}',
        '{"text": "c", "label": "z", "bot": "two", "answerable": false, "lang": "es"}',
    ]
    rows = list(read_labelled(lines, "q", where={"bot": "two"}, near_oos="near"))
    assert rows == [Labelled("b", "y", "en", False), Labelled("c", "z", "es", False)]
    assert len(list(read_labelled(lines, "q"))) == 3


@pytest.mark.parametrize(
    ("line", "reason"),
    [("{", "not JSON"), ("[]", "one JSON object"), ('{"text": "a"}', "'label'"),
     ('{"text": 1, "label": "a"}', "'text'")],
)  # fmt: skip
def test_a_bad_row_is_named_by_file_and_line(line: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"q.jsonl:2: .*{reason}"):
        list(read_labelled(["", line], "q.jsonl"))


def test_texts_of_a_label_become_one_entry_and_strangers_none() -> None:
    rows = [Labelled("a", "x"), Labelled("b", "x"), Labelled("c", "y", "en", False)]
    assert entries_of(rows) == [kb.Entry("x", "en", "a", "", ("b",))]


def test_queries_are_judged_with_an_injected_clock(shop_index: kb.Index) -> None:
    queries = [
        Labelled("how long does shipping take", "shipping-time"),
        Labelled("zzzz", "none", "en", False),
    ]
    clock = ticks()
    first, second = judge(shop_index, queries, lambda: next(clock))
    assert first.right
    assert first.in_top3
    assert first.seconds == pytest.approx(0.001)
    assert not second.right
    assert second.confidence == 0


PUBLIC: dict[str, tuple[dict[str, str], int, dict[str, float]]] = {
    "hint3": ({"bot": "curekart"}, 500, {"e2e": 0.70, "auroc": 0.84}),
    "clinc150": ({}, 300, {"e2e": 0.55, "auroc": 0.85}),
}


@pytest.mark.needs("data")
@pytest.mark.parametrize("folder", PUBLIC)
def test_public_questions_are_answered_or_refused_well(
    data_folder: Path, long: bool, folder: str
) -> None:
    where, queries, floors = PUBLIC[folder]

    def rows(name: str) -> list[Labelled]:
        with gzip.open(data_folder / folder / name, "rt", encoding="utf-8") as lines:
            return list(read_labelled(lines, name, where=where))

    known, asked = rows("kb.jsonl.gz"), rows("dev.jsonl.gz")
    if not long:
        known = random.Random(1).sample(known, min(1500, len(known)))
        asked = random.Random(2).sample(asked, min(queries, len(asked)))
    index = kb.load_index(kb.build_index(entries_of(known)))
    clock = ticks()
    found = figures(judge(index, asked, lambda: next(clock)), 0.55)
    assert found.ece is not None
    assert found.ece <= 0.12
    for name, floor in floors.items():
        assert getattr(found, name) >= floor, name
