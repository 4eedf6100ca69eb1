"""What every store does for a visitor: gives out, erases, moves, forgets, and nobody else's."""

from dataclasses import replace

import pytest

from core import jose
from core.encoding import timestamp
from core.errors import Conflict, Ended, NotFound
from core.messages import Escalation, Verdict
from core.ports import Thread
from core.receipts import chain_hash
from core.scope import Scope
from core.subjects import KINDS, Feedback, Held, HeldFeedback, HeldSession, chained
from core.truth import Threaded, Truth
from tests.congruence.samples import (
    ANNA,
    ANNA_ELSEWHERE,
    BEN,
    HOOK,
    NOON,
    StandingClock,
    a_link,
    a_reply,
    a_request,
    a_turn,
    a_way,
    a_work,
    an_attempt,
    by_browser,
    named,
    opened,
)

SIGNED_IN = Scope("site_a", "user:https://shop.example|anna")
DAY = 86_400.0


async def lived(
    truth: Truth, scope: Scope, number: int, *, sid: str = "s_1", conversation: int | None = None
) -> None:
    """A turn that a person answered, with everything there can be of one."""
    place = conversation or number
    turn = a_turn(number, place, escalate=True)
    gateways = opened(number, a_request(number, place))
    link = a_link(f"r{number}", await truth.receipt_head(sid), sid=sid)
    await truth.commit(
        a_work(f"chat{number}", scope=scope, turn=turn, escalation=gateways, link=link)
    )
    browsers = opened(number, by_browser(number, place), by_gateway=False)
    await truth.commit(a_work(f"ask{number}", scope=scope, escalation=browsers))
    for one in await truth.lease_deliveries(NOON, NOON + 60, 99):
        if one.escalation.id == named("e", number):
            thread = Thread("T", "C", f"{number}.0")
            await truth.finish_delivery(one.id, an_attempt(), "delivered", None, thread=thread)
    await truth.reply(a_reply(number, number), resolve=False, at=NOON + 1)
    mark = Feedback(named("t", number), "correction", "It was Tuesday.")
    await truth.commit(a_work(f"mark{number}", scope=scope, feedback=mark))


@pytest.mark.parametrize("added", [False, True])
async def test_a_verdict_stands_at_its_case(
    truth: Truth, clock: StandingClock, *, added: bool
) -> None:
    place = 1
    await truth.commit(a_work("ask1", scope=ANNA, escalation=opened(1, a_request(1, place))))
    number = 1
    if added:
        number = 2
        await truth.commit(a_work("ask2", scope=ANNA, escalation=opened(2, a_request(2, place))))
    await truth.reply(a_reply(1, 1), resolve=True, at=NOON + 1)
    assert (await truth.escalation(named("e", 1))).verdict is None
    for at, signal, text in (("1", "failed", None), ("2", "up", None), ("3", "worked", "Thanks")):
        mark = Feedback(named("t", number), signal, text)  # type: ignore[arg-type]
        await truth.commit(a_work(f"mark{at}", scope=ANNA, feedback=mark))
        said = (await truth.escalation(named("e", 1))).verdict
        # A later mark takes the place of the verdict, and is none itself.
        assert (said and said.signal) == (None if signal == "up" else signal)
    expected = Verdict(named("t", number), "worked", "Thanks", timestamp(NOON))
    assert (await truth.escalation(named("e", 1))).verdict == expected
    (listed,) = await truth.escalations(status="resolved", before=None, limit=5)
    assert listed.verdict == expected
    # In the export it stands among the marks, once.
    (mine,) = (await held(truth, ANNA)).document()["escalations"]
    assert "verdict" not in mine
    clock.now += 400 * DAY
    await truth.subjects.expire({"feedback": clock.now}, 10)
    assert (await truth.escalation(named("e", 1))).verdict is None


async def test_a_verdict_is_of_its_own_subject_and_site(truth: Truth) -> None:
    for scope, place in ((ANNA, 1), (BEN, 2)):
        await truth.commit(
            a_work(f"ask{place}", scope=scope, escalation=opened(place, a_request(place, place)))
        )
    mark = Feedback(named("t", 2), "worked")
    await truth.commit(a_work("mark", scope=BEN, feedback=mark))
    assert (await truth.escalation(named("e", 1))).verdict is None
    assert (await truth.escalation(named("e", 2))).verdict is not None


async def held(truth: Truth, scope: Scope) -> Held:
    return await truth.subjects.export(scope, NOON - DAY)


