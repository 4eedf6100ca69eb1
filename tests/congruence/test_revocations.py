"""What every store keeps of sessions that were ended."""

from core.revocation import REVOCATION_KEPT_S
from core.scope import Scope
from core.truth import Truth
from tests.congruence.samples import ANNA, ANNA_ELSEWHERE, BEN, NOON, StandingClock

BOTH = Scope("site_a", "user:https://shop.example|anna")


async def test_an_ended_session_is_ended_and_others_are_not(truth: Truth) -> None:
    await truth.revocations.end_session("s1", NOON)
    assert await truth.revocations.ended(ANNA, "s1", NOON - 9)
    assert not await truth.revocations.ended(ANNA, "s2", NOON - 9)


async def test_ending_a_session_again_is_nothing(truth: Truth) -> None:
    for at in (NOON, NOON + 5):
        await truth.revocations.end_session("s1", at)
    assert await truth.revocations.ended(ANNA, "s1", NOON)


async def test_a_visitors_sessions_until_then_are_ended_and_later_ones_are_not(
    truth: Truth,
) -> None:
    await truth.revocations.end_subject(ANNA, NOON)
    assert await truth.revocations.ended(ANNA, "s1", NOON)
    assert await truth.revocations.ended(ANNA, "s2", NOON - 3600)
    assert not await truth.revocations.ended(ANNA, "s3", NOON + 1)


async def test_nobody_elses_sessions_are_ended(truth: Truth) -> None:
    await truth.revocations.end_subject(ANNA, NOON)
    for scope in (BEN, ANNA_ELSEWHERE, BOTH):
        assert not await truth.revocations.ended(scope, "s1", NOON)


async def test_an_earlier_end_takes_nothing_back(truth: Truth) -> None:
    await truth.revocations.end_subject(ANNA, NOON)
    await truth.revocations.end_subject(ANNA, NOON - 60)
    assert await truth.revocations.ended(ANNA, "s1", NOON)


async def test_an_end_holds_for_as_long_as_a_session_can_last(
    truth: Truth, clock: StandingClock
) -> None:
    await truth.revocations.end_session("s1", NOON)
    await truth.revocations.end_subject(ANNA, NOON)
    clock.now += REVOCATION_KEPT_S - 1
    await truth.revocations.end_session("s9", clock.now)
    assert await truth.revocations.ended(BEN, "s1", NOON)
    assert await truth.revocations.ended(ANNA, "s2", NOON)
