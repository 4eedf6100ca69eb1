"""The doors of the house: what the gateway asks of stores, keys, clocks and models.

Every port is a protocol; adapters under `gateway/adapters` implement one each, and all of a kind
pass one congruence suite. Every call that concerns a visitor carries its `Scope`. Ports that sign
or verify are async because WebCrypto is, and neither `cryptography` nor a thread exists in Pyodide.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from core.messages import (
    Attempt,
    DeliveryState,
    Escalation,
    EscalationRequest,
    EscalationStatus,
    Reply,
    Turn,
    Usage,
    VisitorEvent,
)
from core.scope import Scope

Clock = Callable[[], float]
"""Unix time in seconds."""

Random = Callable[[int], bytes]
"""That many unpredictable bytes."""


class Signer(Protocol):
    """The gateway's own ES256 key."""

    @property
    def jwk(self) -> Mapping[str, str]:
        """The public key; its RFC 7638 thumbprint is the `kid`."""

    async def sign(self, data: bytes) -> bytes:
        """The raw r||s signature (64 bytes) over `data`."""


class Verifier(Protocol):
    """ES256 verification under any public key."""

    async def verify(self, jwk: Mapping[str, str], data: bytes, signature: bytes) -> bool:
        """Whether `signature` (raw r||s) over `data` is that key's; False on a bad point too."""


class Cache(Protocol):
    """Short-lived state: nonces, quotas, marks of calls under way. Fails closed: `Unavailable`."""

    @property
    def since(self) -> float:
        """Unix seconds from which on the cache has forgotten nothing."""

    async def claim(self, key: str, ttl_s: float) -> bool:
        """Take `key` for `ttl_s` seconds; False when somebody holds it."""

    async def release(self, key: str) -> None:
        """Give `key` back."""

    async def count(self, key: str, window_s: float) -> tuple[int, float]:
        """Count one event of `key`; how many in this window, and seconds until it ends."""

    async def put(self, key: str, value: str, ttl_s: float) -> None:
        """Keep a value for `ttl_s` seconds."""

    async def get(self, key: str) -> str | None:
        """The value, or None when it is gone."""


FINISHED_KEPT_S = 24 * 3600.0
"""The outcome of an idempotent call is given again for this long (WIRE, Every later call)."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The stored outcome of an idempotent call, to be given again for `FINISHED_KEPT_S`."""

    body_sha256: str
    status: int
    body: str
    receipt: str | None


@dataclass(frozen=True, slots=True)
class ReceiptLink:
    """A receipt about to become the head of its session's chain."""

    sid: str
    receipt: str
    expected_head: str | None
    presented: str | None


@dataclass(frozen=True, slots=True)
class OpenEscalation:
    """An escalation to commit, with the targets that are to hear of it."""

    id: str
    request: EscalationRequest
    targets: tuple[tuple[str, str], ...]
    by_gateway: bool


@dataclass(frozen=True, slots=True)
class Work:
    """What one signed call leaves behind, committed together or not at all."""

    scope: Scope
    at: float
    key: str
    finished: Finished
    link: ReceiptLink | None = None
    turn: Turn | None = None
    question: str = ""
    locale: str = ""
    escalation: OpenEscalation | None = None


@dataclass(frozen=True, slots=True)
class Committed:
    """The escalation of a committed call's turn, as it stands now."""

    id: str
    status: EscalationStatus


@dataclass(frozen=True, slots=True)
class LeasedDelivery:
    """A delivery that this worker alone may try until its lease ends."""

    id: int
    target: str
    kind: str
    escalation: Escalation
    attempts: int


