"""A subject's rights as a port: what is held of one visitor, given out, erased, moved, forgotten.

Decides what an export holds and in which order, what a visitor may say of an answer, and of what
kinds the things are that are kept for a time. How rows are found and deleted is an adapter's
matter. An erase ends the subject's sessions too: what is under way under one is refused when it
would be stored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from core import jose
from core.encoding import timestamp
from core.messages import Escalation, Turn
from core.receipts import chain_hash
from core.scope import Scope
from core.trajectory import Trajectory

if TYPE_CHECKING:  # the truth has this port as a part, and a call's work is the truth's
    from core.truth import Work

Signal = Literal["up", "down", "worked", "failed", "partial", "correction"]
"""What a visitor says of an answer: liked, tried with this success, or put right."""

VERDICTS: Final = ("worked", "failed", "partial")
"""The signals that say what became of a person's answer."""

Kind = Literal["turns", "escalations", "feedback", "events", "sessions", "trajectories"]
"""What is kept, each for a time of its own. `sessions`: the heads of their chains of receipts."""

KINDS: Final[tuple[Kind, ...]] = (
    *("turns", "escalations", "feedback", "events", "sessions", "trajectories"),
)

Part = Literal[
    "conversations",
    "turns",
    "trajectories",
    "escalations",
    "feedback",
    "events",
    "sessions",
    "receipts",
]
"""What an export has lists of."""

Key = tuple[str | float, ...]
"""What the rows of a part are ordered by: their time, where it counts, and their name."""

PARTS: Final[tuple[Part, ...]] = (
    *("conversations", "turns", "trajectories", "escalations", "feedback"),
    *("events", "sessions", "receipts"),
)
"""In the order in which an export gives them."""

_NAMED: Final = "[A-Za-z0-9_-]{1,200}"
_DATED: Final = rf"[0-9]{{1,12}}\.[0-9]{{1,17}}~{_NAMED}"
CURSOR: Final = (
    rf"^((conversations|sessions)(~{_NAMED})?|events(~[0-9]{{1,18}})?"
    rf"|(turns|trajectories|escalations|feedback|receipts)(~{_DATED})?)$"
)
"""How a place in an export is written: the part, then the key of its last row."""

PAGE: Final = 1000
"""So many rows at most are given out at once: read, written as JSON and sent within a second."""


NOBODY: Final = ""
"""The subject of what is kept of an erased one: the head of a chain, which is a hash."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """A visitor's mark on an answer; a later one takes its place."""

    turn_id: str
    signal: Signal
    text: str | None = None


@dataclass(frozen=True, slots=True)
class HeldTurn:
    """A stored turn with what was asked."""

    question: str
    locale: str
    turn: Turn


@dataclass(frozen=True, slots=True)
class HeldFeedback:
    """A stored mark, and when it was made in Unix seconds."""

    feedback: Feedback
    at: float


@dataclass(frozen=True, slots=True)
class HeldEvent:
    """What the visitor was told, or is to be."""

    id: int
    conversation_id: str
    name: str
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class HeldSession:
    """A session that got receipts: the hash of its last one."""

    sid: str
    head: str
    gaps: int


@dataclass(frozen=True, slots=True)
class Place:
    """How far an export has come: the part, and the key of its last row that was given out.

    Without a key it is at the part's beginning. A place says nothing of whose the rows are.
    """

    part: Part
    key: Key = ()

    def cursor(self) -> str:
        """The place as the wire has it."""
        return "~".join((self.part, *map(str, self.key)))

    @classmethod
    def read(cls, cursor: str) -> Place:
        """The inverse of `cursor`; raises `ValueError` on anything else."""
        if re.fullmatch(CURSOR, cursor) is None or cursor.endswith("\n"):
            raise ValueError("it names no place in an export")
        name, *key = cursor.split("~")
        part = next(one for one in PARTS if one == name)
        if part == "events":
            return cls(part, tuple(map(int, key)))
        if len(key) > 1:
            return cls(part, (float(key[0]), key[1]))
        return cls(part, tuple(key))


@dataclass(frozen=True, slots=True)
class Some[Row]:
    """Rows of a part after a place, each with its key; how many they count for; whether that is
    not all of them."""

    rows: Sequence[tuple[Key, Row]]
    count: int
    more: bool