async def test_an_export_has_everything_and_nothing_of_others(truth: Truth) -> None:
    await lived(truth, ANNA, 1)
    await lived(truth, BEN, 2, sid="s_2")
    await lived(truth, ANNA_ELSEWHERE, 3, sid="s_3")
    got = await held(truth, ANNA)
    assert got.conversations == (named("c", 1),)
    [turn] = got.turns
    assert (turn.question, turn.locale, turn.turn) == ("When?", "en", a_turn(1, 1, escalate=True))
    [asked] = got.escalations
    assert isinstance(asked, Escalation)
    assert (asked.contact, len(asked.replies), len(asked.deliveries)) == ("a@example.com", 1, 1)
    mark = Feedback(named("t", 1), "correction", "It was Tuesday.")
    assert got.feedback == (HeldFeedback(mark, NOON),)
    assert [one.name for one in got.events] == [
        "escalation_status",
        "escalation_status",
        "human_reply",
    ]
    assert got.sessions == (HeldSession("s_1", chain_hash("r1"), 0),)
    assert got.receipts == ("r1",)
    assert await held(truth, Scope("site_a", "anon:nobody")) == Held(Scope("site_a", "anon:nobody"))


async def test_receipts_of_before_are_left_out(truth: Truth) -> None:
    await lived(truth, ANNA, 1)
    assert (await truth.subjects.export(ANNA, NOON + 1)).receipts == ()


async def test_an_erase_leaves_nothing_of_the_subject_and_all_of_others(
    truth: Truth, clock: StandingClock
) -> None:
    await lived(truth, ANNA, 1)
    await lived(truth, BEN, 2, sid="s_2")
    await lived(truth, ANNA_ELSEWHERE, 3, sid="s_3")
    others = [await held(truth, scope) for scope in (BEN, ANNA_ELSEWHERE)]
    erased = await truth.subjects.erase(a_work("erase", scope=ANNA))
    assert (erased.conversations, erased.turns, erased.escalations) == ((named("c", 1),), 1, 1)
    assert (erased.feedback, erased.events) == (1, 3)
    assert await held(truth, ANNA) == Held(ANNA)
    assert [await held(truth, scope) for scope in (BEN, ANNA_ELSEWHERE)] == others
    assert await truth.turn(ANNA, named("t", 1)) is None
    assert await truth.threaded(Thread("T", "C", "1.0")) is None
    assert await truth.threaded(Thread("T", "C", "2.0")) == Threaded(named("e", 2), "hook")
    with pytest.raises(NotFound):
        await truth.escalation(named("e", 1))
    listed = await truth.escalations(status="all", before=None, limit=9)
    assert {one.id for one in listed} == {named("e", 2), named("e", 3)}
    assert await truth.finished(ANNA, "chat1", 0.0) is None
    assert await truth.finished(ANNA, "erase", 0.0) is not None


async def test_an_erase_takes_deliveries_that_wait_and_those_that_were_given_up(
    truth: Truth,
) -> None:
    for number, scope in ((1, ANNA), (2, ANNA), (3, BEN)):
        request = a_request(number, number)
        await truth.commit(
            a_work(f"k{number}", scope=scope, escalation=opened(number, request, by_gateway=False))
        )
    first, _, third = await truth.lease_deliveries(NOON, NOON + 60, 9)
    await truth.finish_delivery(first.id, an_attempt("refused", 500), "failed", None)
    assert [one.id for one in await truth.dead_letters(9)] == [named("e", 1)]
    await truth.subjects.erase(a_work("erase", scope=ANNA))
    assert await truth.dead_letters(9) == []
    assert [one.id for one in await truth.lease_deliveries(NOON + 61, NOON + 99, 9)] == [third.id]


async def test_what_a_worker_had_under_way_is_nobody_elses_afterwards(truth: Truth) -> None:
    asked = opened(1, a_request(1, 1), by_gateway=False)
    await truth.commit(a_work("k1", escalation=asked))
    [stale] = await truth.lease_deliveries(NOON, NOON + 60, 9)
    await truth.subjects.erase(a_work("erase"))
    anew = opened(2, a_request(2, 2), by_gateway=False)
    await truth.commit(a_work("k2", scope=BEN, escalation=anew))
    [fresh] = await truth.lease_deliveries(NOON, NOON + 60, 9)
    assert fresh.id != stale.id
    with pytest.raises(NotFound):
        await truth.finish_delivery(stale.id, an_attempt(), "delivered", None)
    assert (await truth.escalation(named("e", 2))).deliveries[0].attempts == ()


