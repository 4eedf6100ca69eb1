"""What every store keeps of a conversation that escalates again while a case of it is open."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from core.encoding import timestamp
from core.errors import NotFound
from core.messages import Consent, DeliveryState
from core.scope import Scope
from core.truth import Committed, Truth
from gateway.adapters.semantics import COMPLETION_S
from tests.congruence.samples import (
    ANNA,
    BEN,
    HOOK,
    NOON,
    PAGER,
    a_reply,
    a_request,
    a_turn,
    a_work,
    an_attempt,
    by_browser,
    named,
    opened,
)

CHAT = ("team", "slack")
C1, E1, E2, E3 = named("c", 1), named("e", 1), named("e", 2), named("e", 3)
SIGNED_IN = Scope("site_a", "user:https://shop.example|anna")


async def escalate(
    truth: Truth,
    number: int,
    *targets: tuple[str, str],
    conversation: int = 1,
    at: float | None = None,
    by_gateway: bool = False,
) -> Committed:
    """Commit the escalation of the turn of that number, a second after the one before."""
    request = a_request(number, conversation, question=f"Question {number}?")
    made = opened(number, request, by_gateway=by_gateway, targets=targets)
    work = a_work(f"k{number}", at=NOON + number if at is None else at, escalation=made)
    committed = await truth.commit(work)
    assert committed is not None
    return committed


async def finish(
    truth: Truth, state: DeliveryState = "delivered", at: float = NOON + 60
) -> list[tuple[str, str, str]]:
    """Lease what is due and end all of it in this state; what it told."""
    leased = await truth.lease_deliveries(at, at + 20, 99)
    for one in leased:
        await truth.finish_delivery(one.id, an_attempt(state), state, None)
    return [(one.target, one.action, one.about) for one in leased]


async def ids(truth: Truth, status: str = "all", before: str | None = None) -> list[str]:
    found = await truth.escalations(status=status, before=before, limit=99)  # type: ignore[arg-type]
    return [one.id for one in found]


async def told(truth: Truth, scope: Scope = ANNA) -> list[tuple[str, str]]:
    """What the visitor hears: the turn, and an event's status or its name."""
    return [
        (str(event.data["turn_id"])[-1], str(event.data.get("status", event.name)))
        for event in await truth.events(scope, C1, 0)
    ]


async def test_a_later_turn_is_added_to_the_open_case_and_keeps_an_id_of_its_own(
    truth: Truth,
) -> None:
    assert await escalate(truth, 1, HOOK, PAGER, CHAT) == Committed(E1, "queued")
    await finish(truth)
    assert await escalate(truth, 2, HOOK, PAGER, CHAT) == Committed(E2, "delivered")
    assert await ids(truth) == [E1]
    case = await truth.escalation(E1)
    assert [(one.id, one.turn_id, one.question) for one in case.added] == [
        (E2, named("t", 2), "Question 2?")
    ]
    assert case.newest_turn_id == named("t", 2)
    assert await truth.escalation(E2) == case
    opened_to = [one.target for one in case.deliveries if one.action == "open"]
    assert opened_to == ["hook", "pager", "team"]


async def test_a_thread_a_webhook_and_an_incident_are_told_of_it(truth: Truth) -> None:
    await escalate(truth, 1, HOOK, PAGER, CHAT)
    await finish(truth)
    await escalate(truth, 2, HOOK, PAGER, CHAT)
    assert sorted(await finish(truth)) == [
        ("hook", "added", E2),
        ("pager", "added", E2),
        ("team", "added", E2),
    ]
    assert await truth.next_due() is None


async def test_an_incident_is_told_the_last_word_alone(truth: Truth) -> None:
    await escalate(truth, 1, PAGER)
    await finish(truth)
    reply = a_reply(1, 1)
    await truth.reply(reply, resolve=False, at=NOON + 2)
    await escalate(truth, 3, PAGER)
    # The answer has not been told yet, and there is another question now: it stays open.
    assert await finish(truth) == [("pager", "added", E3)]
    await escalate(truth, 4, PAGER)
    await truth.reply(a_reply(2, 1), resolve=True, at=NOON + 62)
    assert await finish(truth, at=NOON + 90) == [("pager", "resolve", "")]
    assert await truth.resend(E1, NOON + 100) == 0
    assert await truth.next_due() is None


