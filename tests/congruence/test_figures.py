"""What every store that counts trajectories promises: the same as counting them one by one."""

from __future__ import annotations

from dataclasses import replace

from core.figures import Tally, tally_of
from core.trajectory import Trajectory
from core.truth import Truth
from tests.congruence.samples import ANNA, NOON, a_turn, a_work, named
from tests.core.test_figures import answered, handed

SITE = ANNA.site
TIMES = (0.4, 1.0, 1.5, 2.5, 127.9, 128.0, 129.9, 255.5, 256.0, 999.9, 65_536.0, 9_000_000.0)
CONFIDENCES = (0.0, 0.05, 0.1, 0.29, 0.3, 0.5, 0.7, 0.8999999, 0.9, 1.0)


def nobodys(turn: Trajectory, number: int) -> Trajectory:
    return replace(turn, turn_id=named("t", number), conversation_id="", at=NOON + number)


def turns() -> list[Trajectory]:
    timed = [answered(n, total_ms=ms, first_token_ms=ms / 3) for n, ms in enumerate(TIMES)]
    sure = [answered(n, confidence=c, tier="large") for n, c in enumerate(CONFIDENCES)]
    told = [
        answered(1, outcome=1.0),
        answered(2, outcome=0.0),
        answered(3, outcome=-1.0, reasons=("clarify",)),
        answered(4, cost_micros=3_000_000_000, tier=None, reason=None),
        handed(5, "low_confidence", "always"),
        handed(6),
    ]
    return [nobodys(turn, number) for number, turn in enumerate([*timed, *sure, *told])]


async def test_a_store_counts_as_one_does_by_hand(truth: Truth) -> None:
    stored = turns()
    for each in stored:
        await truth.learning.add(SITE, each)
    counted = await truth.figures.tally((SITE,), NOON, NOON + 1_000)
    by_hand = tally_of(stored)
    assert counted.groups == by_hand.groups
    assert {place: (c.turns, round(c.confidence, 9), c.judged, c.good)
            for place, c in counted.certainty.items()} == {
        place: (c.turns, round(c.confidence, 9), c.judged, c.good)
        for place, c in by_hand.certainty.items()
    }  # fmt: skip
    assert counted.reasons == by_hand.reasons
    assert counted.choices == by_hand.choices
    assert counted.total_ms == by_hand.total_ms
    assert counted.first_token_ms == by_hand.first_token_ms


async def test_a_tally_has_its_sites_and_its_range_alone(truth: Truth) -> None:
    for number in range(4):
        await truth.learning.add(SITE, nobodys(answered(1), number))
    await truth.learning.add("site_other", nobodys(answered(1), 9))
    counted = await truth.figures.tally((SITE,), NOON + 1, NOON + 3)
    assert counted.sums().turns == 2
    both = await truth.figures.tally((SITE, "site_other"), NOON, NOON + 1_000)
    assert both.sums().turns == 5
    assert await truth.figures.tally((), NOON, NOON + 1_000) == Tally()
    assert await truth.figures.tally((SITE,), NOON + 500, NOON + 600) == Tally()


async def test_a_conversations_turns_are_told_oldest_first(truth: Truth) -> None:
    stored = []
    for number in (1, 2):
        turn = answered(
            number,
            turn_id=named("t", number),
            conversation_id=named("c", 1),
            at=NOON + 10 - number,
            scores={"overall": 0.5},
        )
        stored.append(turn)
        made = a_work(f"key-{number}", turn=a_turn(number))
        await truth.commit(replace(made, trajectory=turn))
    conversation = stored[0].conversation_id
    assert await truth.figures.answered(SITE, conversation) == stored[::-1]
    assert await truth.figures.answered("site_other", conversation) == []
