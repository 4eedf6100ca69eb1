"""The ledger: signs a receipt for what a call left behind and commits both together.

Receipts of one session form a chain whose head the truth keeps, so the calls of one session are
recorded one after another; those of different sessions join one commit. A call is acknowledged only
after `record` returns, and `record` returns only when the truth has synced it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal
from weakref import WeakValueDictionary

from core.digest import sha256_hex
from core.errors import Conflict, Ended, Exists
from core.messages import Turn
from core.ports import Clock
from core.receipts import Receipt, chain_hash
from core.trajectory import Trajectory
from core.truth import Committed, Finished, OpenEscalation, ReceiptLink, Truth, Work
from gateway import problems
from gateway.bell import OPERATORS, OUTBOX, Bell, conversation_topic
from gateway.integrity import Caller
from gateway.tokens import Tokens

_HEADS = 10_000
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Record:
    """What a finished call leaves behind. `presented` is the receipt that the request carried."""

    key: str
    body_sha256: str
    presented: str | None
    turn_id: str
    conversation_id: str
    question: str
    answer: str
    confidence: float
    escalate: bool
    provenance: Literal["server", "client"]
    locale: str
    status: int
    body: str
    model: str | None = None
    turn: Turn | None = None
    escalation: OpenEscalation | None = None
    trajectory: Trajectory | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """A committed call: its outcome, and the escalation of its turn as it stands now."""

    finished: Finished
    escalation: Committed | None


class Ledger:
    """Records calls in one truth under one key."""

    def __init__(self, truth: Truth, tokens: Tokens, clock: Clock, bell: Bell) -> None:
        self._truth = truth
        self._tokens = tokens
        self._clock = clock
        self._bell = bell
        self._heads: OrderedDict[str, str | None] = OrderedDict()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def record(self, caller: Caller, record: Record) -> Recorded:
        """Commit a call with its receipt; what to answer, now and when it is repeated.

        Raises `Problem` when the turn is stored already, the visitor's sessions were ended
        meanwhile or another process of the same session kept winning, `Unavailable` when the truth
        is down, `NotFound` when the conversation is another's.
        """
        try:
            return await self._record(caller, record)
        finally:
            # Even when the truth was too late to say so, the escalation may have been committed.
            if record.escalation is not None:
                self._ring(caller, record)

    async def _record(self, caller: Caller, record: Record) -> Recorded:
        lock = self._locks.setdefault(caller.sid, asyncio.Lock())
        async with lock:
            for _ in range(_TRIES):
                try:
                    return await self._try(caller, record)
                except Exists as exc:
                    raise problems.turn_exists() from exc
                except Ended as exc:
                    raise problems.session_ended() from exc
                except Conflict:
                    self._heads.pop(caller.sid, None)
        raise problems.conflict()

    async def _try(self, caller: Caller, record: Record) -> Recorded:
        head = await self._head(caller.sid)
        receipt = await self._receipt(caller, record, head)
        finished = Finished(record.body_sha256, record.status, record.body, receipt)
        presented = chain_hash(record.presented) if record.presented else None
        work = Work(
            scope=caller.scope,
            at=self._clock(),
            key=record.key,
            finished=finished,
            link=ReceiptLink(caller.sid, receipt, head, presented),
            turn=record.turn,
            question=record.question,
            locale=record.locale,
            escalation=record.escalation,
            began=caller.claims["began"],
            trajectory=record.trajectory,
        )
        escalation = await self._truth.commit(work)
        self._remember(caller.sid, chain_hash(receipt))
        return Recorded(finished, escalation)

    async def _receipt(self, caller: Caller, record: Record, head: str | None) -> str:
        receipt = Receipt(
            turn_id=record.turn_id,
            site=caller.scope.site,
            sid=caller.sid,
            question_sha256=sha256_hex(record.question),
            answer_sha256=sha256_hex(record.answer),
            model=record.model,
            model_release=None,
            confidence=record.confidence,
            provenance=record.provenance,
            escalate=record.escalate,
            prev=head,
            iat=int(self._clock()),
        )
        return await self._tokens.sign(receipt.signing_input)

    async def _head(self, sid: str) -> str | None:
        if sid not in self._heads:
            self._remember(sid, await self._truth.receipt_head(sid))
        return self._heads[sid]

    def _remember(self, sid: str, head: str | None) -> None:
        self._heads[sid] = head
        self._heads.move_to_end(sid)
        if len(self._heads) > _HEADS:
            self._heads.popitem(last=False)

    def _ring(self, caller: Caller, record: Record) -> None:
        self._bell.ring(OUTBOX)
        self._bell.ring(OPERATORS)
        self._bell.ring(conversation_topic(caller.scope.site, record.conversation_id))
