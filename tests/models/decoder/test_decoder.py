"""The forward pass, held against a plain one in float64; and that rows leave each other alone."""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from models.decoder.adapter import gguf_adapter
from models.decoder.decoder import Decoder
from models.decoder.weights import load_gguf, load_safetensors
from tests.models.decoder import tiny

TOKENS = [72, 101, 108, 108, 111, 32, 119, 111, 114, 108, 100]
LONG = [(7 * at) % 250 for at in range(100)]


def read(decoder: Decoder, row: int, tokens: list[int], **adapters: float) -> None:
    at = 0
    while at < len(tokens):
        at += decoder.read(row, tokens[at:], at, adapters)


def close(found: Any, wanted: Any, within: float = 2e-4) -> None:
    np.testing.assert_allclose(found, wanted, atol=within, rtol=0)


@pytest.mark.parametrize("count", [1, 5, 11, 16, 17, 64, 65, 100])
def test_logits_are_those_of_a_plain_pass_however_the_prompt_is_padded(
    decoder: Decoder, count: int
) -> None:
    read(decoder, 1, LONG[:count])
    close(decoder.logits(1), tiny.plain_logits(tiny.weights(), LONG[:count])[-1])


def test_one_token_at_a_time_gives_what_reading_at_once_gives(decoder: Decoder) -> None:
    read(decoder, 0, TOKENS[:3])
    for at in range(3, len(TOKENS)):
        decoder.advance([TOKENS[at], 0, 0], [at, decoder.context, decoder.context], [{}, {}, {}])
    close(decoder.logits(0), tiny.plain_logits(tiny.weights(), TOKENS)[-1])


def test_idle_rows_and_rows_of_others_are_left_as_they_are(decoder: Decoder) -> None:
    read(decoder, 0, TOKENS)
    read(decoder, 2, LONG)
    before = decoder.logits(0)
    idle = decoder.context
    decoder.advance([1, 1, 9], [idle, idle, len(LONG)], [{}, {}, {}])
    assert (decoder.logits(0) == before).all()
    decoder.advance([33, 1, 1], [len(TOKENS), idle, idle], [{}, {}, {}])
    close(decoder.logits(0), tiny.plain_logits(tiny.weights(), [*TOKENS, 33])[-1])


def test_what_a_row_held_before_leaves_no_trace(decoder: Decoder) -> None:
    read(decoder, 0, LONG)
    read(decoder, 0, TOKENS)
    close(decoder.logits(0), tiny.plain_logits(tiny.weights(), TOKENS)[-1])


def test_likelihoods_are_those_of_a_plain_pass(decoder: Decoder) -> None:
    read(decoder, 0, TOKENS[:4])
    found = decoder.judge(0, TOKENS[4:-1], TOKENS[5:], 4, {})
    logits = tiny.plain_logits(tiny.weights(), TOKENS)[4:-1]
    logprobs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    close(found, [row[token] for row, token in zip(logprobs, TOKENS[5:], strict=True)])


def merged(
    *adapters: tuple[float, dict[str, tuple[tiny.Numbers, tiny.Numbers]]],
) -> dict[str, tiny.Numbers]:
    """The weights with adapters in them: W + Σ g α B A."""
    numbers = tiny.weights()
    for scale, parts in adapters:
        for name, (a, b) in parts.items():
            numbers[name] = numbers[name] + np.float32(scale) * (b @ a)
    return numbers


def put(decoder: Decoder, folder: Path, name: str, seed: int, *, rank: int, alpha: float) -> None:
    path = folder / f"{name}.gguf"
    tiny.adapter_file(path, tiny.random_adapter(seed, rank), alpha=alpha)
    decoder.pool.put(name, gguf_adapter(path, decoder.shape))


def test_adapters_add_up_as_merged_weights_do(decoder: Decoder, tmp_path: Path) -> None:
    put(decoder, tmp_path, "one", 1, rank=4, alpha=8)
    put(decoder, tmp_path, "two", 2, rank=3, alpha=0)
    one, two = tiny.random_adapter(1, 4), tiny.random_adapter(2, 3)
    for adapters, wanted in (
        ({"one": 1.0}, merged((2.0, one))),
        ({"one": -0.5}, merged((-1.0, one))),
        ({"two": 0.25, "one": 0.5}, merged((1.0, one), (0.25, two))),
        ({"one": 0.0}, merged()),
    ):
        read(decoder, 1, TOKENS, **adapters)
        close(decoder.logits(1), tiny.plain_logits(wanted, TOKENS)[-1], within=2e-3)


