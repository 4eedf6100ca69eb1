"""Small encoders of random weights: 4-bit files as multilingual-e5-small is packaged, and ONNX."""

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from models.encoder.bert import bert_int8
from models.encoder.packed import MATRICES, Packed
from tests.models.samples import entry, file_entry, known

WIDTH = 32
HEADS = 2
INNER = 64
LAYERS = 2
TOKENS = 40
PLACES = 16

EMBEDDING = (
    f'{{ tokenizer = "tokenizer.json", dimensions = {WIDTH}, query = "find ", passage = "say " }}'
)
"""What its catalogue says of the small encoder."""

type Tensors = dict[str, NDArray[np.float32]]


def tensors(seed: int = 7) -> Tensors:
    """Random weights of a small encoder; matrices are whole eighths, which four bits hold."""
    random = np.random.default_rng(seed)

    def matrix(*shape: int) -> NDArray[np.float32]:
        whole = random.integers(-7, 8, shape)
        whole[..., ::32] = -8  # so that each block's scale is an eighth
        return (whole / 8).astype(np.float32)

    def vector(around: float, *shape: int) -> NDArray[np.float32]:
        return (around + random.integers(-99, 100, shape) / 512).astype(np.float32)

    found = {
        "emb.word": matrix(TOKENS, WIDTH),
        "emb.pos": vector(0, PLACES, WIDTH),
        "emb.type": vector(0, 2, WIDTH),
        "emb.ln.w": vector(1, WIDTH),
        "emb.ln.b": vector(0, WIDTH),
    }
    for layer in range(LAYERS):
        for name in ("q", "k", "v", "ao"):
            found[f"l{layer}.{name}.w"] = matrix(WIDTH, WIDTH)
            found[f"l{layer}.{name}.b"] = vector(0, WIDTH)
        found[f"l{layer}.fi.w"], found[f"l{layer}.fi.b"] = matrix(INNER, WIDTH), vector(0, INNER)
        found[f"l{layer}.fo.w"], found[f"l{layer}.fo.b"] = matrix(WIDTH, INNER), vector(0, WIDTH)
        for name in ("aln", "oln"):
            found[f"l{layer}.{name}.w"] = vector(1, WIDTH)
            found[f"l{layer}.{name}.b"] = vector(0, WIDTH)
    return found


def quantised(values: NDArray[np.float32]) -> bytes:
    """As blocks of a scale and 32 halves of a byte."""
    blocks = (values.reshape(-1, 32) * 8 + 8).astype(np.uint8)
    scales = np.full((len(blocks), 1), 1 / 8, "<f2").view(np.uint8)
    return np.concatenate([scales, blocks[:, :16] | blocks[:, 16:] << 4], axis=1).tobytes()


def packed(
    held: Mapping[str, NDArray[np.float32]],
    sizes: tuple[int, int, int, int] = (WIDTH, LAYERS, HEADS, INNER),
    *,
    count: int | None = None,
    beyond: int = 0,
) -> bytes:
    """A file of these tensors; `count` is how many it claims.

    `beyond` is added to where it says that they lie.
    """
    parts = {
        name: quantised(each) if _in_blocks(name) else each.astype("<f4").tobytes()
        for name, each in held.items()
    }
    head = b"E5S1" + bytes(4) + struct.pack("<7if", *sizes, 0, 0, 0, 1e-12) + bytes(4)
    head += struct.pack("<5iQ", 1, 0, 0, 1, 0, 1) + bytes(2 * 4) + bytes(4) + b"a"
    head += struct.pack("<II", 0, 0) + struct.pack("<i", len(held) if count is None else count)
    start = len(head) + sum(2 + len(name) + 21 for name in held)
    for name, part in parts.items():
        text = name.encode()
        head += struct.pack("<H", len(text)) + text
        head += struct.pack("<B4xQQ", _in_blocks(name), start + beyond, len(part))
        start += len(part)
    return head + b"".join(parts.values())


def _in_blocks(name: str) -> bool:
    _, part, *kind = name.split(".")
    return part == "word" or (part in MATRICES and kind == ["w"])


def write(path: Path, data: bytes) -> Path:
    """Write it, and give where."""
    path.write_bytes(data)
    return path


def onnx_file(folder: Path) -> bytes:
    """The small encoder in ONNX."""
    source = write(folder / "small.bin", packed(tensors()))
    return bert_int8(Packed(source), lambda _done, _total: None)


def tokenizer(words: int = TOKENS) -> bytes:
    """A tokenizer of that many words: `[PAD]`, `[UNK]`, two ends, `find`, `say`, `word6`, ..."""
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "find", "say"]
    names += [f"word{number}" for number in range(len(names), words)]
    made = Tokenizer(WordLevel({name: at for at, name in enumerate(names)}, "[UNK]"))
    made.pre_tokenizer = Whitespace()
    made.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return made.to_str().encode()


def small_encoder(folder: Path, *, model: bytes = b"", words: bytes = b"", **more: str) -> str:
    """The entry of a catalogue in this folder for the small encoder, or for these files as one."""
    model, words = model or onnx_file(folder), words or tokenizer()
    (folder / "model").write_bytes(model)
    (folder / "words").write_bytes(words)
    files = (
        file_entry("model.onnx", source="file:model", **known(model)),
        file_entry("tokenizer.json", source="file:words", **known(words)),
    )
    fields = {"kind": '"embed"', "architecture": '"bert"', "context": str(PLACES)}
    fields |= {"embedding": EMBEDDING, **more}
    return entry(name="model.onnx", files="\n".join(files), **fields)
