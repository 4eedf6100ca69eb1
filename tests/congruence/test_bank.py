"""What every store gives of answers that were right, and to whom it refuses to lend them."""

from dataclasses import replace

import pytest

from core.bank import Banked, Wanted
from core.errors import NotFound
from core.messages import MemoryTurn
from core.scope import Scope
from core.subjects import Feedback, Signal
from core.truth import Truth
from tests.congruence.samples import (
    ANNA,
    ANNA_ELSEWHERE,
    BEN,
    NOON,
    a_reply,
    a_request,
    a_turn,
    a_way,
    a_work,
    named,
    opened,
)

LATER = NOON + 100
ALL = Wanted(0.0, 9, models=True)
TAIL = (MemoryTurn("user", "hola"), MemoryTurn("assistant", "Hola."))


async def ask(truth: Truth, number: int, scope: Scope = ANNA, *, agreed: bool = True) -> None:
    """A question that went to a person."""
    request = a_request(number, number, conversation_tail=TAIL)
    turn = a_turn(number, number, escalate=True, reply="")
    way = a_way(number, number, escalated=True)
    work = a_work(f"k{number}", scope=scope, turn=turn, escalation=opened(number, request))
    await truth.commit(replace(work, trajectory=way if agreed else way.numbers(f"n_{number}")))


async def reply(
    truth: Truth, number: int, content: str = "It leaves tomorrow.", *, resolve: bool = True
) -> None:
    """A person's reply to it."""
    made = replace(a_reply(number, number, content), turn_id=named("t", number))
    await truth.reply(made, resolve=resolve, at=LATER + number)


async def answer(truth: Truth, number: int, signal: Signal, scope: Scope = ANNA) -> None:
    """A model's answer, and what its visitor said of it."""
    work = a_work(f"k{number}", scope=scope, turn=a_turn(number, number))
    await truth.commit(replace(work, trajectory=a_way(number, number)))
    mark = Feedback(named("t", number), signal)
    await truth.commit(a_work(f"m{number}", scope=scope, at=LATER + number, feedback=mark))


async def names(truth: Truth, wanted: Wanted = ALL, site: str = "site_a") -> list[str]:
    return [one.turn_id for one in await truth.bank.answers(site, wanted)]


async def test_a_persons_reply_that_closed_its_case_is_in_it(truth: Truth) -> None:
    await ask(truth, 1)
    await reply(truth, 1, "Wait.", resolve=False)
    assert await truth.bank.answers("site_a", ALL) == []
    again = replace(a_reply(9, 1, "It leaves tomorrow."), turn_id=named("t", 1))
    await truth.reply(again, resolve=True, at=LATER + 5)
    question = "¿Cuándo llega mi pedido?"
    assert await truth.bank.answers("site_a", ALL) == [
        Banked(
            *(named("t", 1), question, "Wait.\n\nIt leaves tomorrow.", "person", LATER + 5, "es"),
            frozenset({question, "hola", "When?"}),
        )
    ]


async def test_all_that_its_visitor_wrote_there_comes_with_it(truth: Truth) -> None:
    await ask(truth, 1)
    await reply(truth, 1)
    await answer(truth, 2, "up")
    await ask(truth, 3, BEN)
    for number, conversation, question in ((4, 1, "It is 4471-XK"), (5, 2, "I am at 9917")):
        turn = a_turn(number, conversation)
        work = replace(a_work(f"k{number}", turn=turn), question=question)
        await truth.commit(replace(work, trajectory=a_way(number, conversation)))
    contact = a_request(6, 1, question="And now?", contact="anna@shop.example")
    work = a_work("k6", turn=a_turn(6, 1, escalate=True), escalation=opened(6, contact))
    await truth.commit(replace(work, trajectory=a_way(6, 1, escalated=True)))
    found = {one.turn_id: one.said for one in await truth.bank.answers("site_a", ALL)}
    assert found == {
        named("t", 1): {
            *("¿Cuándo llega mi pedido?", "hola", "When?", "It is 4471-XK"),
            *("And now?", "anna@shop.example"),
        },
        named("t", 2): {"When?", "I am at 9917"},
    }


