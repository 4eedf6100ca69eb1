"""What the model server adds to the time until a reply's first token.

Decides how it is measured: the same short prompt by turns, once to an engine in this process and
once over HTTP to a server that runs. The best of each: a shared machine only ever adds to them.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Final

import httpx

from models.engines.llama import LlamaEngine, LlamaSettings
from models.engines.protocol import Call, Piece, Sampling
from models.engines.speed import Figures
from models.errors import EngineFailed

TURNS: Final = 24
CONTEXT: Final = 512
_TIMEOUT_S: Final = 120.0


async def measure_added(path: Path, architecture: str, threads: int, url: str) -> Figures:
    """Milliseconds to the first token, in the engine and over the server at `url`."""
    engine = LlamaEngine(path, LlamaSettings(architecture, CONTEXT, threads))
    await engine.load()
    alone, served = [], []
    async with httpx.AsyncClient(base_url=url, timeout=_TIMEOUT_S, trust_env=False) as client:
        name = (await client.get("models")).json()["data"][0]["id"]
        # The first of each loads, connects and warms caches, and does not count.
        for turn in range(TURNS + 1):
            prompt = f"{turn}: once upon a time there was"
            alone.append(await _first_piece(engine.generate(_call(prompt))))
            served.append(await _first_event(client, name, prompt))
    await engine.unload()
    bare_ms, served_ms = (min(each[1:]) * 1e3 for each in (alone, served))
    return {
        "first_token_ms": bare_ms,
        "served_first_token_ms": served_ms,
        "server_added_ms": served_ms - bare_ms,
    }


def _call(prompt: str) -> Call:
    return Call(prompt, Sampling(2), _TIMEOUT_S)


async def _first_piece(pieces: AsyncGenerator[Piece]) -> float:
    began = time.perf_counter()
    async with aclosing(pieces):
        await anext(pieces)
        took_s = time.perf_counter() - began
        async for _ in pieces:
            pass
    return took_s


async def _first_event(client: httpx.AsyncClient, name: str, prompt: str) -> float:
    body = {"model": name, "prompt": prompt, "max_tokens": 2, "temperature": 0, "stream": True}
    began, took_s = time.perf_counter(), 0.0
    async with client.stream("POST", "completions", json=body) as response:
        async for line in response.aiter_lines():
            if line.startswith("data: {"):
                took_s = took_s or time.perf_counter() - began
    if response.status_code != httpx.codes.OK or not took_s:
        raise EngineFailed(f"The model server answered {response.status_code}.")
    return took_s
