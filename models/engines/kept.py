"""A model that is loaded when it is first wanted, and unloaded when nobody has wanted it for long.

It is one of several that share memory (`room`): there it asks before it is loaded, and gives way.

Decides when. A file is checked each time before it is loaded, and held against removal until it is
unloaded. A load that fails leaves nothing loaded, and the next call tries again; so it does where
the engine has ended by itself. Loading goes on for the others where one who waits for it leaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from models.engines.apart import EngineApart
from models.engines.protocol import Engine
from models.engines.room import Room
from models.registry.model import Model
from models.registry.registry import Registry

type Make = Callable[[Path, Model], Engine]
"""Makes an engine, not yet loaded, for the file at a path."""


class KeptModel:
    """One model of a registry, with its engine while that is loaded."""

    def __init__(
        self,
        registry: Registry,
        model: Model,
        make: Make,
        *,
        idle_s: float,
        room: Room | None = None,
    ) -> None:
        self.model = model
        self.used_at = 0.0
        self._registry = registry
        self._make = make
        self._idle_s = idle_s
        self._engine: Engine | None = None
        self._held = ExitStack()
        self._changing = asyncio.Lock()
        self._users = 0
        self._free = asyncio.Event()
        self._free.set()
        self._admitting = asyncio.Event()
        self._admitting.set()
        self._room = room or Room()
        self._room.add(self)
        self._loading: asyncio.Task[Engine] | None = None
        self._unloading: asyncio.Task[None] | None = None

    @property
    def loaded(self) -> bool:
        """Whether it is in memory."""
        return self._engine is not None and self._engine.loaded

    @property
    def name(self) -> str:
        """What it is called."""
        return self.model.id

    @property
    def idle(self) -> bool:
        """Whether nobody uses it."""
        return not self._users

    @property
    def memory(self) -> int:
        """Bytes that its process has in memory, or that the catalogue says it takes."""
        measured = self._engine.memory if isinstance(self._engine, EngineApart) else None
        return self.model.memory if measured is None else measured

    @asynccontextmanager
    async def used(self) -> AsyncIterator[Engine]:
        """The engine, loaded; it is not unloaded meanwhile.

        Raises what `Registry.loadable` and `Engine.load` raise.
        """
        await self._admitting.wait()
        self._users += 1
        self._free.clear()
        try:
            yield await self._ready()
        finally:
            self._users -= 1
            self.used_at = asyncio.get_running_loop().time()
            if not self._users:
                self._free.set()
            self._unload_later()

    async def give_up(self) -> None:
        """Unload it when those who use it have ended; who comes meanwhile waits for that."""
        self._admitting.clear()
        try:
            await self._free.wait()
            async with self._changing:
                await self._unload()
        finally:
            self._admitting.set()

    async def close(self) -> None:
        """Unload it now, whatever runs."""
        for task in (self._unloading, self._loading):
            if task is not None:
                task.cancel()
        async with self._changing:
            await self._unload()

    async def _ready(self) -> Engine:
        if self._engine is not None and self._engine.loaded:
            return self._engine
        if self._loading is None:
            self._loading = asyncio.create_task(self._load())
            self._loading.add_done_callback(self._loaded)
        return await asyncio.shield(self._loading)

    def _loaded(self, task: asyncio.Task[Engine]) -> None:
        self._loading = None
        if not task.cancelled() and task.exception() is None:
            self._unload_later()  # whoever wanted it may have left

    async def _load(self) -> Engine:
        async with self._changing:
            if self._engine is None or not self._engine.loaded:
                await self._unload()
                with ExitStack() as holding:
                    hold = self._registry.loadable(self.model)
                    loadable = await asyncio.to_thread(holding.enter_context, hold)
                    self._engine = await self._open(loadable.path)
                    self._held = holding.pop_all()
            return self._engine

    async def _open(self, path: Path) -> Engine:
        await self._room.make(self)
        try:
            engine = self._make(path, self.model)
            await engine.load()
        finally:
            self._room.settled(self)
        return engine

    async def _unload(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.unload()
        self._held.close()

    def _unload_later(self) -> None:
        if self._users or self._engine is None:
            return
        if self._unloading is not None:
            self._unloading.cancel()
        self._unloading = asyncio.create_task(self._wait_idle())

    async def _wait_idle(self) -> None:
        await asyncio.sleep(self._idle_s)
        async with self._changing:
            if not self._users:
                await self._unload()