class Truth(Protocol):
    """The one durable store. A call that returns has been synced to disk."""

    async def start(self) -> None:
        """Open the store; raises `Unavailable` with the remedy when it cannot be used."""

    async def close(self) -> None:
        """Finish what is under way and close."""

    async def ping(self) -> None:
        """Raise `Unavailable` unless the store answers."""

    async def finished(self, scope: Scope, key: str, since: float) -> Finished | None:
        """The outcome stored under this idempotency key since `since`, if any."""

    async def receipt_head(self, sid: str) -> str | None:
        """The hash of the session's newest receipt."""

    async def receipt_gaps(self, sid: str) -> int:
        """How often the session's browser showed another receipt than its chain's head."""

    async def commit(self, work: Work) -> Committed | None:
        """Commit one call's work; the escalation that the work asks for, None where it asks none.

        One escalation per scope and turn: a later request only completes the first, the gateway's
        own judgement takes the place of a browser's, and once a person has replied or resolved it
        nothing changes it. What the gateway opened is due a moment later, or as soon as the browser
        has completed it.

        Raises `NotFound` when the conversation is another scope's or the turn another
        conversation's, `Exists` when another call has stored the turn, `Conflict` when the receipt
        head has moved or the key is already finished.
        """

    async def turn(self, scope: Scope, turn_id: str) -> Turn | None:
        """A stored turn of this scope."""

    async def conversation_owned(self, scope: Scope, conversation_id: str) -> bool:
        """False when the conversation belongs to another scope; an unknown one is free."""

    async def events(self, scope: Scope, conversation_id: str, after: int) -> list[VisitorEvent]:
        """The visitor's events after that id, oldest first."""

    async def open_escalations(self, scope: Scope, conversation_id: str) -> int:
        """How many of the conversation's escalations are not resolved."""

    async def escalations(
        self, *, status: Literal["open", "resolved", "all"], before: str | None, limit: int
    ) -> list[Escalation]:
        """Operators' list, newest first, older than the id `before`."""

    async def escalation(self, escalation_id: str) -> Escalation:
        """One escalation; raises `NotFound`."""

    async def reply(self, reply: Reply, *, resolve: bool, at: float) -> None:
        """Store a person's reply, and the visitor's event with it; raises `NotFound`."""

    async def resolve(self, escalation_id: str, at: float) -> None:
        """Mark an escalation resolved; pending deliveries are skipped; raises `NotFound`."""

    async def resend(self, escalation_id: str, at: float) -> int:
        """Make deliveries that are not delivered due again, resolved or not; how many."""

    async def lease_deliveries(
        self,
        now: float,
        until: float,
        limit: int,
        *,
        except_targets: frozenset[str] = frozenset(),
    ) -> list[LeasedDelivery]:
        """Take due deliveries of other targets than those; nobody else gets them before `until`.

        One whose escalation cannot be read has failed, and the others are given.
        """

    async def finish_delivery(
        self, delivery_id: int, attempt: Attempt, state: DeliveryState, next_at: float | None
    ) -> EscalationStatus:
        """Record an attempt and what follows; the escalation's status afterwards."""

    async def next_due(self, *, except_targets: frozenset[str] = frozenset()) -> float | None:
        """When the next pending delivery to another target than those is due, in Unix seconds."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is given: messages of the OpenAI dialect, and the reply's limit in tokens."""

    messages: Sequence[Mapping[str, str]]
    max_tokens: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a model's stream: text, or the usage that ends it."""

    text: str = ""
    usage: Usage | None = None


class Transport(Protocol):
    """A model server."""

    @property
    def model(self) -> str:
        """The model's name, as receipts and turns carry it."""

    def stream(self, prompt: Prompt) -> AsyncIterator[Piece]:
        """The reply as it is made. Raises `Unavailable` when the server fails or is late."""

    async def close(self) -> None:
        """Close connections."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt at a target.

    `retry_after_s` is what the target asked for; `disable` that it wants no more (HTTP 410).
    """

    delivered: bool
    outcome: str
    status: int | None = None
    detail: str = ""
    retry_after_s: float | None = None
    disable: bool = False


class Target(Protocol):
    """Somewhere that wakes a person."""

    @property
    def name(self) -> str:
        """The name from the settings."""

    @property
    def kind(self) -> str:
        """Which protocol it speaks, such as `webhook`."""

    async def deliver(self, escalation: Escalation, at: float) -> Outcome:
        """Try once, within 15 s; never raises for what the target does."""
