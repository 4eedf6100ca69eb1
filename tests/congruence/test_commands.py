"""What every store of judgements promises."""

import pytest

from core.commands.feedback import Judgement, Tally, accuracy, by_day
from core.commands.labels import Label
from core.errors import Conflict
from core.truth import Truth
from tests.congruence.samples import NOON, named

DAY_S = 86_400


def said(number: int, *, right: bool = True, days: int = 0) -> Judgement:
    expected: Label = "READ" if right else "DELETE"
    at = NOON + days * DAY_S + number
    return Judgement(named("f", number), f"ls “{number}”", "READ", expected, "operator", at)


async def test_judgements_are_read_as_they_were_written_newest_first(truth: Truth) -> None:
    first, second, third = said(1), said(2, right=False), said(3)
    for each in (second, first, third):
        await truth.commands.judge(each)
    assert await truth.commands.judgements(0, 10) == [third, second, first]
    assert await truth.commands.judgements(0, 2) == [third, second]
    assert await truth.commands.judgements(second.at, 10) == [third, second]


async def test_the_oldest_from_before_a_time_are_forgotten_some_at_once(truth: Truth) -> None:
    rows = [said(number) for number in range(1, 6)]
    for each in rows:
        await truth.commands.judge(each)
    before = rows[3].at
    assert await truth.commands.forget(before, 2) == 2
    assert await truth.commands.judgements(0, 10) == [rows[4], rows[3], rows[2]]
    assert await truth.commands.forget(before, 2) == 1
    assert await truth.commands.forget(before, 2) == 0
    assert await truth.commands.judgements(0, 10) == [rows[4], rows[3]]


async def test_an_id_is_taken_once(truth: Truth) -> None:
    await truth.commands.judge(said(1))
    with pytest.raises(Conflict):
        await truth.commands.judge(said(1))
    assert await truth.commands.judgements(0, 10) == [said(1)]


def test_judgements_are_counted_by_day() -> None:
    tallies = by_day([said(1), said(2, right=False), said(3, days=1)])
    assert [(each.count, each.right) for each in tallies] == [(2, 1), (1, 1)]
    assert tallies[0].day < tallies[1].day
    assert accuracy(tallies) == pytest.approx(2 / 3)


def test_where_nobody_said_anything_there_is_no_accuracy() -> None:
    assert by_day([]) == []
    assert accuracy([]) is None
    assert accuracy([Tally("2026-01-01", 4, 1)]) == 0.25
