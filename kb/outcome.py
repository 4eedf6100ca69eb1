"""What the trial of the entries came to: who loses to whom, who is not found, and at what risk.

Decides from how many lost questions an entry is shadowed, and when it is too vague to be found.
Refuses to call a loss a problem where a person is asked: that is only a hint.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from kb.entry import Entry
from kb.finding import Finding, quoted
from kb.simulate import FEW
from kb.trial import Asked, phrasings

LEAST_LOST: Final = 2
SHADOW: Final = 0.5
"""Copies of one phrasing that another entry wins: at least so many, and such a share of them."""
ENOUGH: Final = FEW
"""Phrasings from which an entry that is not found without one of them is vague; with fewer, holding
one out asks too much, and it only lacks more."""


@dataclass(frozen=True, slots=True)
class Risk:
    """How an entry's simulated questions ended, of `asked`.

    `elsewhere`: another entry was first, or none. `unsure`: its own was, below the threshold.
    """

    entry_id: str
    locale: str
    asked: int
    unsure: int
    elsewhere: int

    @property
    def share(self) -> float:
        """The share of its questions that it does not answer, in [0, 1]."""
        return (self.unsure + self.elsewhere) / self.asked if self.asked else 0.0


def shadowed(
    entries: Sequence[Entry],
    asked: Iterable[Asked],
    known: Iterable[frozenset[str]],
    threshold: float,
) -> Iterator[Finding]:
    """Give the entries that lose one of their phrasings, asked slightly otherwise, to another.

    Pairs of ids in `known` are left out: they were found to be the same.
    """
    known = set(known)
    by_unit: dict[int, dict[str, list[Asked]]] = {}
    for one in asked:
        by_unit.setdefault(one.unit, {}).setdefault(one.source, []).append(one)
    for unit, own in by_unit.items():
        entry = entries[unit]
        for winner in sorted({a.first for copies in own.values() for a in copies if a.first}):
            if winner == entry.id or frozenset((entry.id, winner)) in known:
                continue
            found = _shadow(entry, winner, own, threshold)
            if found:
                yield found


def _shadow(
    entry: Entry, winner: str, own: dict[str, list[Asked]], threshold: float
) -> Finding | None:
    lost = {
        source: [one for one in copies if one.first == winner] for source, copies in own.items()
    }
    worst = [
        source
        for source, copies in own.items()
        if len(lost[source]) >= max(LEAST_LOST, SHADOW * len(copies))
    ]
    if not worst:
        return None
    worst.sort(key=lambda source: -len(lost[source]) / len(own[source]))
    first = worst[0]
    shown = sum(one.confidence >= threshold for source in worst for one in lost[source])
    ending = (
        f"Its wrong answer is shown {times(shown)}."
        if shown
        else "It is never sure enough to answer: a person is asked."
    )
    more = f" The same goes for {len(worst) - 1} more of its ways to ask." if len(worst) > 1 else ""
    share = sum(len(lost[source]) for source in worst) / sum(map(len, own.values()))
    return Finding(
        "shadowed" if shown else "outranked",
        entry.id,
        entry.locale,
        f"{quoted(first)}, asked slightly otherwise, goes to {winner} in {len(lost[first])} of "
        f"{len(own[first])} copies, such as {quoted(lost[first][0].text)}. {ending}{more}",
        f"Say in these words what sets it apart from {winner}, or move the phrasing there.",
        (winner,),
        share,
    )


def times(count: int) -> str:
    """Say how often."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def vague(entries: Sequence[Entry], asked: Iterable[Asked], threshold: float) -> Iterator[Finding]:
    """Give the entries that most of their own phrasings, held out, do not find surely enough."""
    by_unit: dict[int, list[Asked]] = {}
    for one in asked:
        by_unit.setdefault(one.unit, []).append(one)
    for unit, own in by_unit.items():
        entry = entries[unit]
        missed = [one for one in own if one.first != entry.id or one.confidence < threshold]
        if 2 * len(missed) <= len(own):
            continue
        example = min(missed, key=lambda one: (one.first == entry.id, one.confidence))
        found = (
            f"finds it with {example.confidence:.2f}, below {threshold:g}"
            if example.first == entry.id
            else f"finds {example.first}"
            if example.first
            else "finds nothing"
        )
        enough = len(phrasings(entry)) >= ENOUGH
        yield Finding(
            "vague" if enough else "few_phrasings",
            entry.id,
            entry.locale,
            f"{len(missed)} of its {len(own)} ways to ask would not find it if they were not "
            f"written down: {quoted(example.text)} then {found}.",
            "Use the same telling words in several ways to ask, or split an entry that is about "
            "several things."
            if enough
            else "Add two or three more ways to ask, in the words that visitors use.",
            () if example.first in {None, entry.id} else (str(example.first),),
            len(missed) / len(own),
        )


def risks(entries: Sequence[Entry], asked: Iterable[Asked], threshold: float) -> tuple[Risk, ...]:
    """Count how each entry's questions ended, riskiest first."""
    counts: Counter[tuple[int, str]] = Counter()
    for one in asked:
        own = one.first == entries[one.unit].id
        ended = "elsewhere" if not own else "unsure" if one.confidence < threshold else "answered"
        counts[one.unit, ended] += 1
    found = [
        Risk(
            entry.id,
            entry.locale,
            sum(counts[unit, ended] for ended in ("answered", "unsure", "elsewhere")),
            counts[unit, "unsure"],
            counts[unit, "elsewhere"],
        )
        for unit, entry in enumerate(entries)
    ]
    return tuple(sorted(found, key=lambda one: (-one.share, one.entry_id, one.locale)))
