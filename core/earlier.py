"""What was said before, as far as anyone but the browser knows it.

Decides what a prompt goes by where the truth has a conversation's turns and a browser says what
stood in them: what the truth has stands, whatever the browser says of it. Of what the browser adds,
a visitor's line that the truth does not have (its browser answered it, or it was never kept) stays
with the answer that is claimed for it, at its place, and so does an answer to a question that the
truth has without one: the visitor was shown something in its place. An answer that is claimed
without a question, or to one whose answer the truth has, is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.messages import MemoryTurn


@dataclass(frozen=True, slots=True)
class Exchanged:
    """A question and all that was answered to it, in order."""

    question: MemoryTurn
    answers: tuple[MemoryTurn, ...]


def exchanges(lines: Iterable[MemoryTurn]) -> list[Exchanged]:
    """Lines as questions with their answers; an answer to nothing is left out."""
    found: list[Exchanged] = []
    for line in lines:
        if line.role == "user":
            found.append(Exchanged(line, ()))
        elif found:
            found[-1] = Exchanged(found[-1].question, (*found[-1].answers, line))
    return found


def joined(known: Sequence[Exchanged], claimed: Sequence[MemoryTurn]) -> tuple[MemoryTurn, ...]:
    """The lines of a conversation, oldest first: what is known, and what is claimed beside it.

    Claims are matched from the newest back, by the visitor's words; a claim that is not known
    stands before what it was said before.
    """
    known = list(known)
    beside: dict[int, list[Exchanged]] = {}
    at = len(known)
    for one in reversed(exchanges(claimed)):
        same = next((n for n in range(at - 1, -1, -1) if _same(known[n], one)), None)
        if same is None:
            beside.setdefault(at, []).insert(0, one)
        else:
            at = same
            if not known[at].answers:
                known[at] = Exchanged(known[at].question, one.answers)
    found: list[MemoryTurn] = []
    for number in range(len(known) + 1):
        here = [*beside.get(number, []), *known[number : number + 1]]
        for one in here:
            found += (one.question, *one.answers)
    return tuple(found)


def _same(one: Exchanged, other: Exchanged) -> bool:
    return one.question.content.split() == other.question.content.split()
