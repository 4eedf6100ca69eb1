"""The one object that a turn is on its way: what the gate found, and what each stage adds to it.

A stage gives back a new state and changes none, so that what a later stage sees is what an earlier
one decided. Once `turn` stands, nothing that comes after changes it but a stage of the slot that
made it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Final

from core.bank import Recalled
from core.confidence.quality import Quality
from core.messages import ChatRequest, Turn, Usage
from core.model_routing.caller import Caller
from core.model_routing.decision import Decision
from core.model_routing.permissions import Permissions
from core.ports import Clock, Piece, Prompt
from core.prompting.compose import PASSAGE_CHARACTERS, PASSAGES
from core.respond import Response
from core.trajectory import Trajectory
from gateway.pipeline.bill import Bill
from gateway.pipeline.classify.tasks import Profile
from gateway.pipeline.disclaimers import SILENT, Disclaimers
from gateway.pipeline.models import Model
from gateway.pipeline.tools.tool import ToolRun
from kb import Hit, Index

Emit = Callable[[str], None]
Over = Callable[[AsyncIterator[Piece]], AsyncGenerator[Piece, None]]

DOCUMENT_PASSAGES: Final = 8
DOCUMENT_CHARACTERS: Final = 4_000
"""Where a visitor asks what a document says, so many passages are given, and so much of each."""

CHAT = "chat"
"""The task type of a turn that nothing has classified."""


@dataclass(frozen=True, slots=True)
class Site:
    """What the stages know of the site that was asked.

    `threshold` is the confidence in [0, 1] below which a person is asked; `max_tokens` bounds a
    reply whatever the request says. `manner` gives what a model is told, in a language, of how the
    chat speaks; None where it speaks as it does. `tools` are what its models may use, by name;
    `disclaimers` its own topics of risk, and what is said beside them.
    """

    key: str
    name: str
    index: Index
    threshold: float
    max_tokens: int
    manner: Callable[[str], str | None] = lambda _locale: None
    time_zone: str = "UTC"
    tools: tuple[str, ...] = ()
    disclaimers: Disclaimers = SILENT


@dataclass(slots=True)
class Watch:
    """How long a turn takes, on a clock that only goes forward: in milliseconds since it began."""

    now: Clock
    began: float = field(init=False)
    first: float | None = None

    def __post_init__(self) -> None:
        """It begins."""
        self.began = self.now()

    @property
    def total_ms(self) -> float:
        """Until now."""
        return (self.now() - self.began) * 1000

    def over(self, emit: Emit) -> Emit:
        """The same, with the time of the first word noted."""

        def noted(text: str) -> None:
            if text and self.first is None:
                self.first = self.total_ms
            emit(text)

        return noted


@dataclass(frozen=True, slots=True)
class Part:
    """One question of several, and the ids of the entries that it finds, the best first."""

    question: str
    entries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """What a model wrote; `reasoning` is what it thought before, where it says so.

    `model` is its server's name for it, and `asked` that of the settings. `logprob` is the mean
    natural log-probability of the reply's tokens, where its server tells it.
    """

    reply: str
    model: str
    usage: Usage | None = None
    reasoning: str | None = None
    logprob: float | None = None
    asked: str | None = None


@dataclass(frozen=True, slots=True)
class TurnState:
    """A question between the gate and its judged turn.

    `emit` takes the reply's text as it comes, and `over` the deadlines of this turn to a stream.
    `profile` is what a classifier made of the question, and `candidates` are the models that may be
    asked, the preferred one first. `canaries` are words that the prompt has and no reply may;
    `quality` is what a scorer made of the reply, and `flaws` why it was not let pass. `caller` is
    whom the turn is for, `allowed` what that caller may have, and `decision` which models were
    chosen, and why; each is None where nothing decided it. `bill` alone is written to in place:
    what models cost is known also of a turn that is cut short. `watch` runs since the question
    came; `workflow` is which one answers; `trajectory` is what is kept of all this, to learn from.
    `tool_runs` are the calls of tools; `found` are entries and `told` other texts that they gave,
    by which the reply is judged too. `recalled` are answers to like questions, which the reply is
    never judged by: once there is a prompt, those that are in it. `parts` are the questions of a
    message that has several; `reach` is how many of the hits count as passages.
    """

    request: ChatRequest
    site: Site
    response: Response
    emit: Emit
    over: Over
    clock: Clock
    task_type: str = CHAT
    candidates: tuple[Model, ...] = ()
    prompt: Prompt | None = None
    written: Written | None = None
    turn: Turn | None = None
    canaries: tuple[str, ...] = ()
    quality: Quality | None = None
    flaws: tuple[str, ...] = ()
    profile: Profile | None = None
    caller: Caller | None = None
    allowed: Permissions | None = None
    decision: Decision | None = None
    bill: Bill = field(default_factory=Bill, compare=False)
    watch: Watch | None = None
    workflow: str | None = None
    trajectory: Trajectory | None = None
    tool_runs: tuple[ToolRun, ...] = ()
    found: tuple[Hit, ...] = ()
    told: tuple[str, ...] = ()
    recalled: tuple[Recalled, ...] = ()
    parts: tuple[Part, ...] = ()
    reach: int = PASSAGES

    @property
    def passages(self) -> tuple[Hit, ...]:
        """What was retrieved for this question, best first, and what a tool found after that."""
        return (*self.response.hits[: self.reach], *self.found)


def characters(state: TurnState) -> int:
    """Of each passage, at most: more where what is asked for is a document itself."""
    return DOCUMENT_CHARACTERS if state.reach > PASSAGES else PASSAGE_CHARACTERS