async def test_an_erase_ends_the_sessions_and_refuses_what_was_under_way(truth: Truth) -> None:
    await lived(truth, ANNA, 1)
    await truth.subjects.erase(a_work("erase", scope=ANNA, at=NOON + 9))
    assert await truth.revocations.ended(ANNA, "s_1", NOON)
    assert not await truth.revocations.ended(BEN, "s_2", NOON)
    late = a_work("late", scope=ANNA, turn=a_turn(5, 5), began=NOON)
    with pytest.raises(Ended):
        await truth.commit(late)
    assert (await held(truth, ANNA)).turns == ()
    for scope, began, number in ((ANNA, NOON + 10, 6), (BEN, NOON, 7)):
        turn = a_turn(number, number)
        await truth.commit(a_work(f"k{number}", scope=scope, turn=turn, began=began))
        assert len((await held(truth, scope)).turns) == 1


async def test_the_head_of_a_chain_stays_and_names_nobody(truth: Truth) -> None:
    await lived(truth, ANNA, 1)
    await truth.subjects.erase(a_work("erase"))
    assert await truth.receipt_head("s_1") == chain_hash("r1")
    assert (await held(truth, ANNA)).sessions == ()


async def test_a_repeated_erase_is_a_conflict_and_erases_nothing(truth: Truth) -> None:
    await truth.subjects.erase(a_work("erase"))
    await lived(truth, ANNA, 1)
    with pytest.raises(Conflict):
        await truth.subjects.erase(a_work("erase", at=NOON + 60))
    assert len((await held(truth, ANNA)).turns) == 1
    await truth.subjects.erase(a_work("erase", at=NOON + DAY + 1))
    assert (await held(truth, ANNA)).turns == ()


async def test_a_mark_needs_a_turn_of_the_visitors_and_the_last_one_counts(truth: Truth) -> None:
    await truth.commit(a_work("k1", turn=a_turn(1, 1)))
    for signal in ("up", "down"):
        mark = Feedback(named("t", 1), signal)
        await truth.commit(a_work(signal, at=NOON + 5, feedback=mark))
    assert (await held(truth, ANNA)).feedback == (
        HeldFeedback(Feedback(named("t", 1), "down"), NOON + 5),
    )
    for scope in (BEN, ANNA_ELSEWHERE):
        with pytest.raises(NotFound):
            await truth.commit(
                a_work("x", scope=scope, feedback=Feedback(named("t", 1), "up")),
            )
        assert (await held(truth, scope)).feedback == ()


async def test_a_mark_on_what_was_only_escalated_is_taken(truth: Truth) -> None:
    await truth.commit(a_work("k1", escalation=opened(1, a_request(1, 1))))
    await truth.commit(a_work("k2", feedback=Feedback(named("t", 1), "worked")))
    assert len((await held(truth, ANNA)).feedback) == 1


async def test_a_merge_moves_everything_and_what_follows_goes_on(truth: Truth) -> None:
    await lived(truth, ANNA, 1)
    await lived(truth, BEN, 2, sid="s_2")
    before, bens = await held(truth, ANNA), await held(truth, BEN)
    merged = await truth.subjects.merge(ANNA, SIGNED_IN)
    assert (merged.moved, merged.stayed) == ((named("c", 1),), ())
    after = await held(truth, SIGNED_IN)
    for kind in ("conversations", "turns", "escalations", "feedback", "events", "receipts"):
        assert getattr(after, kind) == getattr(before, kind)
    assert await held(truth, ANNA) == Held(ANNA, sessions=before.sessions)
    assert await held(truth, BEN) == bens
    await truth.reply(a_reply(8, 1, "Later."), resolve=True, at=NOON + 60)
    names = [one.name for one in await truth.events(SIGNED_IN, named("c", 1), 0)]
    assert names[-2:] == ["human_reply", "escalation_status"]
    assert await truth.events(ANNA, named("c", 1), 0) == []
    again = opened(99, by_browser(1, 1), by_gateway=False)
    known = await truth.commit(a_work("again", scope=SIGNED_IN, escalation=again))
    assert known is not None
    assert known.id == named("e", 1)


