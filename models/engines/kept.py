"""A model that is loaded when it is first wanted, and unloaded when nobody has wanted it for long.

Decides when. A file is checked each time before it is loaded, and held against removal until it is
unloaded. A load that fails leaves nothing loaded, and the next call tries again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from models.engines.protocol import Engine
from models.registry.model import Model
from models.registry.registry import Registry

type Make = Callable[[Path, Model], Engine]
"""Makes an engine, not yet loaded, for the file at a path."""


class KeptModel:
    """One model of a registry, with its engine while that is loaded."""

    def __init__(self, registry: Registry, model: Model, make: Make, *, idle_s: float) -> None:
        self.model = model
        self._registry = registry
        self._make = make
        self._idle_s = idle_s
        self._engine: Engine | None = None
        self._held = ExitStack()
        self._changing = asyncio.Lock()
        self._users = 0
        self._unloading: asyncio.Task[None] | None = None

    @property
    def loaded(self) -> bool:
        """Whether it is in memory."""
        return self._engine is not None

    @asynccontextmanager
    async def used(self) -> AsyncIterator[Engine]:
        """The engine, loaded; it is not unloaded meanwhile.

        Raises what `Registry.loadable` and `Engine.load` raise.
        """
        self._users += 1
        try:
            yield await self._load()
        finally:
            self._users -= 1
            self._unload_later()

    async def close(self) -> None:
        """Unload it now, whatever runs."""
        if self._unloading is not None:
            self._unloading.cancel()
        async with self._changing:
            await self._unload()

    async def _load(self) -> Engine:
        async with self._changing:
            if self._engine is None:
                with ExitStack() as holding:
                    hold = self._registry.loadable(self.model)
                    loadable = await asyncio.to_thread(holding.enter_context, hold)
                    engine = self._make(loadable.path, self.model)
                    await engine.load()
                    self._held = holding.pop_all()
                self._engine = engine
            return self._engine

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
