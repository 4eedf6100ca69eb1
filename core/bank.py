"""The reasoning bank: answers of a site that were right, for the next one who asks the like.

Decides what is in it: what a person replied to a question whose case was then closed, and, where a
site wants that, what a model answered and a visitor marked right. It is a view of the truth and has
no rows of its own: an item goes with the visitor's turn that it came from, by an erase or by its
age. It holds only turns of visitors who agreed to memory. The question is there to be compared; it
is never shown to anyone but operators. Refuses what the answer says of the visitor who asked
(`core.particulars`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from core.digest import sha256_hex
from core.subjects import Signal

By = Literal["person", "model"]
"""Who wrote an answer."""

RIGHT: Final = 1.0
"""The outcome that an answer of a model needs: a visitor said plainly that it was right."""

REFUTED: Final[tuple[Signal, ...]] = ("down", "failed", "partial", "correction")
"""Marks on a turn after which a person's reply to it is in no bank."""

_ID: Final = 32


@dataclass(frozen=True, slots=True)
class Banked:
    """An answer with the question that it answered.

    `said` is all that its visitor wrote in the whole conversation, as far as it is kept.
    """

    turn_id: str
    question: str
    answer: str
    by: By
    at: float
    locale: str
    said: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which answers of a site: from `since` on, the newest `limit` of each kind.

    `models` is whether answers of models are among them. `turn_ids` names the turns that are
    looked for; None is for all.
    """

    since: float
    limit: int
    models: bool = False
    turn_ids: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Recalled:
    """An answer as another visitor's model is given it; `alike` is the cosine of the questions."""

    id: str
    answer: str
    by: By
    alike: float


class BankStore(Protocol):
    """A part of the truth. Every call may raise `Unavailable`."""

    async def answers(self, site: str, wanted: Wanted) -> list[Banked]:
        """The answers, newest first: of people only where a case is of a single question."""

    async def leave_out(self, site: str, turn_id: str, by: str) -> None:
        """Take a turn out of the bank for good, in an operator's name; raises `NotFound`."""


def replied(contents: Iterable[str]) -> str:
    """What a person replied to one question, oldest first, as one answer.

    The last reply alone may be no more than a farewell.
    """
    return "\n\n".join(contents)


def bank_id(site: str, turn_id: str) -> str:
    """The name of an item: it tells nobody which turn it is, nor when that was."""
    return f"b_{sha256_hex(f'bank {site} {turn_id}')[:_ID]}"


def newest(found: Iterable[Banked], limit: int) -> list[Banked]:
    """The newest of these, newest first, and of each turn the newest alone."""
    ordered = sorted(found, key=lambda one: (one.at, one.turn_id, one.answer), reverse=True)
    kept: dict[str, Banked] = {}
    for one in ordered[:limit]:
        kept.setdefault(one.turn_id, one)
    return list(kept.values())


def is_wanted(wanted: Wanted, turn_id: str, at: float) -> bool:
    """Whether an answer to this turn, made then, is looked for."""
    names: Collection[str] | None = wanted.turn_ids
    return at >= wanted.since and (names is None or turn_id in names)
