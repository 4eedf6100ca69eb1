"""Idempotency: a call that changes something happens once, however often it is sent.

Finished: the stored outcome again, for 24 hours. Still running: 409. Cut off by a crash: it runs
again, ten seconds after its process died at the latest. Another body under the same key: 422. A
call that names its turn runs as that turn's only one, whatever the other keys: a visitor's browser
makes both names, and many calls of one turn would be many answers.

The marks of a running call live in the cache alone and only for `MARK_S`; a call that takes longer
says every few seconds that it is alive. Where a process stalls for so long that its call is taken
for dead, both may run: the truth takes the outcome of one, and the other hears of a conflict.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Final

from core.errors import Problem, Unavailable
from core.ports import Cache, Clock
from core.scope import Scope
from core.truth import FINISHED_KEPT_S, Finished, Truth
from gateway import problems

MARK_S: Final = 10.0
"""How long a call counts as running after it was last heard of."""
RENEWALS: Final = 3
"""So often within `MARK_S` a call says that it is alive: one or two that are lost do no harm."""

_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_ALIVE: Final = "1"
_ENDED: Final = ""
_ENDED_S: Final = 1.0


def check_key(key: str | None) -> str:
    """The key, checked; raises `Problem` when it is missing or malformed."""
    if key is None or _KEY.match(key) is None:
        raise problems.invalid(
            "idempotency-key",
            "This call needs an Idempotency-Key of 1 to 64 letters, digits, - or _.",
            "Send a new random key with each new request, and the same one when repeating it.",
        )
    return key


@dataclass(slots=True)
class _Running:
    """A call of this process: its marks, since when they stand, and who says that it is alive."""

    marks: tuple[str, ...]
    began: float
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    renewing: asyncio.Task[bool] | None = None


class Idempotency:
    """Begins and ends idempotent calls; none runs for longer than `longest_s`."""

    def __init__(
        self,
        truth: Truth,
        cache: Cache,
        clock: Clock,
        longest_s: float,
        *,
        mark_s: float = MARK_S,
    ) -> None:
        self._truth = truth
        self._cache = cache
        self._clock = clock
        self._longest_s = longest_s
        self._mark_s = mark_s
        self._running: dict[str, _Running] = {}

    async def begin(
        self, scope: Scope, key: str, body_sha256: str, turn: str | None = None
    ) -> Finished | None:
        """Begin a call: None when it is to run now, else its stored outcome. Raises `Problem`.

        `turn` is the id of the turn that it is to run alone. After None the caller must `end` it.
        """
        mark, began = _mark(scope, key), self._clock()
        marks = [mark]
        async with AsyncExitStack() as claimed:
            await self._claim(mark, claimed, problems.in_progress)
            stored = await self._truth.finished(scope, key, self._clock() - FINISHED_KEPT_S)
            if stored is None:
                if turn is not None:
                    marks.append(_turn_mark(scope, turn))
                    await self._claim(marks[-1], claimed, problems.turn_in_progress)
                self._begin(_Running(tuple(marks), began))
                claimed.pop_all()
        if stored is not None and stored.body_sha256 != body_sha256:
            raise problems.key_reused()
        return stored

    async def end(self, scope: Scope, key: str) -> None:
        """The call has finished, one way or the other."""
        call = self._running.pop(_mark(scope, key), None)
        if call is None:
            return
        call.ended.set()
        if call.renewing is not None and await call.renewing:
            await self._say(call, _ENDED, _ENDED_S)
        # A mark that has run out may be another call's by now.
        if self._clock() - call.began < self._mark_s:
            for mark in call.marks:
                await self._release(mark)

    async def _claim(
        self, mark: str, claimed: AsyncExitStack, running: Callable[[], Problem]
    ) -> None:
        """Take a mark, which `claimed` gives back; raises `running` where a call has it."""
        if not await self._cache.claim(mark, self._mark_s):
            raise running()
        claimed.push_async_callback(self._release, mark)
        # A mark that ran out is no sign of death: a longer call says that it is alive.
        if await self._cache.get(_alive(mark)) == _ALIVE:
            raise running()

    def _begin(self, call: _Running) -> None:
        mark = call.marks[0]
        if mark in self._running:  # taken for dead, after a stall of this very process
            self._running[mark].ended.set()
        self._running[mark] = call
        call.renewing = asyncio.create_task(self._renew(call))

    async def _renew(self, call: _Running) -> bool:
        """Say every so often that the call is alive, until it has ended; whether it was said."""
        every_s, told = self._mark_s / RENEWALS, False
        for _ in range(int(self._longest_s / every_s)):
            with suppress(TimeoutError):
                async with asyncio.timeout(every_s):
                    await call.ended.wait()
            if call.ended.is_set():
                break
            told = True  # whatever becomes of it: one that fails may have been heard
            await self._say(call, _ALIVE, self._mark_s)
        return told

    async def _say(self, call: _Running, word: str, ttl_s: float) -> None:
        for mark in call.marks:
            with suppress(Unavailable):
                await self._cache.put(_alive(mark), word, ttl_s)

    async def _release(self, mark: str) -> None:
        # What it did is done and is told, cache or none; the mark ends by itself a little later.
        with suppress(Unavailable):
            await self._cache.release(mark)


def _mark(scope: Scope, key: str) -> str:
    return f"running:{scope.site}:{scope.subject}:{key}"


def _turn_mark(scope: Scope, turn: str) -> str:
    return f"turn:{scope.site}:{scope.subject}:{turn}"


def _alive(mark: str) -> str:
    return f"alive:{mark}"
