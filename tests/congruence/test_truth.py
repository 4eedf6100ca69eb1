"""What every store of truth does."""

import asyncio
from dataclasses import replace

import pytest

from core.encoding import timestamp
from core.errors import Conflict, Exists, NotFound
from core.messages import Attempt, DeliveryState, EscalationStatus, Turn
from core.receipts import chain_hash
from core.scope import Scope
from core.truth import FINISHED_KEPT_S, Committed, Truth
from gateway.adapters.semantics import COMPLETION_S
from gateway.adapters.sql import outcomes
from gateway.adapters.sql.truth import SqlTruth
from tests.congruence.samples import (
    ANNA,
    ANNA_ELSEWHERE,
    BEN,
    HOOK,
    NOON,
    PAGER,
    StandingClock,
    a_link,
    a_reply,
    a_request,
    a_turn,
    a_work,
    an_attempt,
    by_browser,
    named,
    opened,
)

DAY = 24 * 3600.0
C1, T1, E1, E2 = named("c", 1), named("t", 1), named("e", 1), named("e", 2)


async def escalate(
    truth: Truth, number: int = 1, *, targets: tuple[tuple[str, str], ...] = (HOOK,)
) -> str:
    """Commit an escalation of the turn and conversation of that number; its id."""
    request = a_request(number, number)
    escalation = opened(number, request, by_gateway=False, targets=targets)
    work = a_work(f"k{number}", escalation=escalation)
    committed = await truth.commit(work)
    assert committed is not None
    assert committed.status == "queued"
    return committed.id


async def deliver(truth: Truth, *states: DeliveryState, next_at: float = NOON) -> EscalationStatus:
    """Lease everything that is due and finish it with these states; the last status."""
    leased = await truth.lease_deliveries(NOON, NOON + 60, 10)
    assert len(leased) == len(states)
    status: EscalationStatus = "queued"
    for one, state in zip(leased, states, strict=True):
        status = await truth.finish_delivery(one.id, an_attempt(state), state, next_at)
    return status


async def told(truth: Truth, conversation: int = 1) -> list[str]:
    """What the visitor hears: an event's status, or its name."""
    found = await truth.events(ANNA, named("c", conversation), 0)
    return [str(event.data.get("status", event.name)) for event in found]


async def test_a_fresh_store_answers_and_has_nothing(truth: Truth) -> None:
    await truth.ping()
    assert await truth.finished(ANNA, "k", 0) is None
    assert await truth.receipt_head("s_1") is None
    assert await truth.turn(ANNA, T1) is None
    assert await truth.conversation_owned(ANNA, C1)
    assert await truth.events(ANNA, C1, 0) == []
    assert await truth.open_escalations(ANNA, C1) == 0
    assert await truth.escalations(status="all", before=None, limit=50) == []
    assert await truth.lease_deliveries(NOON, NOON + 60, 10) == []
    assert await truth.next_due() is None


class TestIdempotency:
    async def test_a_finished_call_is_given_again_to_its_scope_alone(self, truth: Truth) -> None:
        work = a_work("k", link=a_link("r1"))
        assert await truth.commit(work) is None
        assert await truth.finished(ANNA, "k", NOON - DAY) == work.finished
        assert await truth.finished(ANNA, "other", NOON - DAY) is None
        assert await truth.finished(BEN, "k", NOON - DAY) is None
        assert await truth.finished(ANNA_ELSEWHERE, "k", NOON - DAY) is None

    async def test_what_finished_before_since_is_absent(self, truth: Truth) -> None:
        await truth.commit(a_work("k"))
        assert await truth.finished(ANNA, "k", NOON) is not None
        assert await truth.finished(ANNA, "k", NOON + 1) is None

    async def test_a_key_finishes_once_and_the_loser_leaves_nothing(self, truth: Truth) -> None:
        await truth.commit(a_work("k"))
        late = a_work("k", turn=a_turn(), link=a_link("r1"), escalation=opened(1, a_request()))
        with pytest.raises(Conflict):
            await truth.commit(late)
        assert await truth.turn(ANNA, T1) is None
        assert await truth.receipt_head("s_1") is None
        assert await truth.escalations(status="all", before=None, limit=50) == []
        assert await truth.events(ANNA, C1, 0) == []
        assert await truth.conversation_owned(BEN, C1)

    async def test_scopes_use_the_same_key_apart(self, truth: Truth) -> None:
        for scope in (ANNA, BEN, ANNA_ELSEWHERE):
            await truth.commit(a_work("k", scope=scope))
            assert await truth.finished(scope, "k", NOON - DAY) is not None

    @pytest.mark.parametrize("after", [DAY + 0.5, DAY + 30, DAY + 3600, 3 * DAY])
    async def test_a_key_is_free_again_after_a_day(self, truth: Truth, after: float) -> None:
        await truth.commit(a_work("k"))
        # Whatever the store does now and then, it has just done.
        await truth.commit(a_work("other", at=NOON + after - 1))
        await truth.commit(a_work("k", at=NOON + after))
        assert await truth.finished(ANNA, "k", NOON + after) is not None

    async def test_what_is_given_again_is_not_free_yet(self, truth: Truth) -> None:
        await truth.commit(a_work("k"))
        with pytest.raises(Conflict):
            await truth.commit(a_work("k", at=NOON + DAY))
        assert await truth.finished(ANNA, "k", NOON) is not None


