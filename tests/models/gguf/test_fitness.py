"""Headers that are whole, and yet not those of the model that is wanted."""

import io
import struct

import pytest

from models.errors import BadFile
from models.gguf.fitness import check_fitness
from models.gguf.header import Header, parse_header
from tests.models.samples import gguf, key, tensor, text


def number(name: str, value: int) -> bytes:
    return key(name, 4, struct.pack("<I", value))


def words(count: int) -> bytes:
    return key("tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, count) + text("w") * count)


def header(
    *,
    architecture: str = "llama",
    blocks: int = 1,
    width: int = 8,
    tokens: int = 4,
    held: str = "blk.0.x",
) -> Header:
    keys = [
        key("general.architecture", 8, text(architecture)),
        number("llama.block_count", blocks),
        number("llama.context_length", 64),
        number("llama.embedding_length", 8),
        number("llama.attention.head_count", 2),
        words(tokens),
    ]
    tensors = [tensor("token_embd.weight", (width, 4), 0, 0), tensor(held, (8,), 0, 256)]
    data = gguf(keys, tensors, bytes(512))
    return parse_header(io.BytesIO(data), len(data))


def test_the_model_that_is_wanted_is_taken() -> None:
    check_fitness(header(), "llama")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (header(architecture="gemma"), "a gemma model, where the catalogue says llama"),
        (header(blocks=2), "states 2 blocks and holds 1"),
        (header(blocks=1 << 30), "block_count is 1073741824"),
        (header(width=16), "rows of 8 are stated"),
        (header(tokens=3), "3 tokens and 4 rows"),
        (header(held="other"), "states 1 blocks and holds 0"),
    ],
)
def test_another_model_is_refused(changed: Header, reason: str) -> None:
    with pytest.raises(BadFile, match=reason):
        check_fitness(changed, "llama")


def test_a_model_without_tokens_is_refused() -> None:
    data = gguf(
        [
            key("general.architecture", 8, text("llama")),
            *(
                number(f"llama.{name}", 1)
                for name in (
                    "block_count",
                    "context_length",
                    "embedding_length",
                    "attention.head_count",
                )
            ),
        ],
        [tensor("token_embd.weight", (1, 4), 0, 0)],
        bytes(64),
    )
    with pytest.raises(BadFile, match="no tokens"):
        check_fitness(parse_header(io.BytesIO(data), len(data)), "llama")
