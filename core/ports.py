"""The doors of the house: what the gateway asks of stores, keys, clocks and models.

Every port is a protocol; adapters under `gateway/adapters` implement one each, and all of a kind
pass one congruence suite. Every call that concerns a visitor carries its `Scope`. Ports that sign
or verify are async because WebCrypto is, and neither `cryptography` nor a thread exists in Pyodide.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from core.messages import (
    Escalation,
    Usage,
)

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


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that the gateway signs with, or once did.

    `retired_at` is None while it may sign. Tokens under it are read until `tokens_until` (None: for
    as long as it signs); receipts under it verify for good. Both are Unix seconds.
    """

    kid: str
    jwk: Mapping[str, str]
    retired_at: float | None = None
    tokens_until: float | None = None


class KeyRing(Protocol):
    """The gateway's keys. Which of them signs may change at any time, so it is asked each time."""

    @property
    def signing(self) -> tuple[str, Signer]:
        """The `kid` of the key that signs now, and the key."""

    @property
    def published(self) -> Sequence[PublicKey]:
        """Every key that there was, newest last."""

    def find(self, kid: str) -> PublicKey | None:
        """The key of this id."""


class Verifier(Protocol):
    """ES256 verification under any public key."""

    async def verify(self, jwk: Mapping[str, str], data: bytes, signature: bytes) -> bool:
        """Whether `signature` (raw r||s) over `data` is that key's; False on a bad point too."""


class Cache(Protocol):
    """Short-lived state: nonces, quotas, marks of calls under way. Fails closed: `Unavailable`."""

    @property
    def since(self) -> float:
        """Unix seconds from which on the cache has forgotten nothing.

        It moves on when the cache learns that it has forgotten: read it again after a claim.
        """

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


@dataclass(frozen=True, slots=True)
class ToolForm:
    """A tool as a model is told of it; `parameters` is the JSON schema of its arguments."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model's wish to use a tool; `arguments` is JSON as the model wrote it, right or wrong."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a model said with its calls, and what came of each, in the calls' order."""

    text: str
    calls: Sequence[ToolCall]
    results: Sequence[str]


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is given: messages of the OpenAI dialect, and the reply's limit in tokens.

    `tools` are those it may call; `exchanges` are what it called before, and stand after the
    messages. Where it may not call again (`may_call`), what it did call still has its forms here.
    """

    messages: Sequence[Mapping[str, str]]
    max_tokens: int
    tools: Sequence[ToolForm] = ()
    exchanges: Sequence[Exchange] = ()
    may_call: bool = True


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a model's stream: text, what it thinks before it answers, or the usage.

    `logprobs` are the natural log-probabilities of the tokens that came with it, where they are
    told. `calls` are whole, and come at the end. An empty piece only says that the model goes on.
    """

    text: str = ""
    usage: Usage | None = None
    reasoning: str = ""
    logprobs: tuple[float, ...] = ()
    calls: tuple[ToolCall, ...] = ()


class Transport(Protocol):
    """A model server."""

    @property
    def model(self) -> str:
        """The model's name, as receipts and turns carry it."""

    def stream(self, prompt: Prompt) -> AsyncIterator[Piece]:
        """The reply as it is made. Raises `Unavailable` when the server fails or is late."""

    async def close(self) -> None:
        """Close connections."""


class FirstTokens(Protocol):
    """A model server that says how likely what it would write first is."""

    async def first_tokens(self, prompt: str) -> Mapping[str, float]:
        """Natural log-probabilities of the likeliest first tokens; raises `Unavailable`."""


Purpose = Literal["query", "passage"]
"""What a text is embedded for: to look for something, or to be found."""

Vector = Sequence[float]
"""The meaning of a text: of length 1, in 32-bit floats."""


class Embedder(Protocol):
    """Gives texts their vectors."""

    @property
    def model(self) -> str:
        """The name of the model: vectors of two models cannot be compared."""

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> list[Vector]:
        """A vector for each text, all of the same dimensions; raises `Unavailable`."""


class Reranker(Protocol):
    """Says how well passages answer a query, by reading both together."""

    async def rerank(self, query: str, passages: Sequence[str]) -> list[float]:
        """A score for each passage, higher is better; raises `Unavailable`."""


@dataclass(frozen=True, slots=True)
class Thread:
    """Where a target keeps what belongs to one escalation: a Slack workspace, channel and `ts`."""

    team: str
    channel: str
    ts: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt at a target.

    `retry_after_s` is what the target asked for; `disable` that it wants no more (HTTP 410);
    `give_up` that trying again is in vain until a person has done what `detail` says; `put_off`
    that it only has to wait, which counts as no attempt; `thread` is where the target keeps it.
    """

    delivered: bool
    outcome: str
    status: int | None = None
    detail: str = ""
    retry_after_s: float | None = None
    disable: bool = False
    give_up: bool = False
    put_off: bool = False
    thread: Thread | None = None


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
