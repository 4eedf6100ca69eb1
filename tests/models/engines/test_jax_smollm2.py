"""The JAX engine against llama.cpp, on the real SmolLM2-135M in F16.

llama.cpp rounds what it multiplies F16 weights with to F16, JAX here does not: log-probabilities
differ by some thousandths. Where two tokens are nearer to each other than that, either may come.
"""

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.decoder.adapter import Adapter
from models.decoder.shape import Shape
from models.engines.jax import JaxEngine, JaxSettings
from models.engines.llama import LlamaEngine, LlamaSettings
from models.engines.protocol import Call, Message, Piece, Sampling, TokenLikelihood
from models.export.adapters import write_adapter
from models.export.base import open_base
from models.export.gguf import write_merged
from models.gguf.types import F16, F32

pytestmark = pytest.mark.needs("weights")

TOKENS = 12
NEAR = 0.05
"""Log-probabilities of two tokens that are no further apart may change places."""
WITHIN = 0.1
"""Between the engines, of the likeliest tokens' log-probabilities."""

PROMPTS = (
    "What is the capital of France?",
    "What is the capital of Japan?",
    "Count from 1 to 5.",
    "Name three primary colours.",
    "Write one sentence about the sea.",
    "Who wrote Hamlet?",
    "What is 2 + 2?",
    "Translate 'good morning' to Spanish.",
    "Why is the sky blue?",
    "Give me a word that rhymes with cat.",
    "What do bees make?",
    "How many days has a week?",
    "What is the opposite of hot?",
    "Say hello.",
    "Which animal barks?",
    "¿Cuál es la capital de España?",
    "מה בירת ישראל?",
    "def add(a, b):",
    "List the months of spring 🌷.",
    "My order 48213 has not arrived; what now?",
)

ADAPTED = (PROMPTS[3], PROMPTS[4])
WEIGHT = 0.7


@pytest.fixture(scope="module")
def ours(smollm2: Path) -> JaxEngine:
    """One engine for all: compiling is what takes time."""
    engine = JaxEngine(smollm2, JaxSettings("llama", context=256, at_once=4, kind="float32"))
    asyncio.run(engine.load())
    return engine


@pytest.fixture(scope="module")
def theirs(smollm2: Path) -> LlamaEngine:
    engine = LlamaEngine(smollm2, LlamaSettings("llama", context=256, threads=2))
    asyncio.run(engine.load())
    return engine


def asked(prompt: str, *, adapters: tuple[tuple[str, float], ...] = ()) -> Call:
    return Call((Message("user", prompt),), Sampling(TOKENS, logprobs=5), 240, adapters)


async def pieces(engine: JaxEngine | LlamaEngine, call: Call) -> list[Piece]:
    return [piece async for piece in engine.generate(call)]


def tokens(found: list[Piece]) -> list[TokenLikelihood]:
    return [each for piece in found for each in piece.logprobs if each.chosen.raw]


def agree(mine: list[Piece], other: list[Piece]) -> bool:
    """Whether the texts are the same; checks likelihoods as far as they are.

    Where they part, the two tokens must be near each other. Of characters that take several tokens
    llama.cpp tells the last one's likelihoods alone: nothing is compared from there on.
    """
    same = said(mine) == said(other)
    for one, two in zip(tokens(mine), tokens(other), strict=False):
        expected = {each.raw: each.logprob for each in two.likeliest}
        if one.chosen.raw != two.chosen.raw:
            assert same or two.chosen.logprob - expected[one.chosen.raw] < NEAR, (one, two)
            return same
        for each in one.likeliest[:3]:
            if each.raw in expected:
                assert abs(expected[each.raw] - each.logprob) < WITHIN, (one, two)
    assert same
    assert mine[-1].usage == next(each.usage for each in other if each.usage)
    return True


def said(found: list[Piece]) -> str:
    return "".join(piece.text for piece in found)


async def test_twenty_prompts_are_answered_as_llama_cpp_does(
    ours: JaxEngine, theirs: LlamaEngine
) -> None:
    mine = await asyncio.gather(*(pieces(ours, asked(each)) for each in PROMPTS))
    others = [await pieces(theirs, asked(each)) for each in PROMPTS]
    assert "Paris" in said(mine[0])
    same = [agree(*both) for both in zip(mine, others, strict=True)]
    assert sum(same) >= 18