class TestTurns:
    @pytest.mark.parametrize(
        "turn",
        [
            a_turn(),
            a_turn(usage=None, model=None, citations=(), disclaimers=(), reasons=()),
            a_turn(reply="", reasoning="because", escalate=True, confidence=0.0, source="kb"),
            a_turn(reply="שלום 👋 'quoted' \"twice\" \\ \x00 %s :name ?\n"),
        ],
    )
    async def test_a_turn_comes_back_as_it_was(self, truth: Truth, turn: Turn) -> None:
        await truth.commit(a_work("k", turn=turn))
        assert await truth.turn(ANNA, T1) == turn

    async def test_another_scopes_turn_is_absent(self, truth: Truth) -> None:
        await truth.commit(a_work("k", turn=a_turn()))
        assert await truth.turn(BEN, T1) is None
        assert await truth.turn(ANNA_ELSEWHERE, T1) is None

    async def test_a_stored_turn_is_not_overwritten(self, truth: Truth) -> None:
        await truth.commit(a_work("k1", turn=a_turn()))
        with pytest.raises(Exists):
            await truth.commit(a_work("k2", turn=a_turn(reply="changed"), link=a_link("r")))
        assert await truth.turn(ANNA, T1) == a_turn()
        assert await truth.finished(ANNA, "k2", 0) is None
        assert await truth.receipt_head("s_1") is None

    async def test_a_turn_that_is_there_is_told_apart_from_what_may_be_tried_again(
        self, truth: Truth
    ) -> None:
        await truth.commit(a_work("k1", turn=a_turn(), link=a_link("r1")))
        for work in (
            a_work("k2", turn=a_turn(), link=a_link("r2")),
            a_work("k1", turn=a_turn(), link=a_link("r2", chain_hash("r1"))),
        ):
            with pytest.raises(Conflict) as caught:
                await truth.commit(work)
            assert type(caught.value) is Conflict
        work = a_work("k2", turn=a_turn(), link=a_link("r2", chain_hash("r1")))
        with pytest.raises(Exists):
            await truth.commit(work)

    async def test_a_turn_outlives_its_call(self, truth: Truth) -> None:
        await truth.commit(a_work("k", turn=a_turn()))
        with pytest.raises(Exists):
            await truth.commit(a_work("k", at=NOON + DAY + 1, turn=a_turn()))
        assert await truth.turn(ANNA, T1) == a_turn()

    @pytest.mark.parametrize("apart", [True, False], ids=["one by one", "at once"])
    async def test_a_turn_has_one_conversation(self, truth: Truth, apart: bool) -> None:
        first = a_work("k1", turn=a_turn(1, 1))
        later = [
            a_work("k2", turn=a_turn(1, 2)),
            a_work("k3", turn=a_turn(1, 2), escalation=opened(1, a_request(1, 2))),
            a_work("k4", escalation=opened(1, by_browser(1, 2), by_gateway=False)),
        ]
        if apart:
            begun: object = await truth.commit(first)
            outcomes = [
                (await asyncio.gather(truth.commit(one), return_exceptions=True))[0]
                for one in later
            ]
        else:
            begun, *outcomes = await asyncio.gather(
                *(truth.commit(one) for one in (first, *later)), return_exceptions=True
            )
        if isinstance(begun, NotFound):
            # Of calls at once on PostgreSQL nobody is the first: the other conversation won.
            assert NotFound not in [type(outcome) for outcome in outcomes]
            assert await truth.conversation_owned(BEN, named("c", 1))
            return
        assert begun is None
        assert [type(outcome) for outcome in outcomes] == [NotFound] * 3
        assert await truth.conversation_owned(BEN, named("c", 2))
        assert await truth.escalations(status="all", before=None, limit=50) == []

    async def test_an_escalated_turn_has_one_conversation(self, truth: Truth) -> None:
        await escalate(truth)
        for work in (
            a_work("k2", turn=a_turn(1, 2)),
            a_work("k3", escalation=opened(1, by_browser(1, 2), by_gateway=False)),
        ):
            with pytest.raises(NotFound):
                await truth.commit(work)
        assert await truth.conversation_owned(BEN, named("c", 2))
        assert await truth.turn(ANNA, T1) is None
        await truth.commit(a_work("k4", turn=a_turn(1, 1)))


