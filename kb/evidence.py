"""From clues of units to candidates of entries, and to a probability.

Decides that translations are one answer (the unit that speaks loudest stands for its entry) and
which senses are heard: all of them, words alone (the embedding could not be had), or meaning alone
(the question is in a language that no entry is written in).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from heapq import nlargest
from typing import Final, Literal

from kb.answers import Told
from kb.choice import SIGNALS, Choice, Prior, Signals, Situation, fit_choice
from kb.find import Clue
from kb.rank import Ranker

type Hearing = Literal["all", "words", "meaning"]

RIVALS: Final = 8
"""Candidates of a simulated question that are compared; the others never win."""
HEARINGS: Final[tuple[Hearing, ...]] = ("all", "words", "meaning")
_HEARD: Final[dict[Hearing, tuple[int, ...]]] = {
    "all": (1, 1, 1, 1, 1, 1),
    "words": (1, 1, 0, 0, 1, 1),
    "meaning": (0, 0, 1, 1, 0, 0),
}
USUAL: Final[dict[Hearing, Prior]] = {
    "all": Prior(Choice((4.0, 2.0, 4.0, 2.0, 1.0, 1.0), 5.0), (3.0,) * 6 + (3.0,)),
    "words": Prior(Choice((6.0, 4.0, 0.0, 0.0, 1.0, 1.0), 5.0), (3.0,) * 6 + (3.0,)),
    "meaning": Prior(Choice((0.0, 0.0, 8.0, 8.0, 0.0, 0.0), 8.0), (3.0,) * 6 + (3.0,)),
}
"""Where the weights start from, and how far they easily go."""
SILENT: Final[Signals] = (0.0,) * len(SIGNALS)


@dataclass(frozen=True, slots=True)
class Weighed:
    """An entry's loudest clue with the probability that it is what was meant.

    `told` is the passage of its answer that speaks for it, where that says more than its phrasings;
    `spoken` the part of the probability that the answer gives, told or not.
    """

    clue: Clue
    probability: float
    told: Told | None = None
    spoken: float = 0.0

    def with_probability(self, probability: float) -> Weighed:
        """Give the same with another probability."""
        return Weighed(self.clue, probability, self.told, self.spoken)


def heard(signals: Signals, hearing: Hearing) -> Signals:
    """Give the signals with those that are not heard at zero."""
    if hearing == "all":
        return signals
    return tuple(s * on for s, on in zip(signals, _HEARD[hearing], strict=True))


def entries(clues: Sequence[Clue], unit_ids: Sequence[str], choice: Choice) -> list[Clue]:
    """Keep the loudest unit of each entry id."""
    loudest: dict[str, tuple[float, int, Clue]] = {}
    for clue in clues:
        own = (choice.utility(clue.signals), -clue.unit, clue)
        at = unit_ids[clue.unit]
        if at not in loudest or own[:2] > loudest[at][:2]:
            loudest[at] = own
    return [clue for _, _, clue in loudest.values()]


def situation(clues: Sequence[Clue], unit_ids: Sequence[str], expected: str | None) -> Situation:
    """Give what was seen of a question whose right entry is known; None: no entry is right."""
    kept = entries(clues, unit_ids, USUAL["all"].choice)
    utility = USUAL["all"].choice.utility
    first = nlargest(RIVALS, kept, key=lambda clue: (utility(clue.signals), -clue.unit))
    ids = [unit_ids[clue.unit] for clue in first]
    right = ids.index(expected) if expected is not None and expected in ids else None
    return Situation([clue.signals for clue in first], right, 1.0)


def fit_hearings(situations: Sequence[Situation]) -> dict[Hearing, Choice]:
    """Fit a choice for each way of hearing, from the same questions."""
    return {
        hearing: fit_choice(
            [
                replace(one, candidates=[heard(signals, hearing) for signals in one.candidates])
                for one in situations
            ],
            USUAL[hearing],
        )
        for hearing in HEARINGS
    }


def weigh(
    clues: Sequence[Clue], unit_ids: Sequence[str], choice: Choice, hearing: Hearing
) -> list[Weighed]:
    """Give the candidates with their probabilities, the likeliest first."""
    own = [Clue(clue.unit, heard(clue.signals, hearing), clue.phrasing) for clue in clues]
    kept = entries(own, unit_ids, choice)
    shares = choice.probabilities([clue.signals for clue in kept])
    weighed = [Weighed(clue, share) for clue, share in zip(kept, shares, strict=True)]
    return sorted(weighed, key=lambda one: (-one.probability, one.clue.unit))


def with_answers(
    weighed: Sequence[Weighed], told: Sequence[Told], ranker: Ranker, unit_ids: Sequence[str]
) -> list[Weighed]:
    """Share what the phrasings left open among the entries whose answers speak for them.

    A law of total probability: an entry is meant if a phrasing says so, or if none does and its
    answer says so.
    """
    left = 1 - sum(one.probability for one in weighed)
    speaking = {unit_ids[one.unit]: one for one in told}
    mixed: list[Weighed] = []
    for one in weighed:
        own = speaking.pop(unit_ids[one.clue.unit], None)
        more = left * own.share if own else 0.0
        louder = own if more > one.probability else None
        mixed.append(Weighed(one.clue, one.probability + more, louder, more))
    for own in speaking.values():
        clue = Clue(own.unit, SILENT, ranker.tables.unit_starts[own.unit])
        mixed.append(Weighed(clue, left * own.share, own, left * own.share))
    return sorted(mixed, key=lambda one: (-one.probability, one.clue.unit))
