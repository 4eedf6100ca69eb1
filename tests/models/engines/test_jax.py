"""The JAX engine with a tiny model: how it behaves, whatever the weights are."""

import asyncio
import math
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from models.decoder.decoder import Decoder
from models.engines.jax import JaxEngine, JaxSettings
from models.engines.protocol import Call, Message, Piece, Sampling
from models.errors import BadFile, BadRequest, EngineFailed, InUse, Overflow, TooLate
from tests.models.decoder import tiny
from tests.models.samples import key, text

SETTINGS = JaxSettings("llama", context=tiny.CONTEXT, at_once=3, kind="float32")
STORY = "Once upon a time"


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model as a file."""
    return tiny.gguf_file(tmp_path_factory.mktemp("tiny") / "tiny.gguf", tiny.weights())


@pytest.fixture(scope="session")
def loaded(model: Path) -> JaxEngine:
    """One engine for all: compiling is what takes time."""
    engine = JaxEngine(model, SETTINGS)
    asyncio.run(engine.load())
    return engine


@pytest.fixture
async def engine(loaded: JaxEngine) -> AsyncIterator[JaxEngine]:
    """The engine, with nothing running before and after."""
    yield loaded
    await idle(loaded)
    for name in loaded.adapters:
        await loaded.drop_adapter(name)


def call(
    prompt: str | tuple[Message, ...] = STORY,
    *,
    timeout_s: float = 60,
    adapters: tuple[tuple[str, float], ...] = (),
    **sampling: object,
) -> Call:
    return Call(prompt, replace(Sampling(12), **sampling), timeout_s, adapters)  # type: ignore[arg-type]


async def said(engine: JaxEngine, asked: Call) -> tuple[str, list[Piece]]:
    pieces = [piece async for piece in engine.generate(asked)]
    return "".join(piece.text for piece in pieces), pieces


async def idle(engine: JaxEngine) -> None:
    async with asyncio.timeout(30):
        while engine.running:  # noqa: ASYNC110 - looked at from outside
            await asyncio.sleep(0.01)


async def adapt(engine: JaxEngine, folder: Path, name: str, seed: int) -> None:
    path = folder / f"{name}.gguf"
    tiny.adapter_file(path, tiny.random_adapter(seed), alpha=8)
    await engine.add_adapter(name, path)


async def test_a_reply_is_as_long_as_it_may_be_and_counts_its_tokens(engine: JaxEngine) -> None:
    _, pieces = await said(engine, call())
    usage = pieces[-1].usage
    assert pieces[-1].finish == "length"
    assert usage is not None
    assert (usage.prompt, usage.completion) == (len(STORY), 12)


async def test_a_seed_gives_the_same_reply_whoever_else_is_served(engine: JaxEngine) -> None:
    asked = [call(temperature=1.2, top_p=0.9, seed=seed) for seed in (1, 1, 2)]
    alone, _ = await said(engine, asked[0])
    together = await asyncio.gather(*(said(engine, each) for each in asked))
    assert alone == together[0][0] == together[1][0] != together[2][0]
    unseeded = {(await said(engine, call(temperature=1.2)))[0] for _ in range(2)}
    assert len(unseeded) == 2


async def test_more_calls_than_rows_all_come_to_their_turn(engine: JaxEngine) -> None:
    prompts = [STORY[at:] for at in range(8)]
    alone = [(await said(engine, call(each)))[0] for each in prompts]
    together = await asyncio.gather(*(said(engine, call(each)) for each in prompts))
    assert [reply for reply, _ in together] == alone


async def test_messages_become_text_by_the_models_template(engine: JaxEngine) -> None:
    messages = (Message("user", "Hi"), Message("assistant", "Yes?"), Message("user", "Go on"))
    _, pieces = await said(engine, call(messages))
    usage = pieces[-1].usage
    # user:Hi, assistant:Yes? and user:Go on, between two marks each, and a mark after them.
    assert usage is not None
    assert usage.prompt == 7 + 14 + 10 + 3 * 2 + 1


async def test_a_stop_text_ends_the_reply_and_its_work(engine: JaxEngine) -> None:
    whole, _ = await said(engine, call(max_tokens=30))
    stop = whole[6:8]
    reply, pieces = await said(engine, call(max_tokens=100, stop=(stop,)))
    assert reply == whole[: whole.index(stop)]
    assert pieces[-1].finish == "stop"
    await idle(engine)


async def test_every_token_comes_with_its_likelihood(engine: JaxEngine) -> None:
    _, pieces = await said(engine, call(max_tokens=5, logprobs=3))
    tokens = [each for piece in pieces for each in piece.logprobs]
    assert len(tokens) == 5
    for each in tokens:
        assert [one.logprob for one in each.likeliest] == sorted(
            (one.logprob for one in each.likeliest), reverse=True
        )
        assert each.likeliest[0] == each.chosen
        assert sum(math.exp(one.logprob) for one in each.likeliest) <= 1
    assert not (await said(engine, call(max_tokens=2, logprobs=0)))[1][0].logprobs[0].likeliest


async def test_penalties_keep_a_reply_from_repeating_itself(engine: JaxEngine) -> None:
    plain, _ = await said(engine, call(max_tokens=40))
    for asked in (
        call(max_tokens=40, presence_penalty=100.0),
        call(max_tokens=40, frequency_penalty=100.0),
        call(max_tokens=40, repetition_penalty=100.0),
    ):
        _, pieces = await said(engine, replace(asked, sampling=replace(asked.sampling, logprobs=0)))
        chosen = [each.chosen.raw for piece in pieces for each in piece.logprobs]
        assert len(set(chosen)) == len(chosen)
    assert len(set(plain)) < len(plain)


async def test_the_likeliest_token_alone_is_left_by_a_small_top_k_or_top_p(
    engine: JaxEngine,
) -> None:
    greedy, _ = await said(engine, call())
    assert (await said(engine, call(temperature=2.0, top_k=1, seed=3)))[0] == greedy
    assert (await said(engine, call(temperature=2.0, top_p=1e-6, seed=3)))[0] == greedy
    assert (await said(engine, call(temperature=2.0, seed=3)))[0] != greedy


async def test_a_prompt_that_is_too_long_is_told_in_numbers(engine: JaxEngine) -> None:
    with pytest.raises(Overflow, match="200 tokens and the context holds 128") as raised:
        await said(engine, call("x" * 200))
    assert (raised.value.tokens, raised.value.context) == (200, 128)
    with pytest.raises(Overflow, match="130 tokens and the context holds 128"):
        await engine.score("x" * 100, ["y", "y" * 30])
    reply, pieces = await said(engine, call("x" * 120, max_tokens=100))
    assert pieces[-1].finish == "length"
    usage = pieces[-1].usage
    assert usage is not None
    assert usage.completion == 9, reply


async def test_a_call_that_is_late_ends_its_work_too(engine: JaxEngine) -> None:
    with pytest.raises(TooLate, match=r"longer than 0 s"):
        await said(engine, call(max_tokens=100, timeout_s=0))
    await idle(engine)


async def test_a_reply_that_nobody_reads_on_ends_its_work(engine: JaxEngine) -> None:
    pieces = engine.generate(call(max_tokens=100, logprobs=0))
    await anext(pieces)
    await pieces.aclose()
    await idle(engine)


async def test_likelihoods_of_continuations_add_up(engine: JaxEngine) -> None:
    one, more = await engine.score(STORY, [" of", " of frogs"])
    (rest,) = await engine.score(f"{STORY} of", [" frogs"])
    assert math.isclose(one + rest, more, abs_tol=1e-3)
    assert await engine.score(STORY, []) == []
    with pytest.raises(BadRequest, match="no prompt"):
        await engine.score("", ["x"])


async def test_an_adapter_changes_the_calls_that_have_it_alone(
    engine: JaxEngine, tmp_path: Path
) -> None:
    await adapt(engine, tmp_path, "one", 1)
    await adapt(engine, tmp_path, "two", 2)
    sets: list[tuple[tuple[str, float], ...]] = [
        (),
        (("one", 1.0),),
        (("two", 1.0),),
        (("one", 0.5), ("two", 0.5)),
        (("one", 0.0),),
    ]
    alone = [(await said(engine, call(adapters=each)))[0] for each in sets]
    together = await asyncio.gather(*(said(engine, call(adapters=each)) for each in sets))
    assert [reply for reply, _ in together] == alone
    assert alone[0] == alone[4]
    assert len(set(alone)) == 4
    assert engine.adapters == ("one", "two")


async def test_what_must_be_installed_is_said(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "models.decoder.batch", None)
    engine = JaxEngine(model, SETTINGS)
    with pytest.raises(EngineFailed, match=r"pip install \"fanlight\[server,jax\]\""):
        await engine.load()
    assert not engine.loaded


async def test_adapters_that_are_set_up_are_loaded_with_the_model(
    engine: JaxEngine, model: Path, tmp_path: Path
) -> None:
    await adapt(engine, tmp_path, "one", 1)
    adapters = (("mine", tmp_path / "one.gguf"),)
    other = JaxEngine(model, replace(SETTINGS, adapters=adapters))
    await other.load()
    assert other.adapters == ("mine",)
    found, _ = await said(other, call(adapters=(("mine", 1.0),)))
    assert found == (await said(engine, call(adapters=(("one", 1.0),))))[0]
    await other.unload()
    missing = (("mine", tmp_path / "none.gguf"),)
    failing = JaxEngine(model, replace(SETTINGS, adapters=missing))
    with pytest.raises(BadFile, match="cannot be read"):
        await failing.load()
    assert not failing.loaded


@pytest.mark.parametrize(
    ("adapters", "reason"),
    [
        ((("three", 1.0),), "no adapter 'three' here. Loaded: one"),
        ((("one", math.nan),), "weight of the adapter 'one' is no number"),
        ((("one", 1.0), ("one", 1.0)), "comes twice"),
    ],
)
async def test_adapters_that_cannot_be_had_are_refused(
    engine: JaxEngine, tmp_path: Path, adapters: tuple[tuple[str, float], ...], reason: str
) -> None:
    await adapt(engine, tmp_path, "one", 1)
    with pytest.raises(BadRequest, match=reason) as raised:
        await said(engine, call(adapters=adapters))
    assert raised.value.parameter == "adapters"


async def test_an_adapter_is_kept_while_a_call_has_it(engine: JaxEngine, tmp_path: Path) -> None:
    await adapt(engine, tmp_path, "one", 1)
    pieces = engine.generate(call(max_tokens=100, logprobs=0, adapters=(("one", 1.0),)))
    await anext(pieces)
    with pytest.raises(InUse, match="runs with the adapter 'one'"):
        await engine.drop_adapter("one")
    await pieces.aclose()
    await idle(engine)
    await engine.drop_adapter("one")
    assert engine.adapters == ()
    with pytest.raises(BadRequest, match="None is loaded"):
        await said(engine, call(adapters=(("one", 1.0),)))


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (call(""), "prompt is empty"),
        (call(max_tokens=0), "max_tokens is less"),
        (call(logprobs=21), "At most 20"),
        (call(repetition_penalty=0.0), "repetition_penalty"),
    ],
)
async def test_what_cannot_be_done_is_refused(engine: JaxEngine, asked: Call, reason: str) -> None:
    with pytest.raises(BadRequest, match=reason):
        await said(engine, asked)


async def test_a_model_that_writes_is_no_encoder(engine: JaxEngine) -> None:
    with pytest.raises(BadRequest, match="no encoder"):
        await engine.embed(["text"])


async def test_after_a_pass_that_failed_the_next_calls_are_served(
    engine: JaxEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, _ = await said(engine, call())

    def fail(*_: object) -> None:
        raise RuntimeError("RESOURCE_EXHAUSTED: out of memory")

    with monkeypatch.context() as patched:
        patched.setattr(Decoder, "advance", fail)
        with pytest.raises(EngineFailed, match="JAX failed: RESOURCE_EXHAUSTED"):
            await said(engine, call())
    assert (await said(engine, call()))[0] == before


async def test_unloading_ends_what_runs_and_what_waits(model: Path) -> None:
    engine = JaxEngine(model, replace(SETTINGS, at_once=1, kind="auto"))
    await asyncio.gather(engine.load(), engine.load())
    running = engine.generate(call(max_tokens=110, logprobs=0))
    await anext(running)
    waiting = asyncio.create_task(said(engine, call()))
    while engine.running < 2:  # noqa: ASYNC110 - looked at from outside
        await asyncio.sleep(0.01)
    await engine.unload()
    assert not engine.loaded
    assert engine.running == 0
    assert engine.adapters == ()
    with pytest.raises(EngineFailed, match="unloaded"):
        async for _ in running:
            pass
    with pytest.raises(EngineFailed, match="unloaded"):
        await waiting
    with pytest.raises(EngineFailed, match="not loaded"):
        await said(engine, call())
    await engine.unload()
    await engine.load()
    assert (await said(engine, call()))[1][-1].finish == "length"
    await engine.unload()


async def test_a_model_without_a_template_takes_text_alone(tmp_path: Path) -> None:
    path = tiny.gguf_file(
        tmp_path / "plain.gguf", tiny.weights(), keys={"tokenizer.chat_template": b""}
    )
    engine = JaxEngine(path, SETTINGS)
    await engine.load()
    with pytest.raises(BadRequest, match="no chat template"):
        await said(engine, call((Message("user", "Hi"),)))
    await engine.unload()


def without(name: str) -> dict[str, tiny.Numbers]:
    return {own: each for own, each in tiny.weights().items() if own != name}


@pytest.mark.parametrize(
    ("name", "keys", "reason"),
    [
        ("model.layers.1.mlp.up_proj.weight", {}, "lacks the tensor 'blk.1.ffn_up.weight'"),
        ("", {"llama.feed_forward_length": tiny.number("llama.feed_forward_length", 64)}, "ffn_"),
        ("", {"llama.attention.head_count": tiny.number("llama.attention.head_count", 3)}, "share"),
        ("", {"tokenizer.ggml.pre": key("tokenizer.ggml.pre", 8, text("qwen2"))}, "llama.cpp"),
        ("", {"tokenizer.chat_template": key("tokenizer.chat_template", 8, text("{% x"))}, "chat"),
        (
            "",
            {"llama.rope.scaling.type": key("llama.rope.scaling.type", 8, text("yarn"))},
            "scaled",
        ),
        ("", {"tokenizer.ggml.merges": tiny.texts("tokenizer.ggml.merges", ["ab"])}, "two tokens"),
        ("", {"tokenizer.ggml.merges": tiny.texts("tokenizer.ggml.merges", ["a ☺"])}, "allow"),
    ],
)
async def test_a_bad_file_is_refused_and_nothing_is_loaded(
    tmp_path: Path, name: str, keys: dict[str, bytes], reason: str
) -> None:
    path = tiny.gguf_file(tmp_path / "bad.gguf", without(name), keys=keys)
    engine = JaxEngine(path, SETTINGS)
    with pytest.raises(BadFile, match=reason):
        await engine.load()
    assert not engine.loaded


def cut_off(path: Path, folder: Path, end: int | None) -> Path:
    cut = folder / "cut.gguf"
    cut.write_bytes(path.read_bytes()[:end])
    return cut


@pytest.mark.parametrize(
    ("cut", "architecture", "reason"),
    [(-100, "llama", "truncated, or lies"), (None, "qwen2", "a llama model, where")],
)
async def test_another_or_half_a_file_is_refused(
    model: Path, tmp_path: Path, cut: int | None, architecture: str, reason: str
) -> None:
    engine = JaxEngine(cut_off(model, tmp_path, cut), replace(SETTINGS, architecture=architecture))
    with pytest.raises(BadFile, match=reason):
        await engine.load()
    assert not engine.loaded