async def test_what_was_under_way_has_its_effect_first(truth: Truth) -> None:
    await escalate(truth, 1, PAGER)
    await finish(truth)
    await escalate(truth, 2, PAGER)
    (asked,) = await truth.lease_deliveries(NOON + 10, NOON + 30, 9)
    await truth.reply(a_reply(1, 1), resolve=False, at=NOON + 11)
    assert await truth.lease_deliveries(NOON + 29, NOON + 49, 9) == []
    await truth.finish_delivery(asked.id, an_attempt("timeout"), "pending", NOON + 40)
    (answered,) = await truth.lease_deliveries(NOON + 50, NOON + 70, 9)
    assert (answered.action, answered.about) == ("resolve", a_reply(1, 1).id)


async def test_other_conversations_and_other_visitors_have_cases_of_their_own(
    truth: Truth,
) -> None:
    await escalate(truth, 1)
    await escalate(truth, 2, conversation=2)
    other = opened(3, a_request(3, 3))
    await truth.commit(a_work("k", scope=BEN, at=NOON + 3, escalation=other))
    assert await ids(truth) == [E3, E2, E1]


@pytest.mark.parametrize("by_reply", [True, False], ids=["by a reply", "by itself"])
async def test_after_it_is_resolved_a_new_case_opens(truth: Truth, by_reply: bool) -> None:
    await escalate(truth, 1, HOOK)
    await finish(truth)
    await escalate(truth, 2, HOOK)
    await finish(truth)
    if by_reply:
        await truth.reply(a_reply(1, 1), resolve=True, at=NOON + 70)
    else:
        await truth.resolve(E1, NOON + 70)
    assert await escalate(truth, 3, HOOK) == Committed(E3, "queued")
    assert await ids(truth, "open") == [E3]
    assert await finish(truth) == [("hook", "open", "")]
    assert await escalate(truth, 4, HOOK) == Committed(named("e", 4), "delivered")
    assert [one.id for one in (await truth.escalation(E3)).added] == [named("e", 4)]
    assert [one.id for one in (await truth.escalation(E1)).added] == [E2]


async def test_a_reply_alone_leaves_the_case_open(truth: Truth) -> None:
    await escalate(truth, 1)
    await truth.reply(a_reply(1, 1), resolve=False, at=NOON + 2)
    await escalate(truth, 3)
    assert await ids(truth) == [E1]


async def test_a_reply_answers_the_newest_turn_and_earlier_ones_keep_theirs(truth: Truth) -> None:
    await escalate(truth, 1)
    await truth.reply(a_reply(1, 1), resolve=False, at=NOON + 1.5)
    await escalate(truth, 2)
    await truth.reply(a_reply(2, 2), resolve=False, at=NOON + 2.5)
    case = await truth.escalation(E1)
    assert [(one.escalation_id, one.turn_id) for one in case.replies] == [
        (E1, named("t", 1)),
        (E1, named("t", 2)),
    ]
    assert [one for one in await told(truth) if one[1] == "human_reply"] == [
        ("1", "human_reply"),
        ("2", "human_reply"),
    ]


async def test_the_visitor_hears_of_every_turn_how_the_case_stands(truth: Truth) -> None:
    await escalate(truth, 1, HOOK)
    await escalate(truth, 2, HOOK)
    await finish(truth)
    await escalate(truth, 3, HOOK)
    assert await truth.open_escalations(ANNA, C1) == 3
    await truth.resolve(E2, NOON + 70)
    assert await told(truth) == [
        *(("1", "queued"), ("2", "queued"), ("1", "delivered"), ("2", "delivered")),
        *(("3", "delivered"), ("1", "resolved"), ("2", "resolved"), ("3", "resolved")),
    ]
    assert await truth.open_escalations(ANNA, C1) == 0


async def test_what_was_added_before_a_target_took_the_case_is_told_once_it_has(
    truth: Truth,
) -> None:
    await escalate(truth, 1, CHAT)
    await escalate(truth, 2, CHAT)
    await truth.reply(a_reply(1, 1), resolve=False, at=NOON + 2.5)
    await escalate(truth, 3, CHAT)
    assert await finish(truth) == [("team", "open", "")]
    assert await finish(truth) == [
        ("team", "added", E2),
        ("team", "reply", named("m", 1)),
        ("team", "added", E3),
    ]
    assert await finish(truth) == []


