"""Adapter files that do not fit."""

from pathlib import Path

import numpy as np
import pytest

from models.decoder.adapter import gguf_adapter
from models.decoder.shape import gguf_shape
from models.errors import BadFile
from models.gguf.header import read_header
from tests.models.decoder import tiny
from tests.models.samples import key, text

NAME = "model.layers.0.self_attn.v_proj.weight"
V = (np.ones((2, 32), np.float32), np.ones((16, 2), np.float32))


@pytest.mark.parametrize(
    ("parts", "keys", "reason"),
    [
        ({NAME: (V[0][:, :31], V[1])}, {}, "of another model: v of layer 0 does not make 16 of 32"),
        ({NAME: (V[0], V[1][:, :1])}, {}, "of another model"),
        ({NAME.replace("0", "9"): V}, {}, "'blk.9.attn_v.weight.lora_a', which the model"),
        ({"model.embed_tokens.weight": V}, {}, "'token_embd.weight.lora_a', which the model"),
        ({NAME.replace("self_attn.v_proj", "input_layernorm"): V}, {}, "which the model"),
        ({}, {}, "changes nothing"),
        (
            {NAME: (np.ones((257, 32), np.float32), np.ones((16, 257), np.float32))},
            {},
            "has rank 257; 256 is the most",
        ),
        ({NAME: V}, {"type": b""}, "no LoRA adapter"),
        (
            {NAME: V},
            {"architecture": key("general.architecture", 8, text("qwen2"))},
            "of a qwen2 model",
        ),
        ({NAME: V}, {"adapter": key("adapter.type", 8, text("control"))}, "no LoRA adapter"),
        ({NAME: V}, {"alpha": b""}, "adapter.lora.alpha"),
        ({NAME: V}, {"alpha": tiny.real("adapter.lora.alpha", float("nan"))}, "adapter.lora.alpha"),
    ],
)
def test_an_adapter_that_does_not_fit_is_refused(
    tiny_gguf: Path,
    tmp_path: Path,
    parts: dict[str, tuple[tiny.Numbers, tiny.Numbers]],
    keys: dict[str, bytes],
    reason: str,
) -> None:
    path = tmp_path / "bad.gguf"
    tiny.adapter_file(path, parts, alpha=1, keys=keys)
    with pytest.raises(BadFile, match=reason):
        gguf_adapter(path, gguf_shape(read_header(tiny_gguf)))


def test_half_an_adapter_is_refused(tiny_gguf: Path, tmp_path: Path) -> None:
    path = tmp_path / "half.gguf"
    tiny.adapter_file(path, {NAME: V}, alpha=1)
    data = path.read_bytes().replace(b"lora_b", b"lora_x")
    path.write_bytes(data)
    with pytest.raises(BadFile, match="lora_x"):
        gguf_adapter(path, gguf_shape(read_header(tiny_gguf)))
