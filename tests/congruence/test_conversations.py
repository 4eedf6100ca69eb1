"""The messages of a conversation: numbered without gaps, whoever writes at once; nobody else's."""

import asyncio

import pytest

from core.errors import FanlightError
from core.messages import Usage
from core.truth import Truth
from tests.congruence.samples import ANNA, BEN, NOON, a_turn, a_work, named

C1 = named("c", 1)


async def test_numbers_are_unique_and_without_gaps_for_many_at_once(truth: Truth) -> None:
    works = [a_work(f"k{n}", at=NOON + n, turn=a_turn(n, n % 3)) for n in range(60)]
    # Some are refused, and take no number.
    works += [a_work(f"again{n}", turn=a_turn(n, n % 3)) for n in range(0, 60, 7)]
    outcomes = await asyncio.gather(*map(truth.commit, works), return_exceptions=True)
    refused = [one for one in outcomes if isinstance(one, BaseException)]
    assert len(refused) == 9
    assert all(isinstance(one, FanlightError) for one in refused)
    for place in range(3):
        found = await truth.conversations.messages(ANNA, named("c", place), 100)
        assert [one.number for one in found] == list(range(1, 41))
        assert [one.role for one in found] == ["user", "assistant"] * 20
        assert len({one.turn_id for one in found}) == 20


async def test_messages_are_the_newest_oldest_first(truth: Truth) -> None:
    for n in range(1, 5):
        await truth.commit(a_work(f"k{n}", at=NOON + n, turn=a_turn(n, 1, reply=f"reply {n}")))
    found = await truth.conversations.messages(ANNA, C1, 3)
    assert [(one.number, one.content) for one in found] == [
        (6, "reply 3"), (7, "When?"), (8, "reply 4"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "tokens"),
    [
        ({"usage": Usage(900, 34)}, 34),
        ({"usage": Usage(900, 34), "reasoning": "Hm."}, 3),
        ({"usage": None}, 3),
        ({"reply": ""}, 0),
    ],
)
async def test_a_reply_is_as_long_as_its_server_says_else_estimated(
    truth: Truth, changes: dict[str, object], tokens: int
) -> None:
    await truth.commit(a_work("k1", turn=a_turn(1, 1, **{"reply": "Within days", **changes})))
    question, reply = await truth.conversations.messages(ANNA, C1, 9)
    assert (question.tokens, reply.tokens) == (2, tokens)


async def test_messages_are_of_their_own_subject_and_go_with_it(truth: Truth) -> None:
    await truth.commit(a_work("k1", turn=a_turn(1, 1)))
    assert await truth.conversations.messages(BEN, C1, 9) == []
    await truth.subjects.erase(a_work("erase"))
    assert await truth.conversations.messages(ANNA, C1, 9) == []


async def test_what_expired_leaves_its_numbers_unused(truth: Truth) -> None:
    for n in (1, 2):
        await truth.commit(a_work(f"k{n}", at=NOON + n, turn=a_turn(n, 1)))
    await truth.subjects.expire({"turns": NOON + 2}, 10)
    await truth.commit(a_work("k3", at=NOON + 3, turn=a_turn(3, 1)))
    found = await truth.conversations.messages(ANNA, C1, 9)
    assert [one.number for one in found] == [3, 4, 5, 6]