class TestConversations:
    async def test_a_conversation_is_its_first_scopes(self, truth: Truth) -> None:
        await truth.commit(a_work("k1", turn=a_turn(1)))
        await truth.commit(a_work("k2", turn=a_turn(2)))
        assert await truth.conversation_owned(ANNA, C1)
        assert not await truth.conversation_owned(BEN, C1)
        assert not await truth.conversation_owned(ANNA_ELSEWHERE, C1)

    @pytest.mark.parametrize("stranger", [BEN, ANNA_ELSEWHERE])
    async def test_another_scope_cannot_write_into_it(self, truth: Truth, stranger: Scope) -> None:
        await truth.commit(a_work("k", turn=a_turn(1)))
        for work in (
            a_work("k", scope=stranger, turn=a_turn(2), link=a_link("r")),
            a_work("k", scope=stranger, escalation=opened(1, a_request(2))),
        ):
            with pytest.raises(NotFound):
                await truth.commit(work)
        assert await truth.finished(stranger, "k", 0) is None
        assert await truth.turn(stranger, named("t", 2)) is None
        assert await truth.receipt_head("s_1") is None
        assert await truth.escalations(status="all", before=None, limit=50) == []


class TestReceipts:
    async def test_the_head_moves_with_each_receipt(self, truth: Truth) -> None:
        await truth.commit(a_work("k1", link=a_link("r1")))
        assert await truth.receipt_head("s_1") == chain_hash("r1")
        await truth.commit(a_work("k2", link=a_link("r2", chain_hash("r1"))))
        assert await truth.receipt_head("s_1") == chain_hash("r2")
        assert await truth.receipt_head("s_2") is None

    @pytest.mark.parametrize("head", [None, "0" * 64])
    async def test_a_receipt_from_another_head_is_refused(
        self, truth: Truth, head: str | None
    ) -> None:
        await truth.commit(a_work("k1", link=a_link("r1")))
        with pytest.raises(Conflict):
            await truth.commit(a_work("k2", link=a_link("r2", head), turn=a_turn()))
        assert await truth.receipt_head("s_1") == chain_hash("r1")
        assert await truth.turn(ANNA, T1) is None
        assert await truth.finished(ANNA, "k2", 0) is None

    async def test_a_first_receipt_cannot_follow_another(self, truth: Truth) -> None:
        with pytest.raises(Conflict):
            await truth.commit(a_work("k", link=a_link("r2", chain_hash("r1"))))

    async def test_a_browser_that_shows_another_receipt_leaves_a_gap_and_is_served(
        self, truth: Truth
    ) -> None:
        await truth.commit(a_work("k1", link=a_link("r1")))
        h1, h2, h3 = chain_hash("r1"), chain_hash("r2"), chain_hash("r3")
        assert await truth.receipt_gaps("s_1") == 0
        await truth.commit(a_work("k2", link=a_link("r2", h1, presented=None)))
        await truth.commit(a_work("k3", link=a_link("r3", h2, presented=h1)))
        await truth.commit(a_work("k4", link=a_link("r4", h3)))
        assert await truth.receipt_gaps("s_1") == 2
        assert await truth.receipt_gaps("s_2") == 0


