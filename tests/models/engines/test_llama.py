"""llama.cpp with the real SmolLM2-135M."""

import asyncio
import math
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from models.engines.llama import LlamaEngine, LlamaSettings
from models.engines.protocol import Call, Message, Piece, Sampling
from models.errors import BadFile, BadRequest, EngineFailed, Overflow, TooLate

pytestmark = pytest.mark.needs("weights")

SETTINGS = LlamaSettings("llama", context=512, threads=2, at_once=2)
CAPITAL = (Message("user", "What is the capital of France?"),)
STORY = (Message("user", "Tell me a long story about a fox."),)


@pytest.fixture
async def engine(smollm2: Path) -> AsyncIterator[LlamaEngine]:
    made = LlamaEngine(smollm2, SETTINGS)
    await made.load()
    yield made
    await made.unload()


def call(
    prompt: str | tuple[Message, ...] = CAPITAL, *, timeout_s: float = 60, **sampling: object
) -> Call:
    return Call(prompt, replace(Sampling(16), **sampling), timeout_s)  # type: ignore[arg-type]


async def said(engine: LlamaEngine, asked: Call) -> tuple[str, list[Piece]]:
    pieces = [piece async for piece in engine.generate(asked)]
    return "".join(piece.text for piece in pieces), pieces


async def idle(engine: LlamaEngine) -> None:
    async with asyncio.timeout(30):
        while engine.running:  # noqa: ASYNC110 - looked at from outside
            await asyncio.sleep(0.02)


async def test_it_knows_the_capital_of_france_and_streams_it(engine: LlamaEngine) -> None:
    text, pieces = await said(engine, call())
    assert text == "The capital of France is Paris."
    assert len([piece for piece in pieces if piece.text]) > 3
    assert [piece.finish for piece in pieces if piece.finish] == ["stop"]
    usage = pieces[-1].usage
    assert usage is not None
    assert (usage.prompt, usage.completion) == (37, 8)


async def test_text_is_continued_as_it_is(engine: LlamaEngine) -> None:
    text, pieces = await said(engine, call("The capital of France is", max_tokens=1))
    assert text == " Paris"
    assert [piece.finish for piece in pieces if piece.finish] == ["length"]


async def test_a_stop_text_ends_the_reply_and_is_not_in_it(engine: LlamaEngine) -> None:
    text, pieces = await said(engine, call(stop=(" France",)))
    assert text == "The capital of"
    assert [piece.finish for piece in pieces if piece.finish] == ["stop"]


async def test_a_seed_gives_the_same_reply_again(engine: LlamaEngine) -> None:
    replies = [
        (await said(engine, call(STORY, temperature=1.5, seed=seed)))[0] for seed in (1, 1, 2)
    ]
    assert replies[0] == replies[1] != replies[2]


@pytest.mark.parametrize("prompt", ["The capital of France is", CAPITAL])
async def test_every_token_comes_with_its_likelihood(
    engine: LlamaEngine, prompt: str | tuple[Message, ...]
) -> None:
    text, pieces = await said(engine, call(prompt, max_tokens=4, logprobs=3))
    tokens = [each for piece in pieces for each in piece.logprobs]
    assert "".join(each.chosen.token for each in tokens) == text
    assert all(each.chosen.logprob <= 0 for each in tokens)
    assert all(len(each.likeliest) == 3 for each in tokens)
    assert all(each.likeliest[0].raw == each.chosen.raw for each in tokens)


async def test_a_prompt_that_is_too_long_is_told_in_numbers(engine: LlamaEngine) -> None:
    with pytest.raises(Overflow, match="1001 tokens and the context holds 512") as raised:
        await said(engine, call("word " * 1_000))
    assert (raised.value.tokens, raised.value.context) == (1_001, 512)
    assert (await said(engine, call()))[0].endswith("Paris.")


async def test_a_call_that_is_late_ends_its_work_too(engine: LlamaEngine) -> None:
    with pytest.raises(TooLate, match=r"longer than 0\.05 s"):
        await said(engine, call(STORY, max_tokens=450, timeout_s=0.05))
    await idle(engine)


async def test_a_reply_that_nobody_reads_on_ends_its_work(engine: LlamaEngine) -> None:
    pieces = engine.generate(call(STORY, max_tokens=450))
    assert (await anext(pieces)).text
    assert engine.running == 1
    await pieces.aclose()
    await idle(engine)


async def test_a_slow_call_does_not_hold_up_another(engine: LlamaEngine) -> None:
    slow = engine.generate(call(STORY, max_tokens=450))
    await anext(slow)
    assert (await said(engine, call()))[0] == "The capital of France is Paris."
    assert engine.running == 1
    await slow.aclose()


