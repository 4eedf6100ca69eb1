"""Every store gives out all that it holds of a visitor, a page at a time, however much it is."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from core.scope import Scope
from core.subjects import PAGE, PARTS, Feedback, Held, Place
from core.truth import Truth, Work
from gateway.adapters.sql import rows, tables
from gateway.adapters.sql.truth import SqlTruth
from tests.congruence.samples import (
    ANNA,
    BEN,
    NOON,
    a_link,
    a_reply,
    a_request,
    a_turn,
    a_way,
    a_work,
    named,
    opened,
)

SINCE = NOON - 86_400.0


async def lived(truth: Truth, scope: Scope, numbers: range) -> None:
    """Turns of several conversations, each escalated and marked, under sessions of their own."""
    for number in numbers:
        place, at = 1 + number % 3, NOON + number // 2
        sid = f"{scope.subject[-3:]}-{number % 2}"
        link = a_link(f"r{scope.subject}{number}", await truth.receipt_head(sid), sid=sid)
        asked = opened(number, a_request(number, place + 10 * numbers.start))
        turn = a_turn(number, place + 10 * numbers.start, escalate=True)
        work = a_work(f"k{number}", scope=scope, at=at, turn=turn, escalation=asked, link=link)
        way = a_way(number, place + 10 * numbers.start, at=at)
        await truth.commit(replace(work, trajectory=way))
        mark = Feedback(named("t", number), "up")
        await truth.commit(a_work(f"m{number}", scope=scope, at=at, feedback=mark))


async def pages(truth: Truth, scope: Scope, limit: int) -> list[Held]:
    """Every page, each got by what the one before it said."""
    got = [await truth.subjects.export(scope, SINCE, None, limit)]
    while (place := got[-1].next) is not None:
        got.append(await truth.subjects.export(scope, SINCE, Place.read(place.cursor()), limit))
    return got


def joined(got: list[Held]) -> dict[str, tuple[Any, ...]]:
    """The pages as one export."""
    return {
        part: tuple(itertools.chain.from_iterable(getattr(one, part) for one in got))
        for part in PARTS
    }


def size(one: Held) -> int:
    """How many rows a page has, with what belongs to its cases."""
    own = sum(len(case.added) + len(case.replies) for case in one.escalations)
    return own + sum(len(getattr(one, part)) for part in PARTS)


@pytest.mark.parametrize("limit", [1, 2, 7, 40, 1000])
async def test_the_pages_together_are_the_whole_and_none_is_too_large(
    truth: Truth, limit: int
) -> None:
    await lived(truth, ANNA, range(1, 13))
    await lived(truth, BEN, range(21, 25))
    await truth.reply(a_reply(1, 1), resolve=False, at=NOON + 60)
    whole = await truth.subjects.export(ANNA, SINCE)
    assert whole.next is None
    got = await pages(truth, ANNA, limit)
    together = joined(got)
    for part in PARTS:
        if part == "receipts":
            assert sorted(together[part]) == sorted(whole.receipts)
        else:
            assert together[part] == getattr(whole, part), part
    largest = max(1 + len(case.added) + len(case.replies) for case in whole.escalations)
    assert max(map(size, got)) <= max(limit, largest)
    assert all(size(one) for one in got), "no page is empty"
    assert {len(getattr(whole, part)) for part in PARTS} == {2, 3, 12, 13}


async def test_nothing_that_was_there_is_missed_while_newer_rows_come(truth: Truth) -> None:
    await lived(truth, ANNA, range(1, 10))
    before = await truth.subjects.export(ANNA, SINCE)
    got, place, newer = [], None, itertools.count(101)
    for _ in range(400):
        one = await truth.subjects.export(ANNA, SINCE, place, 3)
        got.append(one)
        if (place := one.next) is None:
            break
        if len(got) < 30:
            number = next(newer)
            turn = a_turn(number, 50 + number)
            await truth.commit(a_work(f"k{number}", at=NOON + number, turn=turn))
            again = Feedback(named("t", 1 + number % 9), "down")
            await truth.commit(a_work(f"m{number}", at=NOON + number, feedback=again))
    assert place is None, "it has an end"
    together = joined(got)
    for part in ("conversations", "turns", "events", "sessions", "receipts"):
        assert set(map(repr, getattr(before, part))) <= set(map(repr, together[part])), part
        assert len(set(map(repr, together[part]))) == len(together[part]), "nothing comes twice"
    assert [one.id for one in together["escalations"]] == [one.id for one in before.escalations]
    now = await truth.subjects.export(ANNA, SINCE)
    last = {one.feedback.turn_id: one for one in together["feedback"]}
    assert set(last) == {one.feedback.turn_id for one in now.feedback}


async def test_a_case_that_is_more_than_a_page_comes_alone(truth: Truth) -> None:
    for number in range(1, 8):
        asked = opened(number, a_request(number, 1))
        await truth.commit(a_work(f"k{number}", at=NOON + number, escalation=asked))
    await truth.commit(a_work("k9", at=NOON + 9, escalation=opened(9, a_request(9, 2))))
    got = [one for one in await pages(truth, ANNA, 3) if one.escalations]
    assert [[len(case.added) for case in one.escalations] for one in got] == [[6], [0]]
    assert {name for one in got[:1] for name in vars_of(one)} == {"escalations"}


def vars_of(one: Held) -> list[str]:
    """The parts that a page has anything of."""
    return [field.name for field in fields(one) if field.name in PARTS and getattr(one, field.name)]


async def test_an_erase_between_two_pages_leaves_the_rest_empty(truth: Truth) -> None:
    await lived(truth, ANNA, range(1, 7))
    first = await truth.subjects.export(ANNA, SINCE, None, 5)
    await truth.subjects.erase(a_work("erase", at=NOON + 99))
    assert await truth.subjects.export(ANNA, SINCE, first.next, 5) == Held(ANNA)


async def test_a_place_of_another_visitor_gives_nothing_of_theirs(truth: Truth) -> None:
    await lived(truth, ANNA, range(1, 7))
    await lived(truth, BEN, range(21, 24))
    theirs = (await truth.subjects.export(BEN, SINCE, None, 2)).next
    got = await truth.subjects.export(ANNA, SINCE, theirs)
    for turn in got.turns:
        assert turn.turn.id in {named("t", number) for number in range(1, 7)}
    assert {case.id for case in got.escalations} <= {named("e", number) for number in range(1, 7)}


async def store_all(truth: Truth, works: Iterable[Work]) -> None:
    """Store many turns; in SQL by their rows alone, since no call is about any of them."""
    for some in itertools.batched(works, 1000):
        if isinstance(truth, SqlTruth):
            await truth._write(partial(insert_all, works=some))
        else:
            await asyncio.gather(*map(truth.commit, some))


def insert_all(connection: Connection, works: Sequence[Work]) -> None:
    turns = [(work, work.turn) for work in works if work.turn is not None]
    known = set(connection.execute(select(tables.conversations.c.id)).scalars())
    places = {turn.conversation_id: work for work, turn in turns}
    new = [rows.conversation_values(places[name], name) for name in places.keys() - known]
    if new:
        connection.execute(insert(tables.conversations), new)
    counts = Counter(connection.execute(select(tables.turns.c.conversation_id)).scalars())
    numbered = []
    for work, turn in turns:
        counts[turn.conversation_id] += 1
        numbered.append(rows.turn_values(work, turn, counts[turn.conversation_id]))
    connection.execute(insert(tables.turns), numbered)


async def test_thousands_of_turns_come_page_after_page(truth: Truth) -> None:
    works = [
        a_work(f"k{number}", at=NOON + number / 9, turn=a_turn(number, 1 + number % 200))
        for number in range(2500)
    ]
    await store_all(truth, works)
    got = await pages(truth, ANNA, PAGE)
    turns = [one.turn.id for held in got for one in held.turns]
    assert turns == [named("t", number) for number in range(2500)]
    assert [len(held.turns) + len(held.conversations) for held in got] == [1000, 1000, 700]


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_fifty_thousand_turns_come_and_no_page_takes_long(truth: Truth) -> None:
    """The call's own deadline is four seconds; a page may take two on a machine that is busy."""
    numbers = range(50_000)
    works = (a_work(f"k{n}", at=NOON + n / 9, turn=a_turn(n, 1 + n % 200)) for n in numbers)
    await store_all(truth, works)
    slowest, turns, place = 0.0, 0, None
    while True:
        began = time.monotonic()
        one = await truth.subjects.export(ANNA, SINCE, place)
        slowest, turns = max(slowest, time.monotonic() - began), turns + len(one.turns)
        if (place := one.next) is None:
            break
    print(f"slowest page: {slowest:.2f} s")  # noqa: T201 - the figure for the log
    assert turns == 50_000
    assert slowest < 2
