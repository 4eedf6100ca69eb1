"""What every store of truth keeps of what follows an escalation, and of a target's threads."""

from __future__ import annotations

import pytest

from core.errors import Conflict, NotFound
from core.messages import DeliveryState
from core.ports import Thread
from core.truth import LeasedDelivery, Threaded, Truth
from tests.congruence.samples import (
    HOOK,
    NOON,
    PAGER,
    a_reply,
    a_request,
    a_work,
    an_attempt,
    named,
    opened,
)

CHAT = ("team", "slack")
OTHER_CHAT = ("night", "slack")
E1, E2 = named("e", 1), named("e", 2)
THREAD = Thread("T1", "C1", "1790000000.000100")

Told = tuple[str, str, str, float | None]


async def escalate(truth: Truth, number: int, *targets: tuple[str, str]) -> None:
    request = a_request(number, number)
    made = opened(number, request, by_gateway=False, targets=targets)
    await truth.commit(a_work(f"k{number}", escalation=made))


async def lease(truth: Truth, at: float = NOON) -> list[LeasedDelivery]:
    return await truth.lease_deliveries(at, at + 20, 10)


async def finish(
    truth: Truth, state: DeliveryState = "delivered", at: float = NOON, **more: Thread
) -> list[LeasedDelivery]:
    """Lease what is due and end all of it in this state."""
    leased = await lease(truth, at)
    for one in leased:
        next_at = at + 300 if state == "pending" else None
        await truth.finish_delivery(one.id, an_attempt(state), state, next_at, **more)
    return leased


def said(leased: list[LeasedDelivery]) -> list[tuple[str, str, str]]:
    return [(one.target, one.action, one.about) for one in leased]


async def shown(truth: Truth, number: int = 1) -> list[tuple[str, str, str]]:
    found = await truth.escalation(named("e", number))
    return [(one.target, one.action, one.state) for one in found.deliveries]


async def test_a_thread_gets_each_reply_an_incident_its_end_and_a_webhook_neither(
    truth: Truth,
) -> None:
    await escalate(truth, 1, HOOK, CHAT, PAGER)
    await finish(truth)
    await truth.reply(a_reply(1, 1), resolve=False, at=NOON)
    await truth.reply(a_reply(2, 1), resolve=True, at=NOON)
    assert sorted(said(await finish(truth))) == [
        ("pager", "resolve", ""),
        ("team", "reply", named("m", 1)),
        ("team", "reply", named("m", 2)),
        ("team", "resolve", ""),
    ]
    assert await truth.next_due() is None


async def test_the_target_where_a_reply_was_written_does_not_hear_it_again(truth: Truth) -> None:
    await escalate(truth, 1, CHAT, OTHER_CHAT, PAGER)
    await finish(truth)
    await truth.reply(a_reply(1, 1), resolve=False, at=NOON, via="team")
    assert sorted(said(await finish(truth))) == [
        ("night", "reply", named("m", 1)),
        ("pager", "resolve", named("m", 1)),
    ]


async def test_what_nobody_took_is_not_followed(truth: Truth) -> None:
    await escalate(truth, 1, PAGER, CHAT)
    await truth.resolve(E1, NOON)
    assert await shown(truth) == [("pager", "open", "skipped"), ("team", "open", "skipped")]
    assert await truth.next_due() is None


async def test_an_incident_is_not_closed_before_it_was_opened(truth: Truth) -> None:
    await escalate(truth, 1, PAGER)
    await finish(truth, "pending")
    await truth.reply(a_reply(1, 1), resolve=False, at=NOON + 1)
    assert await shown(truth) == [("pager", "open", "pending")]
    assert said(await finish(truth, at=NOON + 300)) == [("pager", "open", "")]
    assert said(await lease(truth, NOON + 301)) == [("pager", "resolve", named("m", 1))]


async def test_a_try_whose_answer_was_lost_is_closed_too(truth: Truth) -> None:
    await escalate(truth, 1, PAGER)
    await finish(truth, "pending")
    await truth.resolve(E1, NOON + 1)
    assert said(await lease(truth, NOON + 1)) == [("pager", "resolve", "")]


async def test_a_try_that_is_under_way_ends_before_the_incident_does(truth: Truth) -> None:
    await escalate(truth, 1, PAGER)
    (trying,) = await lease(truth)
    await truth.resolve(E1, NOON + 1)
    assert await lease(truth, NOON + 19) == []
    await truth.finish_delivery(trying.id, an_attempt(), "delivered", None)
    assert said(await lease(truth, NOON + 2)) == [("pager", "resolve", "")]


