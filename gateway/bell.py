"""The bell: wakes the streams and workers that wait for something when it happened.

It carries no data and promises nothing: whoever is woken reads the truth, and whoever missed the
bell finds out at its next look. Where a gateway has several processes, a carrier takes each ring to
the others.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Self

OUTBOX = "outbox"
OPERATORS = "operators"
KNOWLEDGE = "knowledge"
"""Something was published."""
PERSONALITIES = "personalities"
"""An operator changed how a site's chat speaks."""


def conversation_topic(site: str, conversation_id: str) -> str:
    """The topic of one conversation's events."""
    return f"conversation:{site}:{conversation_id}"


class Bell:
    """Topics that tasks of one event loop wait on; `carry` takes a ring to other processes.

    It is given the topic's name, which `named` makes: for carriers whom others can overhear.
    """

    def __init__(
        self, carry: Callable[[str], None] | None = None, named: Callable[[str], str] = str
    ) -> None:
        self._carry = carry
        self._named = named
        self._waiting: dict[str, set[asyncio.Future[None]]] = defaultdict(set)
        self._last_words: set[Callable[[], None]] = set()
        self.closed = False

    def close(self) -> None:
        """Say that the process is stopping: everyone wakes, and streams send their last event."""
        self.closed = True
        for say in list(self._last_words):
            say()
        self.wake_all()

    @contextmanager
    def last_words(self, say: Callable[[], None]) -> Iterator[None]:
        """While inside, `say` is called once when the process begins to stop."""
        self._last_words.add(say)
        try:
            yield
        finally:
            self._last_words.discard(say)

    def ring(self, topic: str) -> None:
        """Wake everyone who waits on this topic now, in every process."""
        name = self._named(topic)
        self.hear(name)
        if self._carry is not None:
            self._carry(name)

    def wake_all(self) -> None:
        """Wake everyone in this process: something may have been missed."""
        for name in list(self._waiting):
            self.hear(name)

    def hear(self, name: str) -> None:
        """Wake everyone in this process who waits now on the topic of this name."""
        for future in self._waiting.pop(name, set()):
            if not future.done():
                future.set_result(None)

    def listen(self, *topics: str) -> Listener:
        """Start listening to any of these topics: what rings from now on is not missed."""
        return Listener(self, [self._named(topic) for topic in topics])

    def add(self, name: str, future: asyncio.Future[None]) -> None:
        """Register a waiter (for `Listener`)."""
        self._waiting[name].add(future)

    def discard(self, name: str, future: asyncio.Future[None]) -> None:
        """Forget a waiter (for `Listener`)."""
        waiting = self._waiting.get(name)
        if waiting is not None:
            waiting.discard(future)
            if not waiting:
                del self._waiting[name]


class Listener:
    """One task's ear on its topics; rings between two waits are kept. Use it with `with`."""

    def __init__(self, bell: Bell, names: Sequence[str]) -> None:
        self._bell = bell
        self._names = names
        self._future = self._arm()

    def _arm(self) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        for name in self._names:
            self._bell.add(name, future)
        return future

    def _disarm(self) -> None:
        for name in self._names:
            self._bell.discard(name, self._future)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._disarm()

    async def wait(self, timeout_s: float) -> bool:
        """True when the bell rang since the last wait, False after `timeout_s` seconds."""
        if self._bell.closed:
            return True
        done, _ = await asyncio.wait({self._future}, timeout=timeout_s)
        if done:
            self._disarm()  # the topics that did not ring still hold it
            self._future = self._arm()
        return bool(done)
