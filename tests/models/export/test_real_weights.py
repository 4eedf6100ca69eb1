"""SmolLM2-135M exported whole, and run again from what was written."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models.decoder.shape import Shape
from models.decoder.tensors import Numbers, permuted
from models.engines.llama import LlamaEngine, LlamaSettings
from models.engines.protocol import Call, Message, Sampling
from models.export.base import Base, open_base
from models.export.gguf import write_merged
from models.export.mlc import planned, write_mlc
from models.export.quantise import dequantise
from models.gguf.types import F16
from models.registry.partial import sha256_of
from tests.models.export import webllm

pytestmark = [pytest.mark.needs("weights"), pytest.mark.long]


def dequantised(folder: Path, shape: Shape) -> dict[str, Numbers]:
    """A q4f16_1 folder's weights under GGUF's names, taken apart again."""
    found = webllm.read_parameters(folder)

    def matrix(name: str, width: int) -> Numbers:
        scales: NDArray[np.float32] = found[f"{name}.q_scale"].astype(np.float32)
        return dequantise(found[f"{name}.q_weight"], scales, width)

    named = {
        "token_embd.weight": matrix("model.embed_tokens", shape.width),
        "output_norm.weight": found["model.norm.weight"],
    }
    queries, keys = shape.heads * shape.head, shape.kv_heads * shape.head
    for number in range(shape.layers):
        own, at = f"blk.{number}", f"model.layers.{number}"
        parts = np.split(matrix(f"{at}.self_attn.qkv_proj", shape.width), [queries, queries + keys])
        named[f"{own}.attn_q.weight"] = permuted(parts[0], shape.head)
        named[f"{own}.attn_k.weight"] = permuted(parts[1], shape.head)
        named[f"{own}.attn_v.weight"] = parts[2]
        named[f"{own}.attn_output.weight"] = matrix(f"{at}.self_attn.o_proj", queries)
        gate_up = matrix(f"{at}.mlp.gate_up_proj", shape.width)
        named[f"{own}.ffn_gate.weight"] = gate_up[: shape.inner]
        named[f"{own}.ffn_up.weight"] = gate_up[shape.inner :]
        named[f"{own}.ffn_down.weight"] = matrix(f"{at}.mlp.down_proj", shape.inner)
        named[f"{own}.attn_norm.weight"] = found[f"{at}.input_layernorm.weight"]
        named[f"{own}.ffn_norm.weight"] = found[f"{at}.post_attention_layernorm.weight"]
    return named


def replaced(base: Base, named: dict[str, Numbers], path: Path) -> None:
    """The base's file with these numbers in it."""
    whole = bytearray(base.path.read_bytes())
    for tensor in base.header.tensors:
        numbers = named.pop(tensor.name)
        assert numbers.shape == tensor.shape[::-1]
        at = base.header.data_start + tensor.offset
        form = "<f2" if tensor.kind == F16 else "<f4"
        whole[at : at + tensor.size] = numbers.astype(np.dtype(form)).tobytes()
    assert not named
    path.write_bytes(whole)


async def said(path: Path, question: str) -> str:
    engine = LlamaEngine(path, LlamaSettings("llama", context=256, threads=2))
    await engine.load()
    call = Call((Message("user", question),), Sampling(12), 240)
    text = "".join([piece.text async for piece in engine.generate(call)])
    await engine.unload()
    return text


def test_what_webllm_loads_still_knows_the_capital_of_france(smollm2: Path, tmp_path: Path) -> None:
    base = open_base(smollm2)
    (tmp_path / "out").mkdir()
    write_mlc(planned(base, (), "q4f16_1", None), tmp_path / "out", lambda _done, _total: None)
    replaced(base, dequantised(tmp_path / "out", base.tensors.shape), tmp_path / "again.gguf")
    assert "Paris" in asyncio.run(said(tmp_path / "again.gguf", "What is the capital of France?"))


def test_weights_that_nothing_changes_come_out_byte_for_byte(smollm2: Path, tmp_path: Path) -> None:
    with (tmp_path / "same.gguf").open("wb") as out:
        write_merged(open_base(smollm2), (), F16, out, lambda _done, _total: None)
    assert sha256_of(tmp_path / "same.gguf") == sha256_of(smollm2)