def test_rows_of_one_pass_have_different_adapters(decoder: Decoder, tmp_path: Path) -> None:
    put(decoder, tmp_path, "one", 1, rank=4, alpha=4)
    put(decoder, tmp_path, "two", 2, rank=2, alpha=2)
    one, two = tiny.random_adapter(1, 4), tiny.random_adapter(2, 2)
    rows = [{"one": 1.0}, {}, {"one": 0.5, "two": 1.0}]
    wanted = [merged((1.0, one)), merged(), merged((0.5, one), (1.0, two))]
    prompts = [TOKENS, LONG[:20], TOKENS[:5]]
    for row, (prompt, adapters) in enumerate(zip(prompts, rows, strict=True)):
        read(decoder, row, prompt, **adapters)
    decoder.advance([65, 66, 67], [len(each) for each in prompts], rows)
    for row, token in enumerate([65, 66, 67]):
        logits = tiny.plain_logits(wanted[row], [*prompts[row], token])[-1]
        close(decoder.logits(row), logits, within=2e-3)


def test_dropping_an_adapter_keeps_the_others(decoder: Decoder, tmp_path: Path) -> None:
    put(decoder, tmp_path, "one", 1, rank=4, alpha=4)
    put(decoder, tmp_path, "two", 2, rank=4, alpha=4)
    read(decoder, 0, TOKENS, two=1.0)
    before = decoder.logits(0)
    decoder.pool.drop("one")
    assert decoder.pool.names == ("two",)
    read(decoder, 0, TOKENS, two=1.0)
    close(decoder.logits(0), before, within=1e-5)


@pytest.mark.parametrize("kind", ["F32", "F16"])
def test_safetensors_give_what_gguf_gives(decoder: Decoder, tmp_path: Path, kind: str) -> None:
    numbers = tiny.weights()
    shape, weights = load_safetensors(tiny.safetensors_file(tmp_path, numbers, kind), "float32")
    assert shape == decoder.shape
    other = Decoder(shape, weights, rows=3, context=tiny.CONTEXT)
    read(other, 0, TOKENS)
    read(decoder, 0, TOKENS)
    close(other.logits(0), decoder.logits(0), within=1e-5)


def test_an_output_of_its_own_is_used(tmp_path: Path) -> None:
    numbers = tiny.weights()
    numbers["lm_head.weight"] = numbers["model.embed_tokens.weight"][::-1].copy()
    _, shape, weights = load_gguf(
        tiny.gguf_file(tmp_path / "untied.gguf", numbers), "llama", "float32"
    )
    untied = Decoder(shape, weights, rows=1, context=64)
    read(untied, 0, TOKENS)
    close(untied.logits(0), tiny.plain_logits(numbers, TOKENS)[-1])
    same_shape, same = load_safetensors(tiny.safetensors_file(tmp_path, numbers), "float32")
    assert same_shape == shape
    assert (np.asarray(same["output"]) == np.asarray(weights["output"])).all()


def test_bfloat16_is_within_its_tolerance_in_half_the_memory(tiny_gguf: Path) -> None:
    _, shape, weights = load_gguf(tiny_gguf, "llama", "bfloat16")
    _, _, whole = load_gguf(tiny_gguf, "llama", "float32")
    half = Decoder(shape, weights, rows=1, context=64)
    read(half, 0, TOKENS)
    wanted = tiny.plain_logits(tiny.weights(), TOKENS)[-1]
    # Eight bits of mantissa: some hundredths of the logits' spread.
    assert np.sqrt(((half.logits(0) - wanted) ** 2).mean()) < 0.05 * wanted.std()
    sizes = [sum(each.nbytes for each in jax.tree.leaves(held)) for held in (weights, whole)]
    assert sizes[0] < 0.6 * sizes[1]
