"""The JAX engine against llama.cpp, on the real SmolLM2-135M in F16.

llama.cpp rounds what it multiplies F16 weights with to F16, JAX here does not: log-probabilities
differ by some thousandths. Where two tokens are nearer to each other than that, either may come.
"""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from models.decoder.tensors import GGUF_NAMES
from models.engines.jax import JaxEngine, JaxSettings
from models.engines.llama import LlamaEngine, LlamaSettings
from models.engines.protocol import Call, Message, Piece, Sampling, TokenLikelihood
from models.gguf.header import read_header
from tests.models.decoder.tiny import real, write_gguf
from tests.models.samples import key, text

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


def write_adapter(path: Path, base: Path, seed: int) -> None:
    """A random adapter of rank 8 on q and v of every layer, strong enough to change the words."""
    random = np.random.default_rng(seed)
    shapes = {each.name: each.shape for each in read_header(base).tensors}
    named = {}
    for layer in range(30):
        for name in ("q", "v"):
            own = f"blk.{layer}.{GGUF_NAMES[name]}.weight"
            inner, outer = shapes[own]
            named[f"{own}.lora_a"] = random.standard_normal((8, inner)).astype(np.float32) * 0.02
            named[f"{own}.lora_b"] = random.standard_normal((outer, 8)).astype(np.float32) * 0.2
    said = {
        "architecture": key("general.architecture", 8, text("llama")),
        "type": key("general.type", 8, text("adapter")),
        "adapter": key("adapter.type", 8, text("lora")),
        "alpha": real("adapter.lora.alpha", 16.0),
    }
    write_gguf(path, said, named)


def write_merged(path: Path, base: Path, adapter: Path) -> None:
    """The base with the adapter in its weights, which are F16 as before."""
    whole, changes = bytearray(base.read_bytes()), adapter.read_bytes()
    header, own = read_header(base), read_header(adapter)
    parts = {
        each.name: np.frombuffer(changes, "<f4", each.items, own.data_start + each.offset).reshape(
            each.shape[::-1]
        )
        for each in own.tensors
    }
    for each in header.tensors:
        if f"{each.name}.lora_a" in parts:
            at = header.data_start + each.offset
            old = np.frombuffer(whole, "<f2", each.items, at).reshape(each.shape[::-1])
            delta = parts[f"{each.name}.lora_b"] @ parts[f"{each.name}.lora_a"]
            new = old.astype(np.float32) + 16.0 / 8 * delta
            whole[at : at + each.size] = new.astype("<f2").tobytes()
    path.write_bytes(whole)


async def test_an_adapter_is_as_good_as_merged_weights_in_llama_cpp(
    ours: JaxEngine, theirs: LlamaEngine, smollm2: Path, tmp_path: Path
) -> None:
    for name, seed in (("one", 1), ("two", 2)):
        write_adapter(tmp_path / f"{name}.gguf", smollm2, seed)
        await ours.add_adapter(name, tmp_path / f"{name}.gguf")
    write_merged(tmp_path / "merged.gguf", smollm2, tmp_path / "one.gguf")
    prompt = PROMPTS[4]
    one, two, none = await asyncio.gather(
        *(
            pieces(ours, asked(prompt, adapters=each))
            for each in ((("one", 1.0),), (("two", 1.0),), ())
        )
    )
    merged = LlamaEngine(tmp_path / "merged.gguf", LlamaSettings("llama", 256, threads=2))
    await merged.load()
    agree(one, await pieces(merged, asked(prompt)))
    await merged.unload()
    agree(none, await pieces(theirs, asked(prompt)))
    assert (
        len({tuple(each.chosen.raw for each in tokens(reply)) for reply in (one, two, none)}) == 3
    )
