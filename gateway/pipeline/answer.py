"""From a checked question to a judged turn.

The gate runs first, over the same index as in the browser. Where it asks back, the turn is that
question. What it does not trust goes to the model, where there is one; without one the turn says so
and escalates, and so does a question that the guard keeps from models. A model that fails or is
late ends in a turn that escalates, never in an error. It keeps nothing: the caller commits the
turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

from core.encoding import timestamp
from core.errors import Unavailable
from core.gate import Verdict, must_escalate
from core.messages import ChatRequest, Citation, Turn, Usage
from core.ports import Clock, Piece, Transport
from core.respond import Response, marked_sentence, respond, suggestions
from core.safety.kinds import UNSAFE_INPUT
from core.telemetry import SILENT, Telemetry, stage
from gateway.days import day_in
from gateway.pipeline.characters import WholeCharacters
from gateway.pipeline.deadlines import Deadlines, Hurry
from gateway.pipeline.guard import Guard
from gateway.pipeline.prompt import PASSAGES, build_prompt
from gateway.pipeline.score import score
from kb import Hit, Index

Emit = Callable[[str], None]
Over = Callable[[AsyncIterator[Piece]], AsyncIterator[Piece]]

CHARACTERS_A_TOKEN = 16
"""No tokenizer's tokens are longer on average; past this a server ignores its limit."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A judged turn, and what the visitor is shown where it is not trusted."""

    turn: Turn
    fallback_text: str


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One site's way from a question to a turn.

    All pipelines of a process share `gates`: a gate takes milliseconds of the event loop, and is
    run in one turn of it at a time. Otherwise a crowd's gates would run one after the other while
    everyone else's words, writes and refusals wait, at each of their steps again.
    """

    name: str
    index: Index
    threshold: float
    time_zone: str
    attended: Callable[[float], bool]
    transport: Transport | None
    deadlines: Deadlines
    max_tokens: int
    clock: Clock
    gates: asyncio.Lock
    telemetry: Telemetry = SILENT
    back_at: Callable[[float], str | None] = lambda _at: None
    guard: Guard | None = None

    def hurry(self) -> Hurry:
        """The deadlines of a turn that begins now."""
        return Hurry(self.deadlines)

    async def answer(
        self, request: ChatRequest, emit: Emit, hurry: Hurry, judged: Callable[[], None]
    ) -> Answered:
        """Answer one question; `emit` gets the reply's text as it comes, within `hurry`.

        `judged` is called once the gate, which takes the processor, is through.
        """
        now = self.clock()
        attended = self.attended(now)
        async with self.gates:
            with stage(self.telemetry, "gate"):
                response = self._gate(request, attended=attended)
            judged()
            # All else that is ready goes before the next question's milliseconds.
            await asyncio.sleep(0)
        if response.verdict.answers and response.verdict.hit is not None:
            turn = self._from_entry(request, response.verdict, response.verdict.hit)
            emit(turn.reply)
        elif response.verdict.choices:
            turn = self._asking_back(request, response)
            emit(turn.reply)
        elif self.transport is None:
            reasons = (*response.verdict.reasons, "no_model")
            turn = self._unanswered(request, response, reasons)
        elif not self._admits(request.question):
            reasons = (*response.verdict.reasons, UNSAFE_INPUT)
            turn = self._unanswered(request, response, reasons)
        else:
            with stage(self.telemetry, "model"):
                turn = await self._from_model(request, response, emit, hurry.over, self.transport)
        if turn.escalate and not attended:
            turn = replace(turn, fallback_text=response.fallback_text, back_at=self.back_at(now))
        return Answered(turn, response.fallback_text)

    def _admits(self, question: str) -> bool:
        if self.guard is None:
            return True
        with stage(self.telemetry, "guard"):
            return self.guard.admits(question)

    def _gate(self, request: ChatRequest, *, attended: bool) -> Response:
        return respond(
            self.index,
            request.question,
            locale=request.locale,
            question_locale=request.question_locale,
            threshold=self.threshold,
            may_clarify=request.may_clarify,
            history=[turn.content for turn in request.training_memory if turn.role == "user"],
            today=day_in(self.time_zone, self.clock()),
            attended=attended,
        )

    def _from_entry(self, request: ChatRequest, verdict: Verdict, hit: Hit) -> Turn:
        entry = hit.entry
        return Turn(
            id=request.turn_id,
            conversation_id=request.conversation_id,
            reply=entry.answer,
            confidence=verdict.confidence,
            escalate=verdict.escalate,
            reasons=verdict.reasons,
            source="kb",
            created_at=timestamp(self.clock()),
            citations=tuple(Citation(link.title, link.url) for link in entry.links),
            sentence=marked_sentence(hit),
        )

    def _asking_back(self, request: ChatRequest, response: Response) -> Turn:
        """A turn that asks which of a few entries is meant; its text names them too."""
        choices = suggestions(response.verdict.choices)
        listed = "\n".join(f"- {choice.question}" for choice in choices)
        return Turn(
            id=request.turn_id,
            conversation_id=request.conversation_id,
            reply=f"{response.clarify_text}\n\n{listed}",
            confidence=response.verdict.confidence,
            escalate=False,
            reasons=response.verdict.reasons,
            source="kb",
            created_at=timestamp(self.clock()),
            choices=choices,
        )

    def _unanswered(
        self, request: ChatRequest, response: Response, reasons: tuple[str, ...]
    ) -> Turn:
        """A turn without a reply: the panel shows the fallback, and a person is asked."""
        return Turn(
            id=request.turn_id,
            conversation_id=request.conversation_id,
            reply="",
            confidence=response.verdict.confidence,
            escalate=True,
            reasons=reasons,
            source="kb",
            created_at=timestamp(self.clock()),
        )

    async def _from_model(
        self,
        request: ChatRequest,
        response: Response,
        emit: Emit,
        over: Over,
        transport: Transport,
    ) -> Turn:
        hits, memory = response.hits[:PASSAGES], request.training_memory
        if self.guard is not None:
            memory = await self.guard.kept(memory)
        prompt = build_prompt(
            name=self.name,
            question=request.question,
            hits=hits,
            memory=memory,
            max_tokens=min(request.max_tokens, self.max_tokens),
        )
        parts: list[str] = []
        characters = WholeCharacters()
        written = 0
        usage: Usage | None = None
        try:
            async for piece in over(transport.stream(prompt)):
                usage = piece.usage or usage
                text = characters.feed(piece.text)
                if text:
                    parts.append(text)
                    written += len(text)
                    _check_length(written, prompt.max_tokens)
                    emit(text)
        except Unavailable:
            reasons = (*response.verdict.reasons, "model_unavailable")
            return self._unanswered(request, response, reasons)
        parts.append(characters.end())
        return self._judged(request, "".join(parts).strip(), hits, transport.model, usage)

    def _judged(
        self,
        request: ChatRequest,
        reply: str,
        hits: tuple[Hit, ...],
        model: str,
        usage: Usage | None,
    ) -> Turn:
        confidence = score(reply, request.question, hits)
        reasons = must_escalate(reply, confidence, self.threshold)
        return Turn(
            id=request.turn_id,
            conversation_id=request.conversation_id,
            reply=reply,
            confidence=confidence,
            escalate=bool(reasons),
            reasons=reasons,
            source="cloud",
            created_at=timestamp(self.clock()),
            model=model,
            citations=_citations(hits),
            usage=usage,
        )


def _check_length(written: int, max_tokens: int) -> None:
    if written > CHARACTERS_A_TOKEN * max_tokens:
        raise Unavailable("the model wrote more than it was asked to")


def _citations(hits: tuple[Hit, ...]) -> tuple[Citation, ...]:
    links = dict.fromkeys(link for hit in hits for link in hit.entry.links)
    return tuple(Citation(link.title, link.url) for link in links)
