"""An engine that says what a test has written, in place of a library with weights."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from core.ports import Purpose
from models.engines.protocol import Call, Embedded, Piece, Usage
from models.errors import ModelError

END = Piece(finish="stop", usage=Usage(3, 2))


@dataclass
class ScriptedEngine:
    """Says these pieces, and raises the errors among them; a `None` waits until it is ended.

    `ended` counts the calls whose work has ended, however it did.
    """

    script: Sequence[Piece | ModelError | None] = (Piece("Hello"), Piece(" you"), END)
    loaded: bool = False
    running: int = 0
    ended: int = 0
    calls: list[Call] = field(default_factory=list)

    async def load(self) -> None:
        self.loaded = True

    async def unload(self) -> None:
        self.loaded = False

    async def generate(self, call: Call) -> AsyncGenerator[Piece]:
        self.calls.append(call)
        self.running += 1
        try:
            for each in self.script:
                if each is None:
                    await asyncio.Event().wait()
                elif isinstance(each, ModelError):
                    raise each
                else:
                    yield each
        finally:
            self.running -= 1
            self.ended += 1

    async def score(self, prompt: str, continuations: Sequence[str]) -> list[float]:
        return [0.0 for _ in (prompt, *continuations)][1:]

    async def embed(self, texts: Sequence[str], purpose: Purpose = "query") -> Embedded:
        return Embedded([[1.0] for _ in texts], len(texts))