async def test_what_nobody_took_is_tried_again_when_the_visitor_asks_again(truth: Truth) -> None:
    await escalate(truth, 1, HOOK, PAGER)
    await finish(truth, "failed")
    assert (await truth.escalation(E1)).status == "failed"
    assert await escalate(truth, 2, HOOK, PAGER) == Committed(E2, "queued")
    assert await finish(truth) == [("hook", "open", ""), ("pager", "open", "")]
    assert await finish(truth) == [("hook", "added", E2), ("pager", "added", E2)]


class TestCompletion:
    """The browser completes what the gateway added, as it does what the gateway opened."""

    async def test_it_makes_what_tells_of_its_own_turn_due_and_nothing_else(
        self, truth: Truth
    ) -> None:
        await escalate(truth, 1, CHAT)
        await finish(truth)
        for number, at in ((2, NOON + 70), (3, NOON + 71)):
            turn, request = a_turn(number, 1), a_request(number, 1)
            made = opened(number, request, targets=(CHAT,))
            await truth.commit(a_work(f"k{number}", at=at, turn=turn, escalation=made))
        assert await truth.next_due() == NOON + 70 + COMPLETION_S
        later = opened(9, by_browser(3, 1), by_gateway=False, targets=(CHAT,))
        committed = await truth.commit(a_work("k9", at=NOON + 71.5, escalation=later))
        assert committed == Committed(E3, "delivered")
        assert await finish(truth, at=NOON + 71.5) == [("team", "added", E3)]
        assert await truth.next_due() == NOON + 70 + COMPLETION_S
        [_, added] = (await truth.escalation(E1)).added
        assert (added.fallback_text, added.provenance) == ("A person will answer here.", "server")
        assert added.tail == by_browser().conversation_tail

    async def test_an_answer_to_an_earlier_turn_leaves_a_later_one_open_to_it(
        self, truth: Truth
    ) -> None:
        await escalate(truth, 1)
        await truth.reply(a_reply(1, 1), resolve=False, at=NOON + 1.5)
        await escalate(truth, 2)
        for number in (1, 2):
            later = opened(9, by_browser(number, 1), by_gateway=False)
            await truth.commit(a_work(f"b{number}", at=NOON + 3, escalation=later))
        case = await truth.escalation(E1)
        assert case.fallback_text == ""
        assert case.added[0].fallback_text == "A person will answer here."
        await truth.reply(a_reply(2, 1), resolve=False, at=NOON + 4)
        last = by_browser(2, 1, fallback_text="Too late.")
        await truth.commit(a_work("late", at=NOON + 5, escalation=opened(9, last)))
        assert await truth.escalation(E1) == (await truth.escalation(E2))
        assert (await truth.escalation(E1)).added == case.added

    async def test_the_newest_contact_is_the_cases(self, truth: Truth) -> None:
        await escalate(truth, 1)
        made = opened(2, a_request(2, 1, contact="b@example.com"), by_gateway=False)
        await truth.commit(a_work("k2", at=NOON + 2, escalation=made))
        await escalate(truth, 3)
        assert (await truth.escalation(E1)).contact == "b@example.com"


