"""From a checked question to a judged turn.

The gate runs first, over the same index as in the browser. Where it asks back, the turn is that
question. What it does not trust goes through the workflow of its task; without a model, or with one
that fails, that ends in a turn that escalates, never in an error, and so does a question that the
guard keeps from models. It keeps nothing: the caller commits the turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from core.intents.intents import NO_RULES, Rules
from core.memory_meta import memory_meta
from core.messages import ChatRequest, Turn
from core.model_routing.caller import Caller
from core.model_routing.permissions import Permissions
from core.model_routing.resolve import Resolver
from core.ports import Clock
from core.respond import Response, respond
from core.safety.kinds import UNSAFE_INPUT
from core.telemetry import SILENT, Telemetry, stage
from core.trajectory import Trajectory
from gateway.days import day_in
from gateway.pipeline.bank import Bank, with_recalled
from gateway.pipeline.deadlines import Deadlines, Hurry
from gateway.pipeline.guard import Guard
from gateway.pipeline.history import Earlier
from gateway.pipeline.intent import by_parts, commanded, reaching
from gateway.pipeline.looked import Tell, looked_at, tell_nobody, with_memory
from gateway.pipeline.spending import Spending
from gateway.pipeline.stages import Workflows
from gateway.pipeline.state import Emit, Site, TurnState, Watch
from gateway.pipeline.turns import asking_back, from_entry, unanswered


@dataclass(frozen=True, slots=True)
class Answered:
    """A judged turn, and what the visitor is shown where it is not trusted.

    `trajectory` is how it came about; None where nothing learns.
    """

    turn: Turn
    fallback_text: str
    trajectory: Trajectory | None = None


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One site's way from a question to a turn.

    All pipelines of a process share `gates`: a gate takes milliseconds of the event loop, and is
    run in one turn of it at a time. Otherwise a crowd's gates would run one after the other while
    everyone else's words, writes and refusals wait, at each of their steps again. `canaries` makes
    the words of one turn that its prompt has and no reply may.
    """

    site: Site
    workflows: Workflows
    time_zone: str
    attended: Callable[[float], bool]
    deadlines: Deadlines
    clock: Clock
    gates: asyncio.Lock
    telemetry: Telemetry = SILENT
    back_at: Callable[[float], str | None] = lambda _at: None
    guard: Guard | None = None
    spending: Spending | None = None
    resolver: Resolver | None = None
    canaries: Callable[[], tuple[str, ...]] = tuple
    intents: Rules = NO_RULES
    bank: Bank | None = None

    def hurry(self) -> Hurry:
        """The deadlines of a turn that begins now."""
        return Hurry(self.deadlines)

    async def answer(
        self,
        request: ChatRequest,
        emit: Emit,
        hurry: Hurry,
        judged: Callable[[], None],
        caller: Caller | None = None,
        *,
        tell: Tell = tell_nobody,
        earlier: Earlier | None = None,
    ) -> Answered:
        """Answer one question; `emit` gets the reply's text as it comes, within `hurry`.

        `judged` is called once the gate, which takes the processor, is through. `caller` is whom
        the turn is for; where permissions hold, it gets no more than it may have. `tell` gets what
        was looked at (MemoryMeta v1), once it is found and once it is used. `earlier`
        gives what was said before, where anything of it is kept; the gate goes by the request's own
        lines, as in the browser.
        """
        allowed = self.resolver.allowed(caller) if self.resolver and caller else None
        at_once = allowed is None or allowed.streaming_allowed
        now, watch = self.clock(), Watch(asyncio.get_running_loop().time)
        attended = self.attended(now)
        response = await self._in_turn(request, judged, attended=attended)
        state = TurnState(
            _shortened(request, allowed),
            self.site,
            response,
            watch.over(emit if at_once else _withheld),
            hurry.over,
            self.clock,
            canaries=self.canaries(),
            caller=caller,
            allowed=allowed,
            watch=watch,
        )
        if not response.verdict.answers and not response.verdict.choices:
            state = reaching(by_parts(state, self.intents), self.intents)
        looked = looked_at(state, self.clock() - now)
        tell(memory_meta(looked))
        state = await self._settled(state, earlier)
        turn = _turn_of(state)
        if not at_once and turn.reply:
            emit(turn.reply)
        turn = with_memory(turn, state, looked, self.clock() - now, tell)
        if turn.escalate and not attended:
            turn = replace(turn, fallback_text=response.fallback_text, back_at=self.back_at(now))
        return Answered(turn, response.fallback_text, state.trajectory)

    def judged(self, request: ChatRequest, caller: Caller) -> TurnState:
        """A question as the gate sees it, for whoever asks why: nothing is streamed or kept."""
        response = self._gate(request, attended=self.attended(self.clock()))
        allowed = self.resolver.allowed(caller) if self.resolver else None
        return TurnState(
            _shortened(request, allowed),
            self.site,
            response,
            _withheld,
            self.hurry().over,
            self.clock,
            caller=caller,
            allowed=allowed,
        )

    async def _in_turn(
        self, request: ChatRequest, judged: Callable[[], None], *, attended: bool
    ) -> Response:
        """What the gate says, one question at a time."""
        async with self.gates:
            with stage(self.telemetry, "gate"):
                response = self._gate(request, attended=attended)
            judged()
            # All else that is ready goes before the next question's milliseconds.
            await asyncio.sleep(0)
        return response

    def _gate(self, request: ChatRequest, *, attended: bool) -> Response:
        return respond(
            self.site.index,
            request.question,
            locale=request.locale,
            question_locale=request.question_locale,
            threshold=self.site.threshold,
            may_clarify=request.may_clarify,
            history=[turn.content for turn in request.training_memory if turn.role == "user"],
            today=day_in(self.time_zone, self.clock()),
            attended=attended,
        )

    async def _settled(self, state: TurnState, earlier: Earlier | None) -> TurnState:
        """The state with its turn; what it cost is settled, however it ends."""
        try:
            return await self._judged(state, earlier)
        finally:
            # This awaits nothing, so that nothing can come between.
            if self.spending is not None and state.caller is not None:
                self.spending.settle(state.caller, state.request.turn_id, state.bill)

    async def _judged(self, state: TurnState, earlier: Earlier | None) -> TurnState:
        """The state with its turn, and what is learnt from it."""
        verdict = state.response.verdict
        turn = None
        if verdict.answers and verdict.hit is not None:
            turn = from_entry(state, verdict, verdict.hit)
        elif verdict.choices:
            turn = asking_back(state, state.response)
        else:
            turn = commanded(state, self.intents)
        if turn is not None:
            state.emit(turn.reply)
            return await self.workflows.learn(replace(state, turn=turn), self.telemetry)
        if self.guard is not None:
            with stage(self.telemetry, "guard"):
                if not self.guard.admits(state.request.question):
                    refused = replace(state, turn=unanswered(state, UNSAFE_INPUT))
                    return await self.workflows.learn(refused, self.telemetry)
                memory = await self.guard.kept(state.request.training_memory)
            state = replace(state, request=replace(state.request, training_memory=memory))
        if earlier is not None:
            memory = await earlier(state.request.training_memory)
            state = replace(state, request=replace(state.request, training_memory=memory))
        with stage(self.telemetry, "recall"):
            state = await with_recalled(state, self.bank, self.guard)
        with stage(self.telemetry, "model"):
            return await self.workflows.run(state, self.telemetry)


def _turn_of(state: TurnState) -> Turn:
    if state.turn is None:
        raise RuntimeError(f"the workflow for {state.task_type} made no turn")
    return state.turn


def _shortened(request: ChatRequest, allowed: Permissions | None) -> ChatRequest:
    """The question, with no longer a reply than its caller may have."""
    most = allowed.max_output_tokens if allowed else 0
    return replace(request, max_tokens=min(request.max_tokens, most)) if most else request


def _withheld(text: str) -> None:
    """Words that nobody reads yet: a caller who may not be streamed to has them once judged."""
