"""Adapters over HTTP, with the JAX engine and a tiny model."""

import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from models.engines.jax import JaxEngine, JaxSettings
from models.engines.kept import KeptModel
from models.registry.registry import Registry
from models.server.app import Limits, Serving, create_app
from tests.gateway.serving import served
from tests.models.decoder import tiny
from tests.models.samples import entry, file_entry, known


@pytest.mark.needs("jax")
def test_a_request_names_its_adapters(registry: Callable[..., Registry], tmp_path: Path) -> None:
    data = tiny.gguf_file(tmp_path / "origin", tiny.weights()).read_bytes()
    made = registry(entry(files=file_entry(**known(data))))
    made.pull(made.newest("small"))
    adapter = tmp_path / "mine.gguf"
    tiny.adapter_file(adapter, tiny.random_adapter(1), alpha=8)
    settings = JaxSettings("llama", context=64, at_once=1, adapters=(("mine", adapter),))
    kept = KeptModel(
        made, made.newest("small"), lambda path, _model: JaxEngine(path, settings), idle_s=60
    )
    serving = Serving({"small": kept}, Limits(temperature=0), time.time, time.monotonic)
    with (
        served(create_app(serving)) as origin,
        httpx.Client(base_url=origin, timeout=60, trust_env=False) as client,
    ):

        def ask(**more: object) -> httpx.Response:
            body = {"model": "small", "prompt": "Once upon", "max_tokens": 8, **more}
            return client.post("/v1/completions", json=body)

        def text(**more: object) -> str:
            said: str = ask(**more).json()["choices"][0]["text"]
            return said

        assert text(adapters={"mine": 1}) != text() == text(adapters={"mine": 0})
        refused = ask(adapters={"yours": 1})
        assert refused.status_code == 422
        error = refused.json()["error"]
        assert (error["param"], error["code"]) == ("adapters", "adapter_not_found")
        assert "Loaded: mine." in error["message"]