async def test_a_case_of_two_questions_is_not_in_it(truth: Truth) -> None:
    await ask(truth, 1)
    work = a_work("k2", turn=a_turn(2, 1, escalate=True), escalation=opened(2, a_request(2, 1)))
    await truth.commit(replace(work, trajectory=a_way(2, 1, escalated=True)))
    made = replace(a_reply(2, 1, "You are very welcome!"), turn_id=named("t", 2))
    await truth.reply(made, resolve=True, at=LATER)
    [case] = await truth.escalations(status="resolved", before=None, limit=9)
    assert len(case.added) == 1
    assert await truth.bank.answers("site_a", ALL) == []


async def test_it_is_of_one_site_of_some_time_and_of_so_many(truth: Truth) -> None:
    for number, scope in ((1, ANNA), (2, BEN), (3, ANNA_ELSEWHERE)):
        await ask(truth, number, scope)
        await reply(truth, number)
    one, two, elsewhere = (named("t", number) for number in (1, 2, 3))
    assert await names(truth) == [two, one]
    assert await names(truth, site="site_b") == [elsewhere]
    assert await names(truth, replace(ALL, limit=1)) == [two]
    assert await names(truth, replace(ALL, since=LATER + 2)) == [two]
    assert await names(truth, replace(ALL, turn_ids=frozenset({one, elsewhere}))) == [one]
    assert await names(truth, replace(ALL, turn_ids=frozenset())) == []


async def test_who_did_not_agree_to_memory_lends_nothing(truth: Truth) -> None:
    await ask(truth, 1, agreed=False)
    await reply(truth, 1)
    assert await names(truth) == []


@pytest.mark.parametrize(
    ("signal", "stays"),
    [("worked", True), ("up", True), ("failed", False), ("partial", False), ("down", False)],
)
async def test_a_reply_that_did_not_help_is_not_in_it(
    truth: Truth, signal: Signal, *, stays: bool
) -> None:
    await ask(truth, 1)
    await reply(truth, 1)
    await truth.commit(a_work("m", feedback=Feedback(named("t", 1), signal)))
    assert bool(await names(truth)) is stays


async def test_of_models_only_what_was_marked_right_and_only_where_wanted(truth: Truth) -> None:
    for number, signal in ((1, "up"), (2, "down"), (3, "partial")):
        await answer(truth, number, signal)  # type: ignore[arg-type]
    [found] = await truth.bank.answers("site_a", ALL)
    assert found == Banked(
        *(named("t", 1), "When?", a_turn().reply, "model", LATER + 1, "en"), frozenset({"When?"})
    )
    assert await names(truth, replace(ALL, models=False)) == []


async def test_an_erase_takes_what_came_of_the_erased(truth: Truth) -> None:
    for number, scope in ((1, ANNA), (2, BEN)):
        await ask(truth, number, scope)
        await reply(truth, number)
    await answer(truth, 3, "up")
    await truth.subjects.erase(a_work("erase"))
    assert await names(truth) == [named("t", 2)]


async def test_what_an_operator_leaves_out_stays_out_whoever_it_becomes(truth: Truth) -> None:
    signed_in = Scope("site_a", "user:https://shop.example|anna")
    for number in (1, 2):
        await ask(truth, number)
        await reply(truth, number)
    await truth.bank.leave_out("site_a", named("t", 1), "dana")
    assert await names(truth) == [named("t", 2)]
    await truth.subjects.merge(ANNA, signed_in)
    assert await names(truth) == [named("t", 2)]
    for site, number in (("site_b", 2), ("site_a", 7)):
        with pytest.raises(NotFound):
            await truth.bank.leave_out(site, named("t", number), "dana")


async def test_it_goes_with_the_time_of_what_it_rests_on(truth: Truth) -> None:
    await ask(truth, 1)
    await reply(truth, 1)
    await truth.subjects.expire({"trajectories": NOON + 50}, 9)
    assert await names(truth) == []