async def test_a_worker_that_died_while_trying_leaves_the_end_to_be_told(truth: Truth) -> None:
    await escalate(truth, 1, PAGER)
    await lease(truth)
    await truth.resolve(E1, NOON + 1)
    assert said(await lease(truth, NOON + 20)) == [("pager", "resolve", "")]


async def test_a_worker_that_died_long_ago_leaves_the_end_to_be_told_too(truth: Truth) -> None:
    await escalate(truth, 1, PAGER)
    await lease(truth)
    await truth.resolve(E1, NOON + 3600)
    assert said(await lease(truth, NOON + 3600)) == [("pager", "resolve", "")]


async def test_what_was_opened_again_is_closed_again(truth: Truth) -> None:
    await escalate(truth, 1, PAGER)
    await finish(truth, "pending")
    await truth.resolve(E1, NOON + 1)
    await finish(truth, at=NOON + 1)
    assert await truth.resend(E1, NOON + 2) == 1
    assert said(await finish(truth, at=NOON + 2)) == [("pager", "open", "")]
    assert said(await finish(truth, at=NOON + 2)) == [("pager", "resolve", "")]


async def test_the_end_is_told_once(truth: Truth) -> None:
    await escalate(truth, 1, PAGER)
    await finish(truth)
    for number in (1, 2):
        await truth.reply(a_reply(number, 1), resolve=True, at=NOON)
    await truth.resolve(E1, NOON)
    assert len(await finish(truth)) == 1
    assert await lease(truth) == []


async def test_a_resolution_skips_no_follow_up(truth: Truth) -> None:
    await escalate(truth, 1, CHAT)
    await finish(truth)
    await truth.reply(a_reply(1, 1), resolve=False, at=NOON)
    await truth.resolve(E1, NOON)
    assert len(await lease(truth)) == 2


async def test_a_follow_up_that_failed_does_not_change_the_status(truth: Truth) -> None:
    await escalate(truth, 1, CHAT)
    await finish(truth)
    await truth.reply(a_reply(1, 1), resolve=False, at=NOON)
    await finish(truth, "failed")
    assert (await truth.escalation(E1)).status == "delivered"
    assert await truth.resend(E1, NOON) == 1


async def test_a_thread_is_known_from_the_delivery_on(truth: Truth) -> None:
    await escalate(truth, 1, CHAT)
    assert await truth.threaded(THREAD) is None
    await finish(truth, thread=THREAD)
    assert await truth.threaded(THREAD) == Threaded(E1, "team")
    for other in (Thread("T2", "C1", THREAD.ts), Thread("T1", "C2", THREAD.ts)):
        assert await truth.threaded(other) is None
    await truth.reply(a_reply(1, 1), resolve=False, at=NOON)
    (leased,) = await lease(truth)
    assert leased.thread == THREAD


async def test_a_thread_stays_its_first_escalations(truth: Truth) -> None:
    await escalate(truth, 1, CHAT)
    await finish(truth, thread=THREAD)
    await escalate(truth, 2, CHAT)
    await finish(truth, thread=THREAD)
    assert await truth.threaded(THREAD) == Threaded(E1, "team")


async def test_of_two_threads_the_newer_goes_on_and_both_are_known(truth: Truth) -> None:
    later = Thread("T1", "C1", "1790000020.000100")
    await escalate(truth, 1, CHAT)
    (first,) = await lease(truth)
    (second,) = await lease(truth, NOON + 20)
    await truth.finish_delivery(first.id, an_attempt(), "delivered", None, thread=THREAD)
    await truth.finish_delivery(second.id, an_attempt(), "delivered", None, thread=later)
    await truth.resolve(E1, NOON + 21)
    (told,) = await lease(truth, NOON + 40)
    assert told.thread == later
    assert await truth.threaded(THREAD) == await truth.threaded(later) == Threaded(E1, "team")


async def test_a_delivery_that_is_put_off_is_untried_and_due_later(truth: Truth) -> None:
    await escalate(truth, 1, CHAT)
    (leased,) = await lease(truth)
    await truth.put_off_delivery(leased.id, NOON + 7)
    assert await truth.next_due() == NOON + 7
    (again,) = await lease(truth, NOON + 7)
    assert (again.id, again.attempts) == (leased.id, 0)
    (delivery,) = (await truth.escalation(E1)).deliveries
    assert delivery.attempts == ()