async def test_texts_are_cut_into_tokens_as_llama_cpp_does(
    ours: JaxEngine, theirs: LlamaEngine
) -> None:
    model = ours._model
    assert model is not None
    for each in (
        *PROMPTS,
        "a  b\n\n\tc 1234567 don't <|im_start|>user\nx<|im_end|>",
        "\x00é\u200f",
    ):
        assert model.tokens.encode(each) == theirs._tokens(theirs._server, each)


async def test_continuations_are_scored_as_llama_cpp_does(
    ours: JaxEngine, theirs: LlamaEngine
) -> None:
    question = ("The capital of France is", [" Paris", " London", " Paris, of course."])
    mine, others = await ours.score(*question), await theirs.score(*question)
    np.testing.assert_allclose(mine, others, atol=0.05, rtol=0)


async def test_bfloat16_scores_within_its_tolerance(ours: JaxEngine, smollm2: Path) -> None:
    half = JaxEngine(smollm2, JaxSettings("llama", context=256, at_once=1, kind="bfloat16"))
    await half.load()
    question = ("The capital of France is", [" Paris", " London"])
    found = await half.score(*question)
    await half.unload()
    np.testing.assert_allclose(found, await ours.score(*question), atol=0.3, rtol=0)


def random_adapter(shape: Shape, seed: int) -> Adapter:
    """Of rank 8 on q and v of every layer, strong enough to change the words."""
    random = np.random.default_rng(seed)
    parts = {}
    for name in ("q", "v"):
        outer, inner = shape.matrices()[name]
        for layer in range(shape.layers):
            a, b = random.standard_normal((8, inner)), random.standard_normal((outer, 8))
            parts[layer, name] = (a.astype(np.float32) * 0.02, b.astype(np.float32) * 0.3)
    return Adapter(parts)


async def test_an_exported_adapter_and_exported_weights_say_what_a_rows_adapter_says(
    ours: JaxEngine, smollm2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import xllamacpp

    base = open_base(smollm2)
    shape = base.tensors.shape
    adapters = {name: random_adapter(shape, seed) for name, seed in (("one", 1), ("two", 2))}
    for name, adapter in adapters.items():
        with (tmp_path / f"{name}.gguf").open("wb") as out:
            write_adapter(adapter, shape, F32, out)
        await ours.add_adapter(name, tmp_path / f"{name}.gguf")
    with (tmp_path / "merged.gguf").open("wb") as out:
        write_merged(base, [(adapters["one"], WEIGHT)], F16, out, lambda _done, _total: None)

    def applying(params: Any) -> Any:
        own = xllamacpp.CommonAdapterLoraInfo()
        own.path, own.scale = str(tmp_path / "one.gguf"), WEIGHT
        params.lora_adapters = [own]
        return server(params)

    settings, server = LlamaSettings("llama", 256, threads=2), xllamacpp.Server
    merged, applied = (
        LlamaEngine(tmp_path / "merged.gguf", settings),
        LlamaEngine(smollm2, settings),
    )
    await merged.load()
    with monkeypatch.context() as patched:
        patched.setattr(xllamacpp, "Server", applying)
        await applied.load()
    # Rows of one batch, each with its own.
    *mine, two, none = await asyncio.gather(
        *(
            pieces(ours, asked(prompt, adapters=each))
            for prompt, each in (
                *((prompt, (("one", WEIGHT),)) for prompt in ADAPTED),
                (ADAPTED[0], (("two", WEIGHT),)),
                (ADAPTED[0], ()),
            )
        )
    )
    for engine in (merged, applied):
        others = [await pieces(engine, asked(each)) for each in ADAPTED]
        await engine.unload()
        same = [agree(*both) for both in zip(mine, others, strict=True)]
        assert any(same)
    firsts = [tokens(each)[0].chosen for each in (mine[0], two, none)]
    assert len({(each.raw, round(each.logprob, 1)) for each in firsts}) == 3
