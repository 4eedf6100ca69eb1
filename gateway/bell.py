"""The bell: wakes the streams and workers of this process when something they wait for happened.

It carries no data and promises nothing across processes: whoever is woken reads the truth, and
whoever missed the bell finds out at its next look.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

OUTBOX = "outbox"
OPERATORS = "operators"


def conversation_topic(site: str, conversation_id: str) -> str:
    """The topic of one conversation's events."""
    return f"conversation:{site}:{conversation_id}"


class Bell:
    """Topics that tasks of one event loop wait on."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Future[None]]] = defaultdict(set)
        self._last_words: set[Callable[[], None]] = set()
        self.closed = False

    def close(self) -> None:
        """Say that the process is stopping: everyone wakes, and streams send their last event."""
        self.closed = True
        for say in list(self._last_words):
            say()
        for topic in list(self._waiting):
            self.ring(topic)

    @contextmanager
    def last_words(self, say: Callable[[], None]) -> Iterator[None]:
        """While inside, `say` is called once when the process begins to stop."""
        self._last_words.add(say)
        try:
            yield
        finally:
            self._last_words.discard(say)

    def ring(self, topic: str) -> None:
        """Wake everyone who waits on this topic now."""
        for future in self._waiting.pop(topic, set()):
            if not future.done():
                future.set_result(None)

    def listen(self, topic: str) -> Listener:
        """Start listening: what rings from now on is not missed."""
        return Listener(self, topic)

    def add(self, topic: str, future: asyncio.Future[None]) -> None:
        """Register a waiter (for `Listener`)."""
        self._waiting[topic].add(future)

    def discard(self, topic: str, future: asyncio.Future[None]) -> None:
        """Forget a waiter (for `Listener`)."""
        waiting = self._waiting.get(topic)
        if waiting is not None:
            waiting.discard(future)
            if not waiting:
                del self._waiting[topic]


class Listener:
    """One task's ear on one topic; rings between two waits are kept. Use it with `with`."""

    def __init__(self, bell: Bell, topic: str) -> None:
        self._bell = bell
        self._topic = topic
        self._future = self._arm()

    def _arm(self) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._bell.add(self._topic, future)
        return future

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._bell.discard(self._topic, self._future)

    async def wait(self, timeout_s: float) -> bool:
        """True when the bell rang since the last wait, False after `timeout_s` seconds."""
        if self._bell.closed:
            return True
        done, _ = await asyncio.wait({self._future}, timeout=timeout_s)
        if done:
            self._future = self._arm()
        return bool(done)