class TestOperators:
    async def test_lists_hold_cases_only_and_go_on_from_cases_only(self, truth: Truth) -> None:
        await escalate(truth, 1, conversation=1)
        await escalate(truth, 2, conversation=2)
        await escalate(truth, 3, conversation=1)
        await escalate(truth, 4, conversation=4)
        assert await ids(truth) == [named("e", 4), E2, E1]
        assert await ids(truth, before=E2) == [E1]
        assert await ids(truth, before=E3) == []
        assert await ids(truth, "open", before=E3) == []

    async def test_what_is_done_by_an_added_turns_id_is_done_to_its_case(
        self, truth: Truth
    ) -> None:
        await escalate(truth, 1, HOOK)
        await escalate(truth, 2, HOOK)
        await finish(truth, "failed")
        assert [one.id for one in await truth.dead_letters(9)] == [E1]
        assert await truth.resend(E2, NOON + 61) == 1
        await truth.resolve(E2, NOON + 62)
        assert (await truth.escalation(E1)).status == "resolved"

    async def test_what_a_target_did_not_take_of_a_later_turn_is_a_dead_letter(
        self, truth: Truth
    ) -> None:
        await escalate(truth, 1, HOOK)
        await finish(truth)
        await escalate(truth, 2, HOOK)
        await finish(truth, "failed")
        [dead] = await truth.dead_letters(9)
        assert (dead.id, dead.status) == (E1, "delivered")

    async def test_what_a_site_missed_counts_every_turn(self, truth: Truth) -> None:
        for number in (1, 2):
            await escalate(truth, number)
        missed = await truth.knowledge.missed("site_a", NOON, 9)
        assert [one.question for one in missed] == ["Question 2?", "Question 1?"]


class TestRights:
    """What was added goes wherever its case goes."""

    async def test_an_export_has_it_within_its_case(self, truth: Truth) -> None:
        for number in (1, 2):
            await escalate(truth, number)
        [held] = (await truth.subjects.export(ANNA, NOON)).escalations
        assert (held.id, [one.id for one in held.added]) == (E1, [E2])

    async def test_an_erase_takes_both_and_the_next_turn_opens_a_case(self, truth: Truth) -> None:
        await escalate(truth, 1, HOOK)
        await finish(truth)
        await escalate(truth, 2, HOOK)
        erased = await truth.subjects.erase(a_work("erase", at=NOON + 9))
        assert erased.escalations == 2
        for name in (E1, E2):
            with pytest.raises(NotFound):
                await truth.escalation(name)
        assert await truth.next_due() is None
        assert await escalate(truth, 3, HOOK) == Committed(E3, "queued")

    async def test_a_case_expires_with_what_was_added_and_by_its_own_time(
        self, truth: Truth
    ) -> None:
        await escalate(truth, 1, HOOK)
        await escalate(truth, 2, HOOK, at=NOON + 90)
        await escalate(truth, 3, HOOK, conversation=2, at=NOON + 90)
        assert await truth.subjects.expire({"escalations": NOON + 60}, 9) == {"escalations": 1}
        assert await ids(truth) == [E3]
        with pytest.raises(NotFound):
            await truth.escalation(E2)
        again = opened(5, a_request(5, 1), by_gateway=False)
        assert await truth.commit(a_work("k5", at=NOON + 99, escalation=again)) == Committed(
            named("e", 5), "queued"
        )

    async def test_a_merge_moves_both_and_the_case_stays_open(self, truth: Truth) -> None:
        await escalate(truth, 1)
        await escalate(truth, 2)
        await truth.subjects.merge(ANNA, SIGNED_IN)
        made = opened(3, a_request(3, 1), by_gateway=False)
        await truth.commit(a_work("k3", scope=SIGNED_IN, at=NOON + 3, escalation=made))
        [held] = (await truth.subjects.export(SIGNED_IN, NOON)).escalations
        assert [one.id for one in held.added] == [E2, E3]
        await truth.resolve(E1, NOON + 4)
        assert (await told(truth, SIGNED_IN))[-3:] == [
            (number, "resolved") for number in ("1", "2", "3")
        ]


@pytest.mark.parametrize("by_gateway", [True, False], ids=["gateway", "browser"])
async def test_many_turns_at_once_make_one_case(truth: Truth, by_gateway: bool) -> None:
    await asyncio.gather(
        *(
            escalate(truth, number, HOOK, CHAT, at=NOON, by_gateway=by_gateway)
            for number in range(1, 25)
        )
    )
    [case] = await truth.escalations(status="all", before=None, limit=99)
    assert len(case.added) == 23
    openings = [one.target for one in case.deliveries if one.action == "open"]
    assert openings == ["hook", "team"]


async def test_a_resolution_among_many_turns_leaves_one_open_case_or_none(truth: Truth) -> None:
    await escalate(truth, 1, HOOK)
    await asyncio.gather(
        *(escalate(truth, number, HOOK, at=NOON + 2) for number in range(2, 14)),
        truth.resolve(E1, NOON + 2),
        *(escalate(truth, number, HOOK, at=NOON + 2) for number in range(14, 26)),
    )
    found = await truth.escalations(status="all", before=None, limit=99)
    assert sum(1 + len(one.added) for one in found) == 25
    assert len([one for one in found if one.status != "resolved"]) <= 1


