"""What every store does when a case is closed or answered by whoever has not seen its last turn."""

from __future__ import annotations

import pytest

from core.truth import Committed, Truth
from tests.congruence.samples import (
    ANNA,
    HOOK,
    NOON,
    PAGER,
    a_reply,
    a_work,
    by_browser,
    named,
    opened,
)
from tests.congruence.test_cases import C1, CHAT, E1, E2, E3, escalate, finish, ids, told


async def two_turns(truth: Truth, *targets: tuple[str, str]) -> None:
    """A case that its targets took, and a turn that was added and that they have heard of."""
    await escalate(truth, 1, *targets)
    await finish(truth, at=NOON + 1)
    await escalate(truth, 2, *targets)
    await finish(truth, at=NOON + 2)


async def test_a_turn_that_was_not_seen_keeps_the_case_open(truth: Truth) -> None:
    await two_turns(truth, HOOK)
    assert not await truth.resolve(E1, NOON + 3, seen=1)
    case = await truth.escalation(E1)
    assert (case.status, case.newest_turn_id) == ("delivered", named("t", 2))
    assert await ids(truth, "open") == [E1]
    assert await truth.open_escalations(ANNA, C1) == 2
    assert ("2", "resolved") not in await told(truth)
    assert await escalate(truth, 3) == Committed(E3, "delivered"), "it is the conversation's still"


@pytest.mark.parametrize("seen", [2, 3, 99, None])
async def test_who_has_seen_all_of_it_resolves_it(truth: Truth, seen: int | None) -> None:
    await two_turns(truth, HOOK)
    assert await truth.resolve(E2, NOON + 3, seen=seen)
    assert (await truth.escalation(E1)).status == "resolved"
    assert (await told(truth))[-2:] == [("1", "resolved"), ("2", "resolved")]


async def test_what_is_resolved_stays_so_whatever_another_has_seen(truth: Truth) -> None:
    await two_turns(truth, PAGER)
    assert await truth.resolve(E1, NOON + 3)
    assert await finish(truth, at=NOON + 4) == [("pager", "resolve", "")]
    assert await truth.resolve(E1, NOON + 5, seen=1)
    assert await truth.reply(a_reply(1, 1), resolve=True, at=NOON + 6, seen=1)
    assert "added" not in [action for _, action, _ in await finish(truth, at=NOON + 7)]
    assert (await truth.escalation(E1)).status == "resolved"


async def test_a_reply_answers_what_was_seen_and_stands_before_what_was_not(truth: Truth) -> None:
    await two_turns(truth, HOOK)
    await truth.reply(a_reply(1, 1, "To both."), resolve=False, at=NOON + 3)
    await escalate(truth, 3, at=NOON + 4)
    assert not await truth.reply(a_reply(2, 1, "To two."), resolve=True, at=NOON + 5, seen=2)
    assert not await truth.reply(a_reply(3, 1, "To one."), resolve=False, at=NOON + 6, seen=1)
    case = await truth.escalation(E1)
    assert case.status == "delivered"
    assert [(one.content, one.turn_id) for one in case.replies] == [
        ("To one.", named("t", 1)),
        ("To both.", named("t", 2)),
        ("To two.", named("t", 2)),
    ]
    assert ("2", "human_reply") in await told(truth)
    assert await truth.reply(a_reply(4, 1, "To three."), resolve=True, at=NOON + 7, seen=3)
    assert (await truth.escalation(E1)).status == "resolved"


async def test_what_the_browser_knows_of_a_turn_that_nobody_saw_still_completes_it(
    truth: Truth,
) -> None:
    await two_turns(truth, HOOK)
    await truth.reply(a_reply(1, 1), resolve=False, at=NOON + 3, seen=1)
    later = opened(2, by_browser(2, 1), by_gateway=False)
    await truth.commit(a_work("later", at=NOON + 4, escalation=later))
    [turn] = (await truth.escalation(E1)).added
    assert turn.fallback_text == "A person will answer here."


async def test_an_incident_stays_open_for_what_was_not_seen(truth: Truth) -> None:
    await two_turns(truth, PAGER)
    await truth.reply(a_reply(1, 1), resolve=False, at=NOON + 3, seen=1)
    assert await finish(truth, at=NOON + 4) == []
    assert not await truth.resolve(E1, NOON + 5, seen=1)
    assert await finish(truth, at=NOON + 6) == []
    await truth.reply(a_reply(2, 1), resolve=False, at=NOON + 7, seen=2)
    assert await finish(truth, at=NOON + 8) == [("pager", "resolve", a_reply(2, 1).id)]


async def test_an_end_under_way_does_not_close_the_incident_of_what_was_not_seen(
    truth: Truth,
) -> None:
    """Answered, asked again, and answered by one who saw only the first."""
    await escalate(truth, 1, PAGER)
    await finish(truth, at=NOON + 1)
    await truth.reply(a_reply(1, 1), resolve=False, at=NOON + 1.5)
    await escalate(truth, 2)
    await truth.reply(a_reply(2, 1), resolve=False, at=NOON + 3, seen=1)
    assert await finish(truth, at=NOON + 4) == [("pager", "added", E2)]


async def test_a_target_that_takes_it_late_hears_that_the_last_turn_waits(truth: Truth) -> None:
    await escalate(truth, 1, PAGER)
    await escalate(truth, 2)
    await truth.reply(a_reply(1, 1), resolve=False, at=NOON + 3, seen=1)
    assert await finish(truth, at=NOON + 4) == [("pager", "open", "")]
    assert await finish(truth, at=NOON + 60) == [("pager", "added", E2)]


async def test_the_target_where_it_was_closed_is_told_why_it_is_not_and_again(
    truth: Truth,
) -> None:
    await two_turns(truth, CHAT, ("other", "slack"), PAGER, HOOK)
    for at in (NOON + 3, NOON + 5):
        assert not await truth.resolve(E1, at, via="team", seen=1)
        assert await finish(truth, at=at + 1) == [("team", "unseen", E2)]
    assert not await truth.resolve(E1, NOON + 7, seen=1)
    assert await finish(truth, at=NOON + 8) == []
    assert await truth.resolve(E1, NOON + 9, via="team", seen=2)