class TestOpening:
    async def test_an_escalation_is_committed_with_its_turn_deliveries_and_event(
        self, truth: Truth
    ) -> None:
        escalation = opened(1, a_request(), targets=(HOOK, PAGER))
        work = a_work("k", turn=a_turn(), escalation=escalation, link=a_link("r1"))
        assert await truth.commit(work) == Committed(E1, "queued")
        found = await truth.escalation(E1)
        assert (found.id, found.site, found.conversation_id, found.turn_id) == (
            E1,
            "site_a",
            C1,
            T1,
        )
        assert (found.question, found.reason, found.confidence) == (
            "¿Cuándo llega mi pedido?",
            "low_confidence",
            0.25,
        )
        assert (found.status, found.created_at, found.locale) == ("queued", timestamp(NOON), "es")
        assert found.provenance == "server"
        assert [(one.target, one.kind, one.state) for one in found.deliveries] == [
            ("hook", "webhook", "pending"),
            ("pager", "pagerduty", "pending"),
        ]
        due = timestamp(NOON + COMPLETION_S)
        assert [one.next_at for one in found.deliveries] == [due] * 2
        (event,) = await truth.events(ANNA, C1, 0)
        assert (event.name, event.data) == (
            "escalation_status",
            {"escalation_id": E1, "turn_id": T1, "status": "queued"},
        )
        assert await truth.turn(ANNA, T1) is not None

    async def test_a_browser_completes_what_the_gateway_opened(self, truth: Truth) -> None:
        await truth.commit(a_work("k1", turn=a_turn(), escalation=opened(1, a_request())))
        later = opened(2, by_browser(), by_gateway=False, targets=(HOOK, PAGER))
        assert await truth.commit(a_work("k2", escalation=later)) == Committed(E1, "queued")
        found = await truth.escalation(E1)
        assert found.fallback_text == "A person will answer here."
        assert found.tail == by_browser().conversation_tail
        assert found.contact == "a@example.com"
        assert (found.reason, found.confidence) == ("low_confidence", 0.25)
        assert found.question == "¿Cuándo llega mi pedido?"
        assert found.provenance == "server"
        assert [one.target for one in found.deliveries] == ["hook"]
        assert await told(truth) == ["queued"]
        with pytest.raises(NotFound):
            await truth.escalation(E2)

    async def test_what_a_later_request_leaves_out_is_kept(self, truth: Truth) -> None:
        first = opened(1, by_browser(), by_gateway=False)
        await truth.commit(a_work("k1", escalation=first))
        before = await truth.escalation(E1)
        bare = opened(2, a_request(), by_gateway=False)
        assert await truth.commit(a_work("k2", escalation=bare)) == Committed(E1, "queued")
        assert await truth.escalation(E1) == before
        assert before.provenance == "client"

    async def test_the_gateways_judgement_replaces_a_browsers_and_keeps_what_it_knew(
        self, truth: Truth
    ) -> None:
        await truth.commit(a_work("k1", escalation=opened(1, by_browser(), by_gateway=False)))
        before = await truth.escalation(E1)
        judged = opened(2, a_request(fallback_text="other", reason="empty", confidence=0.125))
        committed = await truth.commit(a_work("k2", turn=a_turn(), escalation=judged))
        assert committed == Committed(E1, "queued")
        found = await truth.escalation(E1)
        assert before.provenance == "client"
        assert found == replace(
            before,
            provenance="server",
            question="¿Cuándo llega mi pedido?",
            reason="empty",
            confidence=0.125,
        )

    async def test_the_gateways_judgement_fills_what_a_browser_left_out(self, truth: Truth) -> None:
        await truth.commit(a_work("k1", escalation=opened(1, a_request(), by_gateway=False)))
        tail = by_browser().conversation_tail
        judged = a_request(fallback_text="For now.", conversation_tail=tail)
        await truth.commit(a_work("k2", turn=a_turn(), escalation=opened(2, judged)))
        found = await truth.escalation(E1)
        assert (found.fallback_text, found.tail) == ("For now.", tail)

    async def test_the_gateway_judges_a_turn_once(self, truth: Truth) -> None:
        await truth.commit(a_work("k1", turn=a_turn(), escalation=opened(1, a_request())))
        before = await truth.escalation(E1)
        again = opened(2, a_request(question="another", reason="empty"))
        assert await truth.commit(a_work("k2", escalation=again)) == Committed(E1, "queued")
        assert await truth.escalation(E1) == before

    async def test_an_offline_turn_escalates_without_being_stored(self, truth: Truth) -> None:
        assert await escalate(truth) == E1
        assert await truth.turn(ANNA, T1) is None

    async def test_scopes_escalate_the_same_turn_id_apart(self, truth: Truth) -> None:
        for number, scope in enumerate((ANNA, BEN, ANNA_ELSEWHERE), start=1):
            request = a_request(1, conversation=number)
            work = a_work("k", scope=scope, escalation=opened(number, request))
            assert await truth.commit(work) == Committed(named("e", number), "queued")

    async def test_an_escalations_id_is_used_once(self, truth: Truth) -> None:
        await truth.commit(a_work("k1", escalation=opened(1, a_request(1))))
        with pytest.raises(Conflict):
            await truth.commit(a_work("k2", escalation=opened(1, a_request(2))))

    async def test_without_targets_it_waits_in_the_console(self, truth: Truth) -> None:
        await escalate(truth, targets=())
        found = await truth.escalation(E1)
        assert (found.status, found.deliveries) == ("queued", ())
        assert await truth.next_due() is None

    @pytest.mark.parametrize("by_gateway", [True, False], ids=["gateway", "browser"])
    @pytest.mark.parametrize("resolve", [True, False], ids=["resolved", "replied to"])
    async def test_what_a_person_has_answered_is_not_rewritten(
        self, truth: Truth, resolve: bool, by_gateway: bool
    ) -> None:
        await escalate(truth)
        await deliver(truth, "delivered")
        await truth.reply(a_reply(1, 1), resolve=resolve, at=NOON)
        before = await truth.escalation(E1)
        later = opened(2, by_browser(), by_gateway=by_gateway)
        committed = await truth.commit(a_work("k2", escalation=later))
        assert committed == Committed(E1, "resolved" if resolve else "delivered")
        assert await truth.escalation(E1) == before
        assert await truth.next_due() is None
        assert await escalate(truth, 3) == named("e", 3)

    async def test_a_later_request_is_told_that_nobody_could_be_reached(self, truth: Truth) -> None:
        await escalate(truth)
        await deliver(truth, "failed")
        later = opened(2, by_browser(), by_gateway=False)
        assert await truth.commit(a_work("k2", escalation=later)) == Committed(E1, "failed")


