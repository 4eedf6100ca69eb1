"""What an engine's process does with what it is told, without being one."""

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest

from models.engines import child as module
from models.engines.child import Child
from models.engines.llama import LlamaSettings
from models.engines.protocol import Call, Piece, Sampling
from models.engines.wire import LENGTH, call_to, length_of, settings_to, unpacked
from models.errors import EngineFailed
from tests.models.server.scripted import END, ScriptedEngine

LOAD = {
    "do": "load",
    "id": 0,
    "path": "model.gguf",
    "settings": settings_to(LlamaSettings("llama", 64, 1)),
}
GENERATE = {"do": "generate", "call": call_to(Call("Hi", Sampling(1), 9))}


class World:
    def __init__(self, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
        def engine_of(path: Path, settings: object) -> ScriptedEngine:
            assert (path, settings) == (Path("model.gguf"), LlamaSettings("llama", 64, 1))
            return engine

        monkeypatch.setattr(module, "engine_of", engine_of)
        self.out = io.BytesIO()
        self.ends: list[int] = []
        self.child = Child(self.out, self.ends.append)

    async def told(self, *frames: dict[str, Any]) -> list[dict[str, Any]]:
        """What it tells until everything is over."""
        self.out.seek(0)
        self.out.truncate()
        for frame in frames:
            self.child.heed(frame)
            await asyncio.sleep(0)
        while self.child._tasks:
            await asyncio.wait(self.child._tasks.values())
            await asyncio.sleep(0)
        data, found = io.BytesIO(self.out.getvalue()), []
        while head := data.read(LENGTH.size):
            found.append(unpacked(data.read(length_of(head))))
        return found


async def test_calls_are_told_of_until_their_work_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(ScriptedEngine((Piece("Hello"), END)), monkeypatch)
    (early, _) = await world.told({**GENERATE, "id": 5})
    assert early["error"]["text"] == "The model is not loaded."
    assert await world.told(LOAD) == [{"id": 0, "over": True}]
    assert await world.told({**GENERATE, "id": 1}) == [
        {"id": 1, "piece": ["Hello"]},
        {"id": 1, "piece": ["", [], "stop", [3, 2]]},
        {"id": 1, "over": True},
    ]
    (scored, _) = await world.told({"do": "score", "id": 2, "prompt": "a", "continuations": ["b"]})
    assert scored == {"id": 2, "value": [0.0]}
    assert not world.ends


async def test_what_is_told_to_end_ends_and_what_is_over_cannot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = ScriptedEngine((Piece("Half"), None))
    world = World(engine, monkeypatch)
    await world.told(LOAD)
    end = {"do": "end", "id": 1}
    told = await world.told({**GENERATE, "id": 1}, end, end)
    assert told[-1] == {"id": 1, "over": True}
    assert (engine.running, engine.ended) == (0, 1)
    assert await world.told(end) == []


async def test_an_engine_that_is_beyond_use_ends_its_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = ScriptedEngine((EngineFailed("no memory"),))
    world = World(engine, monkeypatch)
    await world.told(LOAD)
    engine.loaded = False
    failed, over = await world.told({**GENERATE, "id": 1})
    assert failed["error"] == {"kind": "EngineFailed", "text": "no memory"}
    assert over == {"id": 1, "over": True}
    assert world.ends == [1]