@dataclass(frozen=True, slots=True)
class Held:
    """What is held of one subject, or a page of it: each part oldest first.

    Receipts stand in their chains' order. `next` is where the following page begins; None where
    this is the last one.
    """

    scope: Scope
    conversations: tuple[str, ...] = ()
    turns: tuple[HeldTurn, ...] = ()
    escalations: tuple[Escalation, ...] = ()
    feedback: tuple[HeldFeedback, ...] = ()
    events: tuple[HeldEvent, ...] = ()
    sessions: tuple[HeldSession, ...] = ()
    receipts: tuple[str, ...] = ()
    next: Place | None = None
    trajectories: tuple[Trajectory, ...] = ()

    def document(self) -> dict[str, Any]:
        """The export as the wire has it, without its time."""
        return {
            "site": self.scope.site,
            "subject": self.scope.subject,
            "conversations": list(self.conversations),
            "turns": [_turn(one) for one in self.turns],
            "trajectories": [_trajectory(one) for one in self.trajectories],
            "escalations": [_escalation(one) for one in self.escalations],
            "feedback": [
                {**asdict(one.feedback), "created_at": timestamp(one.at)} for one in self.feedback
            ],
            "events": [asdict(replace(one, data=dict(one.data))) for one in self.events],
            "sessions": [asdict(one) for one in self.sessions],
            "receipts": list(self.receipts),
            "next": self.next and self.next.cursor(),
        }


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erase took away: the conversations, and how many rows of each kind."""

    conversations: tuple[str, ...]
    turns: int
    escalations: int
    feedback: int
    events: int
    trajectories: int = 0


@dataclass(frozen=True, slots=True)
class Merged:
    """The conversations that were moved, and those that stayed with the anonymous subject."""

    moved: tuple[str, ...]
    stayed: tuple[str, ...]


class SubjectStore(Protocol):
    """A part of the truth, as durable. Every call may raise `Unavailable`."""

    async def export(
        self, scope: Scope, since: float, after: Place | None = None, limit: int = PAGE
    ) -> Held:
        """A page of what is held of this subject, from one moment; receipts from `since` on.

        `limit` bounds its rows, a case's later turns and its replies among them; one case whose
        own are more comes alone. Whatever was there when the first page was read is in the
        pages that follow each other; a mark that is made anew meanwhile may come twice, and then
        the later one counts.
        """

    async def erase(self, work: Work) -> Erased:
        """Erase the scope of `work`, end its sessions until `work.at`, store the call's outcome.

        All of it or nothing. What stays: the outcome, the end of the sessions for as long as one
        could last, and the hashes at the heads of its chains of receipts, which name nobody.
        Raises `Conflict` when the call's key is already finished.
        """

    async def merge(self, anonymous: Scope, into: Scope) -> Merged:
        """Move what an anonymous subject has to a signed-in one of the same site.

        A conversation moves whole. It stays where the signed-in subject has a turn of the same id
        already; outcomes of calls then stay too.
        """

    async def expire(self, before: Mapping[Kind, float], limit: int) -> Mapping[Kind, int]:
        """Delete at most `limit` of each kind from before its time; how many were there.

        An escalation goes with its replies, deliveries and threads, a conversation with the last
        of what it held.
        """


def page(
    scope: Scope,
    look: Callable[[Part, Key, int], Some[Any]],
    after: Place | None,
    limit: int,
) -> Held:
    """One page, its parts filled one after the other with what `look` finds.

    `look` gives the rows of a part after a key (from the beginning, where it is empty), in order,
    that count for no more than so many, or one that fills the whole page and more.
    """
    place: Place | None = after or Place(PARTS[0])
    following = {part: Place(then) for part, then in pairwise(PARTS)}
    found: dict[str, tuple[Any, ...]] = {}
    left = limit
    while place is not None and left > 0:
        some = look(place.part, place.key, left)
        found[place.part] = tuple(row for _, row in some.rows)
        left -= some.count
        if some.more:
            place = Place(place.part, some.rows[-1][0] if some.rows else place.key)
            break
        place = following.get(place.part)
    found["receipts"] = chained(found.get("receipts", ()))
    return Held(scope, **found, next=place)


def sliced[Row](rows: Sequence[tuple[Key, Row]], limit: int) -> Some[Row]:
    """The first `limit` of rows that are in order already."""
    return Some(rows[:limit], min(len(rows), limit), len(rows) > limit)


def weighed[Row](
    rows: Iterable[tuple[Key, Row]], weights: Iterable[int], limit: int, *, alone: bool
) -> Some[Row]:
    """As many of the first rows as weigh no more than `limit` together, or, `alone`, one."""
    taken: list[tuple[Key, Row]] = []
    count = 0
    for row, weight in zip(rows, weights, strict=True):
        if count + weight > limit and (taken or not alone):
            return Some(taken, count, more=True)
        taken.append(row)
        count += weight
    return Some(taken, count, more=False)


def chained(receipts: Iterable[str]) -> tuple[str, ...]:
    """Receipts with each after the one that it follows; sessions by when they began."""
    made = {chain_hash(one): (*_made(one), one) for one in receipts}
    followers: dict[object, list[str]] = {}
    for name in sorted(made, key=lambda name: (made[name][0], made[name][2])):
        followers.setdefault(made[name][1], []).append(name)
    ordered: list[str] = []
    waiting = [name for prev, names in followers.items() if prev not in made for name in names]
    waiting.reverse()
    while waiting:
        name = waiting.pop()
        ordered.append(made[name][2])
        waiting.extend(reversed(followers.get(name, ())))
    return tuple(ordered)


def _made(receipt: str) -> tuple[float, object]:
    """When it was made, and the hash of the one before it."""
    try:
        claims = jose.split(receipt).payload
        return float(str(claims["iat"])), claims["prev"]
    except (ValueError, KeyError):
        return 0.0, None


def _turn(held: HeldTurn) -> dict[str, Any]:
    turn = held.turn
    return {
        "id": turn.id,
        "conversation_id": turn.conversation_id,
        "question": held.question,
        "locale": held.locale,
        "reply": turn.reply,
        "reasoning": turn.reasoning,
        "confidence": turn.confidence,
        "escalate": turn.escalate,
        "reasons": list(turn.reasons),
        "source": turn.source,
        "model": turn.model,
        "citations": [asdict(one) for one in turn.citations],
        "disclaimers": list(turn.disclaimers),
        "usage": None if turn.usage is None else asdict(turn.usage),
        "created_at": turn.created_at,
    }


def _trajectory(held: Trajectory) -> dict[str, Any]:
    """Without the site's names for its models, tiers and workflows, which are its own."""
    shown = asdict(replace(held, scores=dict(held.scores)))
    for name in ("at", "model", "tier", "workflow", "reason", "outcome_at"):
        del shown[name]
    return {**shown, "created_at": timestamp(held.at)}


def _escalation(held: Escalation) -> dict[str, Any]:
    """Without the site's names for its targets and what those answered, which are its own."""
    shown = held.document()
    shown["deliveries"] = [
        {"kind": one.kind, "action": one.action, "state": one.state} for one in held.deliveries
    ]
    # The visitor's verdict stands among the marks.
    del shown["site"], shown["verdict"]
    return shown