class TestFirstDelivery:
    """Targets hear at once of what a browser asks, and a moment later of what it may complete."""

    async def test_what_a_browser_opens_is_due_at_once(self, truth: Truth) -> None:
        await escalate(truth)
        assert await truth.next_due() == NOON

    async def test_what_the_gateway_opens_waits_a_moment_for_the_browser(
        self, truth: Truth
    ) -> None:
        await truth.commit(a_work("k1", turn=a_turn(), escalation=opened(1, a_request())))
        assert await truth.next_due() == NOON + COMPLETION_S
        assert await truth.lease_deliveries(NOON + 2.9, NOON + 60, 10) == []
        assert len(await truth.lease_deliveries(NOON + COMPLETION_S, NOON + 60, 10)) == 1

    @pytest.mark.parametrize("apart", [True, False], ids=["one by one", "at once"])
    async def test_the_browser_that_completes_it_makes_it_due(
        self, truth: Truth, apart: bool
    ) -> None:
        gateway = a_work("k1", turn=a_turn(), escalation=opened(1, a_request()))
        browser = a_work("k2", at=NOON + 1, escalation=opened(2, by_browser(), by_gateway=False))
        if apart:
            await truth.commit(gateway)
            await truth.commit(browser)
        else:
            await asyncio.gather(truth.commit(gateway), truth.commit(browser))
        assert await truth.next_due() == NOON + 1
        (leased,) = await truth.lease_deliveries(NOON + 1, NOON + 60, 10)
        assert leased.escalation.contact == "a@example.com"
        assert leased.escalation.fallback_text == "A person will answer here."

    async def test_one_that_was_tried_keeps_to_its_schedule(self, truth: Truth) -> None:
        await escalate(truth)
        await deliver(truth, "pending", next_at=NOON + 300)
        later = opened(2, by_browser(), by_gateway=False)
        await truth.commit(a_work("k2", at=NOON + 1, escalation=later))
        assert await truth.next_due() == NOON + 300


class TestOperators:
    async def test_the_list_is_newest_first_and_pages(self, truth: Truth) -> None:
        # Ids carry the time of a browser's clock, which decides nothing here.
        for number, at in ((2, NOON), (9, NOON - 5), (1, NOON + 5), (4, NOON + 5), (3, NOON)):
            request = a_request(number, number)
            await truth.commit(a_work(f"k{number}", at=at, escalation=opened(number, request)))
        page = await truth.escalations(status="all", before=None, limit=3)
        assert [one.id for one in page] == [named("e", number) for number in (4, 1, 3)]
        page = await truth.escalations(status="open", before=page[-1].id, limit=3)
        assert [one.id for one in page] == [named("e", number) for number in (2, 9)]
        assert await truth.escalations(status="all", before=named("e", 7), limit=3) == []

    async def test_the_list_keeps_open_and_resolved_apart(self, truth: Truth) -> None:
        for number in (1, 2, 3):
            await escalate(truth, number)
        await truth.resolve(E2, NOON)
        unresolved = await truth.escalations(status="open", before=None, limit=9)
        resolved = await truth.escalations(status="resolved", before=None, limit=9)
        assert [one.id for one in unresolved] == [named("e", 3), E1]
        assert [one.id for one in resolved] == [E2]
        assert await truth.escalations(status="resolved", before=E2, limit=9) == []

    async def test_a_reply_reaches_the_operator_and_the_visitor(self, truth: Truth) -> None:
        await escalate(truth)
        await truth.reply(a_reply(1, 1), resolve=False, at=NOON)
        await truth.reply(a_reply(2, 1, "Or today."), resolve=True, at=NOON + 5)
        found = await truth.escalation(E1)
        assert [reply.content for reply in found.replies] == ["Tomorrow.", "Or today."]
        assert found.replies[0] == a_reply(1, 1)
        assert found.status == "resolved"
        assert await told(truth) == ["queued", "human_reply", "human_reply", "resolved"]
        reply = (await truth.events(ANNA, C1, 0))[1]
        assert reply.data == {
            "escalation_id": E1,
            "turn_id": T1,
            "content": "Tomorrow.",
            "author": "operator",
            "created_at": timestamp(NOON),
        }

    async def test_a_reply_is_stored_once(self, truth: Truth) -> None:
        await escalate(truth)
        await truth.reply(a_reply(1, 1), resolve=False, at=NOON)
        with pytest.raises(Conflict):
            await truth.reply(a_reply(1, 1), resolve=True, at=NOON)
        assert await told(truth) == ["queued", "human_reply"]

    async def test_resolving_skips_what_is_pending(self, truth: Truth) -> None:
        await escalate(truth, targets=(HOOK, PAGER))
        leased = await truth.lease_deliveries(NOON, NOON + 60, 1)
        await truth.finish_delivery(leased[0].id, an_attempt(), "delivered", None)
        await truth.resolve(E1, NOON)
        assert await truth.next_due() is None
        assert await truth.lease_deliveries(NOON + DAY, NOON + 2 * DAY, 10) == []
        deliveries = (await truth.escalation(E1)).deliveries
        assert [(one.state, one.next_at) for one in deliveries] == [
            ("delivered", None),
            ("skipped", None),
        ]

    async def test_a_reply_that_resolves_skips_too(self, truth: Truth) -> None:
        await escalate(truth)
        await truth.reply(a_reply(1, 1), resolve=False, at=NOON)
        assert await truth.next_due() == NOON
        await truth.reply(a_reply(2, 1), resolve=True, at=NOON)
        assert await truth.next_due() is None

    @pytest.mark.parametrize(
        ("ended", "state"),
        [("pending", "skipped"), ("delivered", "delivered"), ("failed", "failed")],
    )
    async def test_a_try_under_way_when_it_was_resolved_is_the_last(
        self, truth: Truth, ended: DeliveryState, state: DeliveryState
    ) -> None:
        await escalate(truth)
        (leased,) = await truth.lease_deliveries(NOON, NOON + 60, 1)
        await truth.resolve(E1, NOON)
        await truth.finish_delivery(leased.id, an_attempt(ended), ended, NOON + 5)
        assert [one.state for one in (await truth.escalation(E1)).deliveries] == [state]
        assert await truth.next_due() is None

    async def test_what_was_resolved_can_be_sent_again(self, truth: Truth) -> None:
        await escalate(truth)
        await truth.resolve(E1, NOON)
        assert await truth.resend(E1, NOON + 30) == 1
        (leased,) = await truth.lease_deliveries(NOON + 30, NOON + 60, 10)
        await truth.finish_delivery(leased.id, an_attempt("timeout"), "pending", NOON + 35)
        assert await truth.next_due() == NOON + 35
        (leased,) = await truth.lease_deliveries(NOON + 35, NOON + 60, 10)
        assert await truth.finish_delivery(leased.id, an_attempt(), "delivered", None) == "resolved"

    async def test_resolving_again_is_the_same(self, truth: Truth) -> None:
        await escalate(truth)
        await truth.resolve(E1, NOON)
        await truth.resolve(E1, NOON + 1)
        assert await told(truth) == ["queued", "resolved"]

    async def test_an_unknown_escalation_is_refused(self, truth: Truth) -> None:
        for call in (
            truth.escalation(E1),
            truth.reply(a_reply(1, 1), resolve=True, at=NOON),
            truth.resolve(E1, NOON),
            truth.resend(E1, NOON),
        ):
            with pytest.raises(NotFound):
                await call

    async def test_open_escalations_are_counted_by_conversation_and_scope(
        self, truth: Truth
    ) -> None:
        await truth.commit(a_work("k1", escalation=opened(1, a_request(1))))
        await truth.commit(a_work("k2", escalation=opened(2, a_request(2))))
        await truth.commit(a_work("k3", escalation=opened(3, a_request(3, 2))))
        assert await truth.open_escalations(ANNA, C1) == 2
        assert await truth.open_escalations(BEN, C1) == 0
        await truth.resolve(E1, NOON)
        assert await truth.open_escalations(ANNA, C1) == 0
        assert await truth.open_escalations(ANNA, named("c", 2)) == 1