class TestContact:
    """A contact is left with consent, at any time until the case is resolved."""

    CONSENT = Consent("You may write to me.", timestamp(NOON + 61))

    async def leave(
        self, truth: Truth, key: str, contact: str = "a@example.com", turn: int = 1
    ) -> None:
        left = a_request(turn, 1, contact=contact, consent=self.CONSENT)
        made = opened(turn, left, by_gateway=False)
        await truth.commit(a_work(key, at=NOON + 61, escalation=made))

    async def test_it_is_kept_with_what_was_agreed_to_and_targets_hear_of_it(
        self, truth: Truth
    ) -> None:
        await escalate(truth, 1, HOOK, CHAT, PAGER)
        await finish(truth)
        await self.leave(truth, "left")
        case = await truth.escalation(E1)
        assert (case.contact, case.contact_consent) == ("a@example.com", self.CONSENT)
        assert case.question == "Question 1?"
        told = await finish(truth, at=NOON + 61)
        assert sorted(told) == [("hook", "contact", E1), ("team", "contact", E1)]
        await self.leave(truth, "again")
        assert await finish(truth, at=NOON + 62) == []

    async def test_another_one_takes_its_place_and_is_told_anew(self, truth: Truth) -> None:
        await escalate(truth, 1, CHAT)
        await finish(truth)
        await self.leave(truth, "left")
        await finish(truth, at=NOON + 61)
        await self.leave(truth, "other", "b@example.com")
        assert await finish(truth, at=NOON + 62) == [("team", "contact", E1)]
        assert (await truth.escalation(E1)).contact == "b@example.com"

    async def test_one_that_is_left_with_a_later_turn_is_the_cases(self, truth: Truth) -> None:
        await escalate(truth, 1, CHAT)
        await escalate(truth, 2, CHAT)
        await finish(truth)
        await finish(truth)
        await self.leave(truth, "left", turn=2)
        case = await truth.escalation(E1)
        assert (case.contact, case.contact_consent) == ("a@example.com", self.CONSENT)
        assert case.added[0].contact_consent == self.CONSENT
        assert await finish(truth, at=NOON + 61) == [("team", "contact", E2)]

    async def test_it_is_taken_after_a_reply_and_not_after_the_end(self, truth: Truth) -> None:
        await escalate(truth, 1, CHAT)
        await finish(truth)
        await truth.reply(a_reply(1, 1), resolve=False, at=NOON + 60)
        await self.leave(truth, "left")
        assert (await truth.escalation(E1)).contact == "a@example.com"
        await truth.resolve(E1, NOON + 62)
        await self.leave(truth, "late", "b@example.com")
        assert (await truth.escalation(E1)).contact == "a@example.com"

    @pytest.mark.parametrize(("began", "again"), [(NOON + 60, True), (NOON + 62, False)])
    async def test_one_that_is_left_during_a_try_is_told_once_that_has_ended(
        self, truth: Truth, began: float, again: bool
    ) -> None:
        await escalate(truth, 1, CHAT)
        [trying] = await truth.lease_deliveries(NOON + 60, NOON + 80, 9)
        await self.leave(truth, "left")
        attempt = replace(an_attempt(), at=timestamp(began))
        await truth.finish_delivery(trying.id, attempt, "delivered", None)
        assert await finish(truth, at=NOON + 80) == [("team", "contact", E1)] * again

    async def test_what_completes_a_turn_later_leaves_the_contact(self, truth: Truth) -> None:
        await escalate(truth, 1)
        await self.leave(truth, "left")
        judged = opened(1, a_request(1, 1))
        await truth.commit(a_work("judged", turn=a_turn(1, 1), escalation=judged))
        bare = opened(1, a_request(1, 1), by_gateway=False)
        await truth.commit(a_work("bare", escalation=bare))
        case = await truth.escalation(E1)
        assert (case.provenance, case.contact_consent) == ("server", self.CONSENT)