async def test_a_conversation_in_conflict_stays_anonymous(truth: Truth) -> None:
    await truth.commit(a_work("k1", turn=a_turn(1, 1)))
    await truth.commit(a_work("k2", turn=a_turn(2, 2)))
    await truth.commit(a_work("k2", scope=SIGNED_IN, turn=a_turn(2, 3)))
    merged = await truth.subjects.merge(ANNA, SIGNED_IN)
    assert (merged.moved, merged.stayed) == ((named("c", 1),), (named("c", 2),))
    assert (await held(truth, ANNA)).conversations == (named("c", 2),)
    assert (await held(truth, SIGNED_IN)).conversations == (named("c", 1), named("c", 3))
    assert await truth.finished(ANNA, "k1", 0.0) is not None


async def test_an_outcome_whose_key_the_signed_in_visitor_used_stays(truth: Truth) -> None:
    await truth.commit(a_work("k1", turn=a_turn(1, 1)))
    await truth.commit(a_work("k2", turn=a_turn(2, 1)))
    await truth.commit(a_work("k2", scope=SIGNED_IN, turn=a_turn(3, 3)))
    await truth.subjects.merge(ANNA, SIGNED_IN)
    assert await truth.finished(SIGNED_IN, "k1", 0.0) is not None
    assert await truth.finished(ANNA, "k1", 0.0) is None
    assert await truth.finished(ANNA, "k2", 0.0) is not None


async def test_an_erase_after_a_merge_takes_both(truth: Truth) -> None:
    await lived(truth, ANNA, 1)
    await lived(truth, SIGNED_IN, 2, sid="s_2")
    await truth.subjects.merge(ANNA, SIGNED_IN)
    erased = await truth.subjects.erase(a_work("erase", scope=SIGNED_IN))
    assert (erased.turns, erased.escalations) == (2, 2)
    assert await truth.finished(SIGNED_IN, "chat1", 0.0) is None
    assert (await held(truth, ANNA)).receipts == ()


async def test_what_is_old_goes_a_few_at_a_time_and_what_is_not_stays(truth: Truth) -> None:
    for number in range(1, 6):
        at = NOON + number
        asked = opened(number, a_request(number, number), targets=(HOOK,))
        work = a_work(
            f"k{number}",
            at=at,
            turn=a_turn(number, number),
            escalation=asked,
            link=a_link(f"r{number}", sid=f"s_{number}"),
        )
        await truth.commit(replace(work, trajectory=a_way(number, number, at=at)))
        mark = Feedback(named("t", number), "up")
        await truth.commit(a_work(f"m{number}", at=at, feedback=mark))
    before = dict.fromkeys(KINDS, NOON + 4)
    for dropped in (2, 1, 0):
        assert await truth.subjects.expire(before, 2) == dict.fromkeys(KINDS, dropped)
    left = await held(truth, ANNA)
    assert left.conversations == (named("c", 4), named("c", 5))
    for kind in KINDS:
        assert len(getattr(left, kind)) == 2
    assert await truth.conversation_owned(BEN, named("c", 1)), "it is free again"


async def test_each_kind_has_its_own_time_and_a_conversation_stays_while_it_holds_anything(
    truth: Truth,
) -> None:
    await lived(truth, ANNA, 1)
    for kind in ("turns", "feedback", "events"):
        dropped = await truth.subjects.expire({kind: NOON + DAY}, 99)
        assert dropped[kind] >= 1
        assert (await held(truth, ANNA)).conversations == (named("c", 1),)
    assert (await truth.escalation(named("e", 1))).replies
    assert await truth.subjects.expire({"escalations": NOON + DAY}, 99) == {"escalations": 1}
    assert (await held(truth, ANNA)).conversations == ()
    assert await truth.subjects.expire({}, 99) == {}


def test_receipts_are_put_behind_each_other_whatever_order_they_came_in() -> None:
    """Two sessions' receipts of one second, and one whose session began before what is here."""
    made: dict[str, list[str]] = {}
    for sid, first, count in (("a", None, 4), ("b", None, 3), ("c", "0" * 64, 2)):
        prev = first
        for _ in range(count):
            claims = {"sid": sid, "prev": prev, "iat": int(NOON)}
            signed = jose.signing_input(claims, "k", "t")
            made.setdefault(sid, []).append(jose.join(signed, b"0" * 64))
            prev = chain_hash(made[sid][-1])
    every = [one for group in made.values() for one in group]
    for shift in range(len(every)):
        got = chained(every[shift:] + every[:shift])
        assert sorted(got) == sorted(every)
        for group in made.values():
            assert [one for one in got if one in group] == group
    assert chained(["b", "a"]) == ("a", "b"), "what is no receipt follows nothing"
