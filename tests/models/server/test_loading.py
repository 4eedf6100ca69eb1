"""A model that is being loaded, in a process of its own, holds up its own callers and no others."""

import asyncio
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from models.engines.apart import EngineApart
from models.engines.kept import KeptModel
from models.engines.llama import LlamaSettings
from models.engines.protocol import Engine
from models.errors import EngineFailed
from models.registry.model import Model
from models.registry.registry import Registry
from models.server.app import Limits, Serving, create_app
from tests.gateway.serving import served
from tests.models.samples import WORDS, entry, file_entry, known
from tests.models.server.scripted import ScriptedEngine

SETTINGS = LlamaSettings("llama", context=64, threads=1)


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """A file that is never read to its end: nobody writes to it."""
    path = tmp_path / "endless.gguf"
    os.mkfifo(path)
    return path


async def test_a_load_that_takes_too_long_leaves_no_process(endless: Path) -> None:
    engine = EngineApart(endless, SETTINGS, load_s=0.5)
    with pytest.raises(EngineFailed, match=r"endless\.gguf was not loaded within 0\.5 s"):
        await engine.load()
    assert not engine.loaded
    assert engine.process_id is None


def test_others_are_served_while_a_model_is_loaded(
    registry: Callable[..., Registry], tmp_path: Path, endless: Path
) -> None:
    (tmp_path / "origin").write_bytes(WORDS)
    files = file_entry(**known())
    made = registry(entry(model="slow", files=files), entry(model="quick", files=files))
    engines: dict[str, Engine] = {
        "slow": EngineApart(endless, SETTINGS),
        "quick": ScriptedEngine(),
    }

    def make(_path: Path, model: Model) -> Engine:
        return engines[model.id]

    kept = {}
    for name in engines:
        made.pull(made.newest(name))
        kept[name] = KeptModel(made, made.newest(name), make, idle_s=60)
    serving = Serving(kept, Limits(at_once=1), time.time, time.monotonic)
    with (
        served(create_app(serving)) as origin,
        httpx.Client(base_url=origin, timeout=20, trust_env=False) as client,
    ):

        def ask(name: str, timeout_s: float) -> int:
            body = {"model": name, "prompt": "Hi"}
            return client.post("/v1/completions", json=body, timeout=timeout_s).status_code

        def wait_for_slow() -> None:
            with suppress(httpx.ReadTimeout):
                ask("slow", 2)

        waiting = threading.Thread(target=wait_for_slow)
        waiting.start()
        while not serving.running():
            time.sleep(0.01)
        for _ in range(3):
            assert client.get("/health").json()["models"]["slow"] == {"loaded": False}
            assert "fanlight_model_running 1.0" in client.get("/metrics").text
            assert ask("quick", 20) == 200
        waiting.join()
        assert not kept["slow"].loaded


async def test_an_engine_that_has_ended_is_loaded_anew(
    registry: Callable[..., Registry], tmp_path: Path
) -> None:
    (tmp_path / "origin").write_bytes(WORDS)
    made = registry(entry(files=file_entry(**known())))
    made.pull(made.newest("small"))
    engines: list[ScriptedEngine] = []

    def make(_path: Path, _model: Model) -> Engine:
        engines.append(ScriptedEngine())
        return engines[-1]

    kept = KeptModel(made, made.newest("small"), make, idle_s=60)
    async with kept.used():
        engines[0].loaded = False  # as after a crash
    async with kept.used() as engine:
        assert engine is engines[1]
    await kept.close()


async def test_who_leaves_while_it_loads_does_not_stop_it_for_the_others(
    registry: Callable[..., Registry], tmp_path: Path
) -> None:
    (tmp_path / "origin").write_bytes(WORDS)
    made = registry(entry(files=file_entry(**known())))
    made.pull(made.newest("small"))
    going_on = asyncio.Event()

    class Slow(ScriptedEngine):
        async def load(self) -> None:
            await going_on.wait()
            self.loaded = True

    engine = Slow()
    kept = KeptModel(made, made.newest("small"), lambda _path, _model: engine, idle_s=60)

    async def want() -> bool:
        async with kept.used() as got:
            return got.loaded

    leaving, staying = asyncio.create_task(want()), asyncio.create_task(want())
    await asyncio.sleep(0.05)
    leaving.cancel()
    await asyncio.wait({leaving})
    going_on.set()
    assert await staying
    await kept.close()
