"""Escalations, a clock that stands still, and targets that answer as they are told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from core.encoding import new_id
from core.messages import AddedTurn, Escalation, EscalationRequest, MemoryTurn
from core.ports import Outcome
from core.scope import Scope
from core.truth import Finished, LeasedDelivery, OpenEscalation, Truth, Work

START = 1_790_000_000.0
SCOPE = Scope("site_demo", "anon:" + "k" * 43)
TAIL = (MemoryTurn("user", "Hello"), MemoryTurn("assistant", "Hello!", "kb", 0.9))
DELIVERED = Outcome(True, "delivered", 200, "The target answered 200.")
REJECTED = Outcome(False, "rejected", 500, "The target answered 500.")


@dataclass
class StandingClock:
    """Unix time that moves only when it is moved."""

    now: float = START

    def __call__(self) -> float:
        return self.now


@dataclass
class ScriptedTarget:
    """Gives the outcomes in turn, the last one again and again."""

    outcomes: Iterable[Outcome] = (DELIVERED,)
    name: str = "ops"
    kind: str = "webhook"
    got: list[Escalation] = field(default_factory=list)

    @property
    def seen(self) -> list[str]:
        return [escalation.id for escalation in self.got]

    async def deliver(self, escalation: Escalation, at: float) -> Outcome:
        self.got.append(escalation)
        script = list(self.outcomes)
        return script[min(len(self.got), len(script)) - 1]


@dataclass
class HeldTarget:
    """Answers when it is let go."""

    name: str = "slow"
    kind: str = "webhook"
    go: asyncio.Event = field(default_factory=asyncio.Event)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    at_once: int = 0
    most_at_once: int = 0

    async def deliver(self, escalation: Escalation, at: float) -> Outcome:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.begun.set()
        try:
            await self.go.wait()
        finally:
            self.at_once -= 1
        return DELIVERED


@dataclass
class PacedTarget(ScriptedTarget):
    """Takes one message, and the next one `pause_s` later; it is told what follows too."""

    pause_s: float = 1.0
    free_at: float = 0.0
    followed: list[LeasedDelivery] = field(default_factory=list)

    def ready_at(self, now: float) -> float:
        return max(now, self.free_at)

    async def deliver(self, escalation: Escalation, at: float) -> Outcome:
        assert at >= self.free_at
        self.free_at = at + self.pause_s
        return await super().deliver(escalation, at)

    async def follow(self, delivery: LeasedDelivery, at: float) -> Outcome:
        self.followed.append(delivery)
        return DELIVERED


class BrokenTarget:
    """Breaks its promise never to raise."""

    name = "broken"
    kind = "webhook"

    async def deliver(self, escalation: Escalation, at: float) -> Outcome:
        raise ZeroDivisionError


def an_escalation(
    question: str = "Where is my parcel?",
    fallback_text: str = "A person will answer here.",
    tail: tuple[MemoryTurn, ...] = (),
) -> Escalation:
    return Escalation(
        id=new_id("e", 1, bytes(10)),
        site="site_demo",
        conversation_id=new_id("c", 1, bytes(10)),
        turn_id=new_id("t", 1, bytes(10)),
        question=question,
        fallback_text=fallback_text,
        reason="low_confidence",
        confidence=0.31,
        provenance="server",
        tail=tail,
        locale="es",
        contact=None,
        status="queued",
        created_at="2026-11-21T09:00:00.000Z",
    )


def an_added_turn() -> AddedTurn:
    return AddedTurn(
        id=new_id("e", 2, bytes(10)),
        turn_id=new_id("t", 2, bytes(10)),
        question="And my <!here> refund?",
        fallback_text="A person will answer here.",
        reason="empty",
        confidence=0.0,
        provenance="server",
        tail=(MemoryTurn("user", "Where is my parcel?"),),
        locale="en",
        contact=None,
        created_at="2026-11-21T09:05:00.000Z",
    )


async def commit(
    truth: Truth,
    number: int = 1,
    *,
    targets: tuple[str, ...] = ("ops",),
    kind: str = "webhook",
    question: str = "Where is my parcel?",
    contact: str | None = None,
    by_gateway: bool = False,
    at: float = START,
    conversation: int | None = None,
) -> str:
    """Commit escalation `number`, in a conversation of that number or another; its id."""
    unique = number.to_bytes(10, "big")
    place = (conversation or number).to_bytes(10, "big")
    request = EscalationRequest(
        turn_id=new_id("t", int(at * 1000), unique),
        conversation_id=new_id("c", int(at * 1000), place),
        question=question,
        fallback_text="A person will answer here.",
        reason="low_confidence",
        confidence=0.31,
        conversation_tail=(
            MemoryTurn("user", "Hello"),
            MemoryTurn("assistant", "Hello!", "kb", 0.9),
        ),
        locale="en",
        contact=contact,
        receipt=None,
        timestamp="2026-11-21T09:00:00Z",
    )
    opened = OpenEscalation(
        id=new_id("e", int(at * 1000) + number, unique),
        request=request,
        targets=tuple((name, kind) for name in targets),
        by_gateway=by_gateway,
    )
    finished = Finished("0" * 64, 202, "{}", None)
    key = f"key-{number}-{by_gateway}"
    work = Work(scope=SCOPE, at=at, key=key, finished=finished, escalation=opened)
    committed = await truth.commit(work)
    assert committed is not None
    return committed.id