class TestOutbox:
    async def test_a_leased_delivery_is_nobody_elses_until_the_lease_ends(
        self, truth: Truth
    ) -> None:
        await escalate(truth)
        assert await truth.lease_deliveries(NOON - 1, NOON + 60, 10) == []
        (leased,) = await truth.lease_deliveries(NOON, NOON + 60, 10)
        assert (leased.target, leased.kind, leased.attempts) == ("hook", "webhook", 0)
        assert leased.escalation == await truth.escalation(E1)
        assert await truth.next_due() == NOON + 60
        assert await truth.lease_deliveries(NOON + 59, NOON + 120, 10) == []
        (again,) = await truth.lease_deliveries(NOON + 60, NOON + 120, 10)
        assert again.id == leased.id

    async def test_leases_take_the_oldest_first_and_no_more_than_asked(self, truth: Truth) -> None:
        for number in (1, 2, 3):
            work = a_work(
                f"k{number}",
                at=NOON - number,
                escalation=opened(number, a_request(number, number), by_gateway=False),
            )
            await truth.commit(work)
        taken = await truth.lease_deliveries(NOON, NOON + 60, 2)
        assert [one.escalation.id for one in taken] == [named("e", 3), E2]
        assert await truth.next_due() == NOON - 1

    async def test_targets_that_are_left_out_neither_lease_nor_wake(self, truth: Truth) -> None:
        await escalate(truth, 1, targets=(HOOK, PAGER))
        await escalate(truth, 2, targets=(HOOK,))
        without = frozenset({"hook", "unheard of"})
        (leased,) = await truth.lease_deliveries(NOON, NOON + 60, 1, except_targets=without)
        assert (leased.target, leased.escalation.id) == ("pager", E1)
        assert await truth.next_due(except_targets=without) == NOON + 60
        assert await truth.next_due(except_targets=without | {"pager"}) is None
        assert await truth.next_due() == NOON

    async def test_a_failed_try_is_due_again_at_its_time(self, truth: Truth) -> None:
        await escalate(truth)
        (leased,) = await truth.lease_deliveries(NOON, NOON + 60, 10)
        attempt = Attempt(timestamp(NOON), "http", 503, "busy")
        assert await truth.finish_delivery(leased.id, attempt, "pending", NOON + 5) == "queued"
        (delivery,) = (await truth.escalation(E1)).deliveries
        assert (delivery.attempts, delivery.next_at) == ((attempt,), timestamp(NOON + 5))
        assert await truth.next_due() == NOON + 5
        (again,) = await truth.lease_deliveries(NOON + 5, NOON + 60, 10)
        assert again.attempts == 1

    @pytest.mark.parametrize(
        ("states", "status", "events"),
        [
            (("delivered", "delivered"), "delivered", ["queued", "delivered"]),
            (("delivered", "failed"), "delivered", ["queued", "delivered"]),
            (("failed", "delivered"), "delivered", ["queued", "delivered"]),
            (("pending", "delivered"), "delivered", ["queued", "delivered"]),
            (("pending", "failed"), "queued", ["queued"]),
            (("failed", "disabled"), "failed", ["queued"]),
        ],
    )
    async def test_the_status_follows_from_the_deliveries(
        self, truth: Truth, states: tuple[DeliveryState, ...], status: str, events: list[str]
    ) -> None:
        await escalate(truth, targets=(HOOK, PAGER))
        assert await deliver(truth, *states) == status
        assert (await truth.escalation(E1)).status == status
        assert await told(truth) == events

    async def test_what_is_over_is_not_due(self, truth: Truth) -> None:
        await escalate(truth, targets=(HOOK, PAGER, ("desk", "webhook")))
        await deliver(truth, "delivered", "failed", "disabled")
        assert await truth.next_due() is None
        assert await truth.lease_deliveries(NOON + DAY, NOON + 2 * DAY, 10) == []
        assert [one.next_at for one in (await truth.escalation(E1)).deliveries] == [None] * 3

    async def test_resolved_wins_over_deliveries(self, truth: Truth) -> None:
        await escalate(truth)
        (leased,) = await truth.lease_deliveries(NOON, NOON + 60, 10)
        await truth.resolve(E1, NOON)
        assert await truth.finish_delivery(leased.id, an_attempt(), "delivered", None) == "resolved"
        assert await told(truth) == ["queued", "resolved"]

    async def test_a_late_failure_does_not_undo_a_delivery(self, truth: Truth) -> None:
        await escalate(truth)
        (leased,) = await truth.lease_deliveries(NOON, NOON + 60, 10)
        await truth.finish_delivery(leased.id, an_attempt(), "delivered", None)
        late = an_attempt("timeout", None)
        assert await truth.finish_delivery(leased.id, late, "pending", NOON + 5) == "delivered"
        (delivery,) = (await truth.escalation(E1)).deliveries
        assert (delivery.state, len(delivery.attempts)) == ("delivered", 2)
        assert await truth.next_due() is None

    @pytest.mark.parametrize("delivery_id", [0, 1, -1, 99])
    async def test_an_unknown_delivery_is_refused(self, truth: Truth, delivery_id: int) -> None:
        with pytest.raises(NotFound):
            await truth.finish_delivery(delivery_id, an_attempt(), "delivered", None)

    async def test_resending_starts_what_is_not_delivered_anew(self, truth: Truth) -> None:
        await escalate(truth, targets=(HOOK, PAGER, ("desk", "webhook")))
        await deliver(truth, "delivered", "failed", "disabled")
        assert await truth.resend(E1, NOON + 30) == 2
        assert await truth.next_due() == NOON + 30
        leased = await truth.lease_deliveries(NOON + 30, NOON + 60, 10)
        assert [(one.target, one.attempts) for one in leased] == [("pager", 0), ("desk", 0)]
        assert [len(one.attempts) for one in leased[0].escalation.deliveries] == [1, 1, 1]

    async def test_resending_what_failed_queues_it_again(self, truth: Truth) -> None:
        await escalate(truth)
        assert await deliver(truth, "failed") == "failed"
        assert await truth.resend(E1, NOON) == 1
        assert (await truth.escalation(E1)).status == "queued"
        assert await deliver(truth, "delivered") == "delivered"
        assert await told(truth) == ["queued", "delivered"]
        assert await truth.resend(E1, NOON) == 0


