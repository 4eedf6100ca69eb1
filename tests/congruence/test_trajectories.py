"""What every store keeps of how turns were answered: with the turn, or as nobody's numbers."""

from dataclasses import replace

import pytest

from core.learning import Lesson
from core.outcome import SAID, of_reply
from core.scope import Scope
from core.subjects import NOBODY, Feedback, Signal
from core.trajectory import HOUR_S, Trajectory
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

DAY = 86_400.0
SIGNED_IN = Scope("site_a", "user:https://shop.example|anna")


async def ways(truth: Truth, site: str = "site_a") -> list[Trajectory]:
    return await truth.learning.trajectories(site, 0.0, NOON + 99 * DAY, 99)


async def answer(
    truth: Truth, number: int = 1, scope: Scope = ANNA, *, escalated: bool = False
) -> None:
    """A turn with its trajectory, of a conversation of its own."""
    turn = a_turn(number, number, escalate=escalated)
    asked = opened(number, a_request(number, number)) if escalated else None
    work = a_work(f"k{number}", scope=scope, turn=turn, escalation=asked)
    await truth.commit(replace(work, trajectory=a_way(number, number, escalated=escalated)))


async def test_it_is_committed_with_its_turn_and_given_out_whole(truth: Truth) -> None:
    bare = a_way(
        2,
        2,
        **dict.fromkeys(("task_type", "complexity", "workflow", "tier", "model", "reason")),
        first_token_ms=None,
        scores={},
        reasons=(),
    )
    await answer(truth)
    await truth.commit(replace(a_work("k2", turn=a_turn(2, 2)), trajectory=bare))
    await answer(truth, 3, ANNA_ELSEWHERE)
    assert await ways(truth) == [bare, a_way()]
    assert await truth.learning.trajectories("site_a", NOON + 1, NOON + 2, 9) == [a_way()]
    assert await truth.learning.trajectories("site_a", 0, NOON + 9, 1) == [bare]
    held = await truth.subjects.export(ANNA, 0.0)
    assert held.trajectories == (a_way(), bare)
    shown = held.document()["trajectories"][0]
    assert not {"model", "tier", "workflow", "reason"} & set(shown), "the site's own names"


async def test_a_call_that_is_refused_leaves_none(truth: Truth) -> None:
    await answer(truth)
    twice = replace(a_work("again", turn=a_turn(1, 1)), trajectory=a_way())
    with pytest.raises(Exception, match="stored"):
        await truth.commit(twice)
    assert await ways(truth) == [a_way()]


async def test_without_consent_only_numbers_are_kept_and_they_are_nobodys(truth: Truth) -> None:
    kept = a_way().numbers("n_1")
    assert (kept.conversation_id, kept.request_sha256, kept.reply_sha256) == ("", "", "")
    assert (kept.at % HOUR_S, kept.owned) == (0, False)
    await truth.commit(replace(a_work("k1"), trajectory=kept))
    await truth.learning.add("site_a", replace(kept, turn_id="n_2", channel="api"))
    with pytest.raises(ValueError, match="committed with its turn"):
        await truth.learning.add("site_a", a_way())
    before = await ways(truth)
    assert [one.turn_id for one in before] == ["n_2", "n_1"]
    assert (await truth.subjects.export(ANNA, 0.0)).trajectories == ()
    assert (await truth.subjects.export(Scope("site_a", NOBODY), 0.0)).trajectories == ()
    await truth.subjects.erase(a_work("erase"))
    assert await ways(truth) == before, "they name nobody"
    assert (await truth.subjects.expire({"trajectories": NOON + 9}, 9)) == {"trajectories": 2}


async def test_an_erase_takes_the_subjects_and_a_merge_moves_them(truth: Truth) -> None:
    await answer(truth)
    await answer(truth, 2, BEN)
    await truth.subjects.merge(ANNA, SIGNED_IN)
    assert (await truth.subjects.export(SIGNED_IN, 0.0)).trajectories == (a_way(),)
    assert (await truth.subjects.erase(a_work("e", scope=SIGNED_IN))).trajectories == 1
    assert await ways(truth) == [a_way(2, 2)]


