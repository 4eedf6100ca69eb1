"""Carries the bell's topics between the processes of a gateway, by Redis' publish and subscribe.

It decides that nobody waits for it: what cannot be carried now is dropped, and once the way is open
again everyone who listens is woken and looks for himself. It carries digests of topics alone: which
site and which conversation are meant cannot be read from them.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Final

from core.digest import sha256_hex
from core.encoding import b64url_encode
from core.errors import Unavailable
from core.ports import Random
from gateway.adapters.redis_link import DRIVER_ERRORS, RedisLink
from gateway.bell import Bell

CHANNEL: Final = "fanlight:bell"
TICK_S: Final = 4.0
SILENCE_S: Final = 3 * TICK_S
"""Each process hears its own ticks: without any, its connection is dead whatever it says."""
AGAIN_S: Final = 0.5
MOST_WAITING: Final = 10_000
_DIGEST_LETTERS: Final = 40


class RedisBell:
    """A bell that is heard in every process that has one over the same server."""

    def __init__(self, url: str, *, random: Random) -> None:
        self._url = url
        self._link = RedisLink(url)
        self._mine = b64url_encode(random(9))
        self._outgoing: dict[str, None] = {}
        self._something = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.bell = Bell(self._carry, named=digest)

    def start(self) -> None:
        """Begin to carry."""
        self._tasks = [asyncio.create_task(self._tell()), asyncio.create_task(self._listen())]

    async def close(self) -> None:
        """Stop carrying."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._link.close()

    def _carry(self, name: str) -> None:
        if len(self._outgoing) < MOST_WAITING:
            self._outgoing[name] = None
            self._something.set()

    async def _tell(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK_S):
                    await self._something.wait()
            self._something.clear()
            names, self._outgoing = list(self._outgoing), {}
            with suppress(Unavailable):
                for name in names or [""]:
                    await self._publish(f"{self._mine} {name}")

    async def _publish(self, words: str) -> None:
        await self._link.call(lambda: self._link.client.publish(CHANNEL, words))

    async def _listen(self) -> None:
        while True:
            with suppress(*DRIVER_ERRORS):
                async with self._link.client.pubsub() as heard:
                    await heard.subscribe(CHANNEL)
                    await self._hear(heard)
            await asyncio.sleep(AGAIN_S)

    async def _hear(self, heard: Any) -> None:
        """Until the connection breaks off, or is silent for too long: then `TimeoutError`."""
        while True:
            async with asyncio.timeout(SILENCE_S):
                message = await heard.get_message(timeout=SILENCE_S)
            if message is None:
                continue
            if message["type"] == "subscribe":
                # What was rung before is lost: everyone looks.
                self.bell.wake_all()
            elif message["type"] == "message":
                who, _, name = message["data"].decode("utf-8").partition(" ")
                if name and who != self._mine:
                    self.bell.hear(name)


def digest(topic: str) -> str:
    """What a topic is called in Redis. Without a key: an id of a conversation cannot be guessed."""
    return sha256_hex(topic.encode("utf-8", "surrogatepass"))[:_DIGEST_LETTERS]