class TestEvents:
    async def test_ids_grow_and_reading_resumes_after_one(self, truth: Truth) -> None:
        await escalate(truth, 1)
        await escalate(truth, 2)
        await truth.reply(a_reply(1, 1), resolve=True, at=NOON)
        found = await truth.events(ANNA, C1, 0)
        ids = [event.id for event in found]
        assert ids == sorted(set(ids))
        assert await truth.events(ANNA, C1, ids[0]) == found[1:]
        assert await truth.events(ANNA, C1, ids[-1]) == []

    async def test_another_scopes_events_are_absent(self, truth: Truth) -> None:
        await escalate(truth)
        assert await truth.events(BEN, C1, 0) == []
        assert await truth.events(ANNA_ELSEWHERE, C1, 0) == []

    async def test_events_are_told_for_thirty_days(
        self, truth: Truth, clock: StandingClock
    ) -> None:
        await escalate(truth)
        await truth.reply(a_reply(1, 1), resolve=False, at=NOON + DAY)
        clock.now = NOON + 29.9 * DAY
        assert len(await truth.events(ANNA, C1, 0)) == 2
        clock.now = NOON + 30.5 * DAY
        assert [event.name for event in await truth.events(ANNA, C1, 0)] == ["human_reply"]
        clock.now = NOON + 31.5 * DAY
        assert await truth.events(ANNA, C1, 0) == []


