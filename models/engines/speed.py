"""How fast engines are with the same weights, and how much memory they take.

Each function measures one engine in the process that calls it, so that peak memory is that
engine's. Times are the best of a few: a shared machine only ever adds to them.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from models.engines.jax import Kind, device_kind
from models.engines.llama import LlamaEngine, LlamaSettings
from models.engines.onnx import OnnxEngine, OnnxSettings
from models.engines.protocol import Call, Engine, Sampling
from models.registry.model import Embedding

PROMPT: Final = 256
"""Tokens that are read in one go."""

CONTEXT: Final = 512
"""Of each row in JAX; llama.cpp cuts the prompt into tokens itself, and has room for any cut."""

_ROOMY: Final = 2_048
ROWS: Final = 8
RANK: Final = 8
"""What S3 5.2 calls enough for a person's own adapter."""

ADAPTERS: Final = (1, 4, 8)
ROUNDS: Final = 4
_WORD: Final = "word "
SENTENCE: Final = "How long does it take until my parcel arrives?"
TEXTS: Final = 64
_TIMEOUT_S: Final = 600.0

type Figures = dict[str, float | str]


def measure_llama(path: Path, architecture: str, threads: int, tokens: int) -> Figures:
    """llama.cpp: tokens a second of a prompt and of a reply, through the protocol."""
    engine = LlamaEngine(path, LlamaSettings(architecture, _ROOMY, threads))
    return {**asyncio.run(_streamed(engine, tokens)), **_memory()}


def measure_jax(path: Path, architecture: str, kind: Kind, tokens: int) -> Figures:
    """JAX: the same of one row, and `ROWS` rows at once with none and with several adapters.

    `adapters_N` is tokens a second with N different adapters over the rows, as a share of
    `batch_tps`, which is without any.
    """
    import jax  # noqa: PLC0415 - large, and not installed everywhere
    import numpy as np  # noqa: PLC0415

    from models.decoder.adapter import random_adapter  # noqa: PLC0415
    from models.decoder.decoder import Decoder  # noqa: PLC0415
    from models.decoder.weights import load_gguf  # noqa: PLC0415

    kind = device_kind(kind)
    _, shape, weights = load_gguf(path, architecture, kind)
    figures: Figures = {"device": jax.devices()[0].device_kind, "kind": kind}
    alone = Decoder(shape, weights, rows=1, context=CONTEXT)
    reading, writing = _bests(partial(_read, alone), partial(_go_on, alone, [{}], tokens))
    figures |= {"prefill_tps": PROMPT / reading, "decode_tps": tokens / writing}
    batch = Decoder(shape, weights, rows=ROWS, context=CONTEXT)
    random = np.random.default_rng(0)
    for number in range(ROWS):
        batch.pool.put(str(number), random_adapter(shape, RANK, random))
    kinds: list[Sequence[Mapping[str, float]]] = [
        [{}] * ROWS,
        *([{str(row % count): 1.0} for row in range(ROWS)] for count in ADAPTERS),
    ]
    plain, *others = _bests(*(partial(_go_on, batch, rows, tokens) for rows in kinds))
    figures["batch_tps"] = ROWS * tokens / plain
    figures |= {f"adapters_{n}": plain / each for n, each in zip(ADAPTERS, others, strict=True)}
    held = (jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use")
    return {**figures, **({"device_mb": held / 1e6} if held else {}), **_memory()}


def measure_onnx(path: Path, embedding: Embedding, context: int, threads: int) -> Figures:
    """ONNX Runtime: milliseconds of one short text and one that fills the context; texts a second.

    Through the engine, as the model server asks it.
    """
    engine = OnnxEngine(path, OnnxSettings(embedding, context, threads))
    return {**asyncio.run(_embedded(engine, context)), **_memory()}


async def _embedded(engine: Engine, context: int) -> Figures:
    began = time.perf_counter()
    await engine.load()
    figures: Figures = {"load_s": time.perf_counter() - began}
    many = [f"{SENTENCE} {number}" for number in range(TEXTS)]
    (alone_s, alone_cpu_s), (long_s, _), (many_s, _) = [
        await _best(engine, texts, rounds)
        for texts, rounds in (
            ([SENTENCE], 40 * ROUNDS),
            ([_WORD * context], ROUNDS),
            (many, ROUNDS),
        )
    ]
    await engine.unload()
    return {
        **figures,
        "short_ms": 1e3 * alone_s,
        "short_cpu_ms": 1e3 * alone_cpu_s,
        "full_context_ms": 1e3 * long_s,
        "texts_per_s": TEXTS / many_s,
    }


async def _best(engine: Engine, texts: Sequence[str], rounds: int) -> tuple[float, float]:
    """Seconds, and seconds of the processor: what they are where nobody else wants it."""
    times = []
    for _ in range(rounds):
        began, worked = time.perf_counter(), time.process_time()
        await engine.embed(texts)
        times.append((time.perf_counter() - began, time.process_time() - worked))
    return min(each for each, _ in times), min(each for _, each in times)


async def _streamed(engine: Engine, tokens: int) -> Figures:
    await engine.load()
    call = Call(_WORD * PROMPT, Sampling(tokens), _TIMEOUT_S)
    best = {"prefill_s": float("inf"), "decode_s": float("inf")}
    read = written = 0
    for turn in range(ROUNDS):
        # A prompt of its own each time: what was read before is not read again.
        own = replace(call, prompt=f"{turn} {call.prompt}")
        began, first = time.perf_counter(), 0.0
        async for piece in _closed(engine.generate(own)):
            first = first or time.perf_counter()
            if piece.usage:
                read, written = piece.usage.prompt, piece.usage.completion
        best["prefill_s"] = min(best["prefill_s"], first - began)
        best["decode_s"] = min(best["decode_s"], time.perf_counter() - first)
    await engine.unload()
    return {
        "prefill_tps": read / best["prefill_s"],
        "decode_tps": (written - 1) / best["decode_s"],
    }


async def _closed(pieces: Any) -> AsyncIterator[Any]:
    try:
        async for piece in pieces:
            yield piece
    finally:
        await pieces.aclose()


def _read(decoder: Any) -> None:
    decoder.read(0, [1] * PROMPT, 0, {})
    decoder.logits(0)


def _go_on(decoder: Any, rows: Sequence[Mapping[str, float]], tokens: int) -> None:
    for at in range(PROMPT, PROMPT + tokens):
        decoder.advance([1] * len(rows), [at] * len(rows), rows)
        # The next token needs these logits: nothing may run ahead.
        decoder.logits(0)


def _bests(*doings: Callable[[], None]) -> list[float]:
    """Seconds of each, by turns; the first time compiles, and does not count."""
    times: list[list[float]] = [[] for _ in doings]
    for turn in range(ROUNDS + 1):
        for own, does in zip(times, doings, strict=True):
            began = time.perf_counter()
            does()
            if turn:
                own.append(time.perf_counter() - began)
    return [min(own) for own in times]


def _memory() -> Figures:
    # Kilobytes on Linux, bytes on macOS.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"peak_mb": peak / (1e6 if sys.platform == "darwin" else 1e3)}