async def test_what_was_resolved_meanwhile_is_not_put_off(truth: Truth) -> None:
    await escalate(truth, 1, HOOK)
    (leased,) = await lease(truth)
    await truth.resolve(E1, NOON)
    await truth.put_off_delivery(leased.id, NOON + 7)
    assert await truth.next_due() is None


async def test_an_unknown_delivery_is_not_put_off(truth: Truth) -> None:
    with pytest.raises(NotFound):
        await truth.put_off_delivery(99, NOON)


async def test_a_reply_that_comes_twice_is_stored_once_and_told_once(truth: Truth) -> None:
    await escalate(truth, 1, CHAT)
    await finish(truth)
    await truth.reply(a_reply(1, 1), resolve=False, at=NOON)
    with pytest.raises(Conflict):
        await truth.reply(a_reply(1, 1), resolve=False, at=NOON)
    assert len((await truth.escalation(E1)).replies) == 1
    assert len(await lease(truth)) == 1


async def test_what_was_given_up_is_found_and_alone_made_due_again(truth: Truth) -> None:
    await escalate(truth, 1, HOOK, PAGER)
    await escalate(truth, 2, HOOK)
    hook, pager, other = await lease(truth)
    await truth.finish_delivery(hook.id, an_attempt(), "failed", None)
    await truth.finish_delivery(pager.id, an_attempt(), "pending", NOON + 300)
    await truth.finish_delivery(other.id, an_attempt(), "delivered", None)
    assert [one.id for one in await truth.dead_letters(10)] == [E1]
    assert await truth.resend(E1, NOON + 1, dead_only=True) == 1
    assert said(await lease(truth, NOON + 1)) == [("hook", "open", "")]
    assert await truth.dead_letters(10) == []
    assert await truth.resend(E2, NOON + 1, dead_only=True) == 0


async def test_of_a_resolved_escalation_only_what_follows_it_is_still_wanted(truth: Truth) -> None:
    await escalate(truth, 1, HOOK, PAGER)
    hook, pager = await lease(truth)
    await truth.finish_delivery(hook.id, an_attempt(), "disabled", None)
    await truth.finish_delivery(pager.id, an_attempt(), "delivered", None)
    assert [one.id for one in await truth.dead_letters(10)] == [E1]
    await truth.resolve(E1, NOON)
    assert await truth.dead_letters(10) == []
    await finish(truth, "failed")
    assert [one.id for one in await truth.dead_letters(10)] == [E1]
    assert await truth.resend(E1, NOON, dead_only=True) == 1
    assert said(await lease(truth)) == [("pager", "resolve", "")]


async def test_the_newest_of_what_was_given_up_come_first(truth: Truth) -> None:
    for number in (1, 2, 3):
        await escalate(truth, number, HOOK)
    await finish(truth, "failed")
    found = [one.id for one in await truth.dead_letters(2)]
    assert found == [named("e", 3), named("e", 2)]


async def test_nothing_unknown_is_made_due_again(truth: Truth) -> None:
    with pytest.raises(NotFound):
        await truth.resend(E1, NOON, dead_only=True)


async def test_a_thread_that_was_lost_sight_of_is_kept(truth: Truth) -> None:
    await escalate(truth, 1, CHAT)
    await finish(truth)
    await truth.keep_thread(THREAD, Threaded(E1, "team"))
    assert await truth.threaded(THREAD) == Threaded(E1, "team")
    await escalate(truth, 2, CHAT)
    await truth.keep_thread(THREAD, Threaded(E2, "team"))
    assert await truth.threaded(THREAD) == Threaded(E1, "team")
    with pytest.raises(NotFound):
        await truth.keep_thread(Thread("T1", "C1", "1.1"), Threaded(named("e", 9), "team"))


@pytest.mark.parametrize("later_first", [False, True])
async def test_of_two_threads_of_one_moment_the_one_with_the_later_ts_is_told(
    truth: Truth, later_first: bool
) -> None:
    await escalate(truth, 1, CHAT)
    await finish(truth)
    later = Thread("T1", "C1", "1790000000.000200")
    for thread in (later, THREAD) if later_first else (THREAD, later):
        await truth.keep_thread(thread, Threaded(E1, "team"))
    await truth.reply(a_reply(1, 1), resolve=False, at=NOON)
    assert [one.thread for one in await lease(truth)] == [later]
