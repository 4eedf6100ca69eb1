"""Several real models in one server, with memory for one of them."""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from models.engines.apart import EngineApart
from models.engines.kept import KeptModel
from models.engines.llama import LlamaSettings
from models.engines.room import Room
from models.registry.partial import sha256_of
from models.registry.registry import Registry
from models.server.app import Limits, Serving, create_app
from tests.gateway.serving import served
from tests.models.samples import entry, file_entry

pytestmark = pytest.mark.needs("weights")

EXPECTED, ALLOWED = 300_000_000, 400_000_000
"""What the catalogue says of each, and what both may take: a loaded one has more than 100 MB."""


def test_models_make_room_for_each_other_and_none_is_kept_out(
    registry: Callable[..., Registry], weights: Path
) -> None:
    light = weights / "smollm2-135m" / "1" / "SmolLM2-135M-Instruct.Q4_1.gguf"
    promise = {"size": str(light.stat().st_size), "sha256": f'"{sha256_of(light)}"'}
    files = file_entry(**promise)
    names = ("one", "two")
    made = registry(*(entry(model=name, files=files, memory=str(EXPECTED)) for name in names))
    settings, room, kept = LlamaSettings("llama", 256, 1), Room(ALLOWED), {}
    for name in names:
        model = made.newest(name)
        path = made.shelf.path(model, "model.gguf")
        path.parent.mkdir(parents=True)
        path.symlink_to(light)
        kept[name] = KeptModel(
            made, model, lambda path, _: EngineApart(path, settings), idle_s=60, room=room
        )
    serving = Serving(kept, Limits(at_once=2), time.time, time.monotonic, room=room)
    with (
        served(create_app(serving)) as origin,
        httpx.Client(base_url=origin, timeout=120, trust_env=False) as client,
    ):

        def ask(name: str, tokens: int = 2) -> int:
            body = {"model": name, "prompt": "Once upon a time", "max_tokens": tokens}
            return client.post("/v1/completions", json=body).status_code

        def loaded() -> set[str]:
            states = client.get("/health").json()["models"]
            return {name for name, state in states.items() if state["loaded"]}

        assert client.post("/v1/models/one/warm").json() == {"id": "one", "loaded": True}
        assert loaded() == {"one"}
        assert kept["one"].memory > ALLOWED - EXPECTED
        assert 'fanlight_model_memory_bytes{model="two"} 0.0' in client.get("/metrics").text
        # Somebody is at work with the one: the other waits for that, and not for more.
        told: list[int] = []
        slow = threading.Thread(target=lambda: told.append(ask("one", 40)))
        slow.start()
        while not serving.running():
            time.sleep(0.01)
        assert ask("two") == 200
        slow.join()
        assert told == [200]
        assert loaded() == {"two"}
        assert ask("one") == 200
        assert loaded() == {"one"}
        assert client.post("/v1/models/three/warm").status_code == 404
        # A crash of native code costs its callers their replies, and the server nothing.
        crashing = threading.Thread(target=lambda: told.append(ask("one", 200)))
        crashing.start()
        while not serving.running():
            time.sleep(0.01)
        engine = kept["one"]._engine
        assert isinstance(engine, EngineApart)
        assert engine.process_id is not None
        os.kill(engine.process_id, signal.SIGSEGV)
        crashing.join()
        assert told == [200, 500]
        assert loaded() == set()
        assert ask("one") == 200
    assert not any(each.loaded for each in kept.values())
