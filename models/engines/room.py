"""Memory for several models: which one makes room for another, and when.

Decides from what each takes: what its process has in memory, before that what the catalogue says.
Where they may take no more, or the machine has little left, the model that was used least recently
is unloaded, first of all one that nobody uses; else those who use it end, and who comes then waits.
So no model keeps another out for good. A model alone is never unloaded for lack of memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from models.engines.memory import Memory, read_memory
from models.errors import NoMemory

LOOK_S: Final = 5.0
SPARE: Final = 0.05
"""Of the machine's memory, this share is left to others."""


class Occupant(Protocol):
    """A model that may be in memory."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def loaded(self) -> bool:
        """Whether it is in memory."""

    @property
    def idle(self) -> bool:
        """Whether nobody uses it."""

    @property
    def used_at(self) -> float:
        """When it was last used; greater is later."""

    @property
    def memory(self) -> int:
        """Bytes that it takes, or is expected to."""

    async def give_up(self) -> None:
        """Unload it when those who use it have ended; who comes meanwhile waits for that."""


class Room:
    """The memory of one server; `limit` is what its models may take, None what the machine has."""

    def __init__(
        self, limit: int | None = None, read: Callable[[], Memory | None] = read_memory
    ) -> None:
        self._limit = limit
        self._read = read
        self._occupants: list[Occupant] = []
        self._coming: set[str] = set()
        self._making = asyncio.Lock()
        self._settled = asyncio.Event()

    def add(self, occupant: Occupant) -> None:
        """Reckon with a model."""
        self._occupants.append(occupant)

    async def make(self, wanted: Occupant) -> None:
        """Unload others until there is room for one. Raises `NoMemory` where there never is.

        It counts from now on, as what it is expected to take; `settled` ends that.
        """
        if self._limit is not None and wanted.memory > self._limit:
            raise NoMemory(wanted.name, wanted.memory, self._limit)
        async with self._making:
            while not self._fits(wanted):
                if other := self._least_recent(wanted):
                    await other.give_up()
                elif self._coming:
                    self._settled.clear()
                    await self._settled.wait()
                else:
                    break
            self._coming.add(wanted.name)

    def settled(self, occupant: Occupant) -> None:
        """It is loaded now, or will not be."""
        self._coming.discard(occupant.name)
        self._settled.set()

    async def watch(self) -> None:
        """Unload idle models whenever memory runs low, until cancelled; of one alone, none."""
        while True:
            await asyncio.sleep(LOOK_S)
            await self.look()

    async def look(self) -> None:
        """Unload the idle model that was used least recently, where memory is low."""
        loaded = [each for each in self._occupants if each.loaded]
        idle = [each for each in loaded if each.idle]
        if len(loaded) > 1 and idle and not self._fits(None):
            await min(idle, key=lambda each: each.used_at).give_up()

    def _fits(self, wanted: Occupant | None) -> bool:
        more = wanted.memory if wanted else 0
        coming = [each for each in self._occupants if each.name in self._coming and not each.loaded]
        more += sum(each.memory for each in coming)
        taken = sum(each.memory for each in self._occupants if each.loaded)
        if self._limit is not None and taken + more > self._limit:
            return False
        machine = self._read()
        return machine is None or machine.free - more >= machine.total * SPARE

    def _least_recent(self, wanted: Occupant) -> Occupant | None:
        others = [each for each in self._occupants if each.loaded and each is not wanted]
        return min(others, key=lambda each: (not each.idle, each.used_at), default=None)