class TestTogether:
    async def test_concurrent_calls_are_all_stored(self, truth: Truth) -> None:
        works = [
            a_work(
                f"k{number}",
                turn=a_turn(number, number % 5),
                link=a_link(f"r{number}", sid=f"s_{number}"),
                escalation=opened(number, a_request(number, number % 5)) if number % 3 else None,
            )
            for number in range(40)
        ]
        committed = await asyncio.gather(*(truth.commit(work) for work in works))
        ids = [one and one.id for one in committed]
        assert ids == [named("e", number) if number % 3 else None for number in range(40)]
        for number, work in enumerate(works):
            assert await truth.finished(ANNA, work.key, 0) == work.finished
            assert await truth.receipt_head(f"s_{number}") == chain_hash(f"r{number}")

    async def test_one_conflict_is_no_one_elses(self, truth: Truth) -> None:
        await truth.commit(a_work("taken", turn=a_turn(100, 100)))
        works = [
            a_work("k1", turn=a_turn(1)),
            a_work("taken", turn=a_turn(2)),
            a_work("k2", turn=a_turn(3), link=a_link("r", "0" * 64)),
            a_work("k3", turn=a_turn(4)),
            a_work("k4", scope=BEN, turn=a_turn(5, 100)),
            a_work("k3", turn=a_turn(6)),
            a_work("k5", turn=a_turn(7)),
            a_work("k6", turn=a_turn(1)),
        ]
        reply = truth.reply(a_reply(1, 1), resolve=False, at=NOON)
        outcomes = await asyncio.gather(
            *(truth.commit(work) for work in works), reply, return_exceptions=True
        )
        # Which of two that want the same comes first is the store's affair.
        turns = {1, 4, 7} if outcomes[3] is None else {1, 6, 7}
        for first, second in ((0, 7), (3, 5)):
            if outcomes[first] is not None:
                outcomes[first], outcomes[second] = outcomes[second], outcomes[first]
        assert [type(outcome) for outcome in outcomes] == [
            type(None),
            Conflict,
            Conflict,
            type(None),
            NotFound,
            Conflict,
            type(None),
            Exists,
            NotFound,
        ]
        stored = {number for number in range(1, 8) if await truth.turn(ANNA, named("t", number))}
        assert stored == turns

    async def test_the_browser_and_the_gateway_at_once_make_one_escalation(
        self, truth: Truth
    ) -> None:
        gateway = a_work("k1", turn=a_turn(), escalation=opened(1, a_request()))
        browser = a_work("k2", escalation=opened(2, by_browser(), by_gateway=False))
        committed = await asyncio.gather(truth.commit(gateway), truth.commit(browser))
        [one] = set(committed)
        assert one in {Committed(E1, "queued"), Committed(E2, "queued")}
        found = await truth.escalation(one.id)
        assert found.fallback_text == "A person will answer here."
        assert len(found.deliveries) == 1

    async def test_two_calls_of_a_session_at_once_leave_one_head(self, truth: Truth) -> None:
        outcomes = await asyncio.gather(
            *(truth.commit(a_work(f"k{n}", link=a_link(f"r{n}"))) for n in range(3)),
            return_exceptions=True,
        )
        won = outcomes.index(None)
        others = {type(one) for number, one in enumerate(outcomes) if number != won}
        assert others == {Conflict}
        assert await truth.receipt_head("s_1") == chain_hash(f"r{won}")

    async def test_a_delivery_is_leased_once(self, truth: Truth) -> None:
        await escalate(truth, targets=(HOOK, PAGER))
        leases = await asyncio.gather(
            *(truth.lease_deliveries(NOON, NOON + 60, 1) for _ in range(5))
        )
        assert sorted(one.id for lease in leases for one in lease) == [1, 2]
        assert max(len(lease) for lease in leases) == 1


async def test_the_outbox_says_what_waits_in_it(truth: Truth) -> None:
    empty = await truth.backlog()
    assert (dict(empty.states), empty.oldest_due) == ({}, None)
    await escalate(truth)
    waiting = await truth.backlog()
    assert waiting.states == {"pending": 1}
    assert waiting.oldest_due == NOON
    await deliver(truth, "failed")
    failed = await truth.backlog()
    assert (dict(failed.states), failed.oldest_due) == ({"failed": 1}, None)
    await escalate(truth, 2)
    await deliver(truth, "delivered")
    assert (await truth.backlog()).states == {"failed": 1}


@pytest.mark.parametrize(
    "truth",
    ["sqlite", pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))],
    indirect=True,
)
async def test_outcomes_are_dropped_some_at_a_time_until_none_is_old(
    truth: SqlTruth, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcomes, "DROPPED_AT_ONCE", 3)
    for number in range(8):
        await truth.commit(a_work(f"k{number}"))
    later = NOON + 2 * FINISHED_KEPT_S
    left = [await truth._write(lambda one: outcomes.drop_finished(one, later)) for _ in range(3)]
    assert left == [True, True, False]
    assert await truth.finished(ANNA, "k7", 0) is None