async def test_the_event_loop_goes_on_while_it_generates(smollm2: Path) -> None:
    engine = LlamaEngine(smollm2, SETTINGS)
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.001)

    # Two who ask at once have it loaded once.
    await asyncio.gather(engine.load(), engine.load())
    ticking = asyncio.create_task(tick())
    reply = await said(engine, call(STORY, max_tokens=40))
    ticking.cancel()
    await engine.unload()
    assert reply
    # More often than tokens come: it is not only between them that the loop goes on.
    assert ticks > 45


async def test_unloading_ends_what_runs(smollm2: Path) -> None:
    engine = LlamaEngine(smollm2, SETTINGS)
    await engine.load()
    pieces = engine.generate(call(STORY, max_tokens=450))
    await anext(pieces)
    await engine.unload()
    assert not engine.loaded
    with pytest.raises(EngineFailed, match="unloaded"):
        async for _ in pieces:
            pass
    with pytest.raises(EngineFailed, match="not loaded"):
        await said(engine, call())
    await engine.load()
    assert (await said(engine, call()))[0].endswith("Paris.")
    await engine.unload()
    await engine.unload()


async def test_likelihoods_of_continuations_add_up(engine: LlamaEngine) -> None:
    prompt = "The capital of France is"
    paris, london, more = await engine.score(prompt, [" Paris", " London", " Paris."])
    _, pieces = await said(engine, call(prompt, max_tokens=1, logprobs=1))
    assert math.isclose(paris, pieces[0].logprobs[0].chosen.logprob, abs_tol=0.01)
    assert london < paris - 2
    (point,) = await engine.score(f"{prompt} Paris", ["."])
    assert math.isclose(more, paris + point, abs_tol=0.02)
    with pytest.raises(Overflow):
        await engine.score("word " * 1_000, [" more"])


async def test_an_encoder_gives_vectors_of_length_one(smollm2: Path) -> None:
    engine = LlamaEngine(smollm2, replace(SETTINGS, encoder=True))
    await engine.load()
    found = await engine.embed(["Paris is in France.", "Paris is in France.", "No!"])
    one, same, other = found.vectors
    assert found.tokens == 12
    assert len(one) == 576
    assert math.isclose(sum(x * x for x in one), 1, abs_tol=1e-3)
    likeness = [sum(x * y for x, y in zip(one, each, strict=True)) for each in (same, other)]
    assert likeness[0] > 0.999 > likeness[1]
    with pytest.raises(BadRequest, match="does not write"):
        await said(engine, call())
    with pytest.raises(Overflow, match="1001 tokens and the context holds 512"):
        await engine.embed(["short", "word " * 1_000])
    await engine.unload()


async def test_a_model_that_writes_is_no_encoder(engine: LlamaEngine) -> None:
    with pytest.raises(BadRequest, match="no encoder"):
        await engine.embed(["text"])


async def test_the_port_that_the_library_opens_lets_nobody_in(engine: LlamaEngine) -> None:
    async with httpx.AsyncClient(base_url=engine._server.listening_address) as client:
        for path in ("/completion", "/v1/chat/completions", "/tokenize"):
            assert (
                await client.post(path, json={"prompt": "Hi", "content": "x"})
            ).status_code == 401


@pytest.mark.parametrize(
    ("change", "architecture", "reason"),
    [("cut", "llama", "truncated, or lies"), ("", "qwen2", "a llama model, where the catalogue")],
)
async def test_a_bad_file_is_refused_before_the_engine_sees_it(
    smollm2: Path, tmp_path: Path, change: str, architecture: str, reason: str
) -> None:
    path = smollm2
    if change == "cut":
        path = tmp_path / "cut.gguf"
        with smollm2.open("rb") as whole:
            path.write_bytes(whole.read(4 << 20))
    engine = LlamaEngine(path, replace(SETTINGS, architecture=architecture))
    with pytest.raises(BadFile, match=reason):
        await engine.load()
    assert not engine.loaded


@pytest.fixture
def lacking(smollm2: Path, tmp_path: Path) -> Path:
    """A file whose header is whole, and that lacks a tensor of the model's."""
    path = tmp_path / "other.gguf"
    data = bytearray(smollm2.read_bytes())
    at = data.index(b"blk.7.ffn_up.weight")
    data[at : at + 19] = b"blk.7.ffn_xx.weight"
    path.write_bytes(data)
    return path


async def test_what_the_library_refuses_is_one_error(lacking: Path) -> None:
    engine = LlamaEngine(lacking, SETTINGS)
    with pytest.raises(EngineFailed, match=r"llama\.cpp does not load other\.gguf"):
        await engine.load()
    assert not engine.loaded