async def test_the_old_go_and_their_conversation_with_the_last_of_it(truth: Truth) -> None:
    await answer(truth)
    await truth.subjects.expire({"turns": NOON + DAY}, 9)
    assert (await truth.subjects.export(ANNA, 0.0)).conversations == (named("c", 1),)
    assert await truth.subjects.expire({"trajectories": NOON + DAY}, 9) == {"trajectories": 1}
    assert (await truth.subjects.export(ANNA, 0.0)).conversations == ()


@pytest.mark.parametrize("signal", SAID)
@pytest.mark.parametrize("escalated", [False, True])
async def test_a_mark_is_the_outcome_of_an_answer_that_was_shown(
    truth: Truth, signal: Signal, *, escalated: bool
) -> None:
    await answer(truth, escalated=escalated)
    mark = Feedback(named("t", 1), signal)
    await truth.commit(a_work("m", at=NOON + 60, feedback=mark))
    [found] = await ways(truth)
    expected = (None, None) if escalated else (SAID[signal], NOON + 60)
    assert (found.outcome, found.outcome_at) == expected


async def test_whether_a_persons_answer_helped_says_nothing_of_ours(truth: Truth) -> None:
    await answer(truth)
    await truth.commit(a_work("ask", escalation=opened(1, a_request(1, 1))))
    for at, signal, said in ((1, "failed", None), (2, "down", -1.0), (3, "worked", -1.0)):
        mark = Feedback(named("t", 1), signal)  # type: ignore[arg-type]
        await truth.commit(a_work(f"m{at}", at=NOON + at, feedback=mark))
        assert (await ways(truth))[0].outcome == said


async def test_a_mark_of_anothers_turn_changes_nothing(truth: Truth) -> None:
    await answer(truth)
    await truth.commit(a_work("b", scope=BEN, turn=a_turn(1, 2)))
    await truth.commit(a_work("m", scope=BEN, feedback=Feedback(named("t", 1), "down")))
    assert (await ways(truth))[0].outcome is None


async def test_a_persons_reply_judges_what_was_drafted(truth: Truth) -> None:
    await answer(truth, escalated=True)
    drafted = a_turn().reply
    said = [("Tomorrow.", -0.5), (drafted, 1.0), ("Something else.", 1.0)]
    for number, (content, expected) in enumerate(said, 1):
        await truth.reply(a_reply(number, 1, content), resolve=False, at=NOON + 10 * number)
        assert (await ways(truth))[0].outcome == expected, content
    assert (await ways(truth))[0].outcome_at == NOON + 20


def test_a_reply_that_answers_nothing_says_nothing() -> None:
    assert of_reply("", "Tomorrow.") is None
    assert of_reply("One two three", "one TWO three") == 1.0
    assert of_reply("one two", "two three") == 0.25


async def test_lessons_are_of_kept_turns_that_a_tier_answered_and_somebody_judged(
    truth: Truth,
) -> None:
    for number in (1, 2, 3):
        await answer(truth, number)
    untiered = replace(a_work("k4", turn=a_turn(4, 4)), trajectory=a_way(4, 4, tier=None))
    await truth.commit(untiered)
    for at, number, signal in ((9, 1, "up"), (5, 2, "down"), (7, 4, "up")):
        mark = Feedback(named("t", number), signal)  # type: ignore[arg-type]
        await truth.commit(a_work(f"m{number}", at=NOON + at, feedback=mark))
    first = Lesson(named("t", 2), "When?", "small", 0.25, -1.0, NOON + 5)
    second = Lesson(named("t", 1), "When?", "small", 0.25, 1.0, NOON + 9)
    assert await truth.learning.lessons("site_a", NOON, 9) == [first, second]
    assert await truth.learning.lessons("site_a", NOON, 1) == [second]
    assert await truth.learning.lessons("site_a", NOON + 6, 9) == [second]
    assert await truth.learning.lessons("site_b", NOON, 9) == []
    await truth.subjects.erase(a_work("erase"))
    assert await truth.learning.lessons("site_a", NOON, 9) == []
