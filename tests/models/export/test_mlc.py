"""MLC's folder, read as WebLLM reads it, and held against the weights."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.decoder.tokens import gguf_tokens
from models.errors import BadFile, BadRequest
from models.export.adapters import read_adapter
from models.export.base import Base, open_base
from models.export.mlc import folder_size, planned, write_mlc
from models.export.quantise import dequantise
from models.export.shards import Shards, bfloat16
from tests.models.decoder import tiny
from tests.models.export import webllm
from tests.models.export.templates import CHATML
from tests.models.samples import key, text


def exported(
    base: Base, folder: Path, quantisation: str, adapters: Any = (), context: int | None = None
) -> Path:
    folder.mkdir()
    plan = planned(base, adapters, quantisation, context)
    told: list[tuple[int, int | None]] = []
    write_mlc(plan, folder, lambda *at: told.append(at))
    size = sum(each.stat().st_size for each in folder.glob("*.bin"))
    assert told[-1] == (size, size)
    assert size <= folder_size(plan)
    return folder


def joined(numbers: dict[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """The weights under MLC's names, not quantised."""
    found = {
        "model.embed_tokens": numbers["model.embed_tokens.weight"],
        "model.norm.weight": numbers["model.norm.weight"],
    }
    for layer in range(tiny.LAYERS):
        at = f"model.layers.{layer}"
        own = {name: numbers[f"{at}.{name}.weight"] for name in tiny.sizes()}
        parts = [own[f"self_attn.{each}_proj"] for each in "qkv"]
        found[f"{at}.self_attn.qkv_proj"] = np.concatenate(parts)
        found[f"{at}.self_attn.o_proj"] = own["self_attn.o_proj"]
        parts = [own["mlp.gate_proj"], own["mlp.up_proj"]]
        found[f"{at}.mlp.gate_up_proj"] = np.concatenate(parts)
        found[f"{at}.mlp.down_proj"] = own["mlp.down_proj"]
        for name in ("input_layernorm", "post_attention_layernorm"):
            found[f"{at}.{name}.weight"] = own[name]
    return found


def merged(numbers: dict[str, NDArray[np.float32]], seed: int, scale: float) -> None:
    for name, (a, b) in tiny.random_adapter(seed).items():
        numbers[name] = numbers[name] + np.float32(scale) * (b @ a)


@pytest.mark.parametrize(("quantisation", "more"), [("q4f16_1", 0.01), ("q4f32_1", 0.02)])
def test_every_parameter_is_there_within_half_a_step(
    base: Base, lora: Path, tmp_path: Path, quantisation: str, more: float
) -> None:
    adapters = [(read_adapter(lora, base.tensors.shape), 0.5)]
    folder = exported(base, tmp_path / "out", quantisation, adapters)
    numbers = tiny.weights()
    merged(numbers, seed=1, scale=0.5 * 8 / 4)
    found = webllm.read_parameters(folder)
    number = np.float16 if quantisation == "q4f16_1" else np.float32
    for name, expected in joined(numbers).items():
        if name.endswith(".weight"):
            own = found.pop(name)
            assert own.dtype == number
            np.testing.assert_allclose(own, expected, rtol=2**-8)
            continue
        words, scales = found.pop(f"{name}.q_weight"), found.pop(f"{name}.q_scale")
        assert words.dtype == np.uint32
        assert scales.dtype == number
        width = expected.shape[1]
        own = dequantise(words, scales.astype(np.float32), width)
        steps = np.repeat(scales.astype(np.float32), 32, axis=1)[:, :width]
        # bfloat16 keeps eight digits of a scale, by which up to seven steps are taken.
        assert (np.abs(own - expected) <= steps * (0.5 + more)).all()
    assert not found


@pytest.mark.parametrize(("quantisation", "exactly"), [("q0f16", True), ("q0f32", False)])
def test_what_is_not_quantised_is_what_it_was(
    base: Base, tmp_path: Path, quantisation: str, exactly: bool
) -> None:
    folder = exported(base, tmp_path / "out", quantisation)
    found = webllm.read_parameters(folder)
    for name, expected in joined(tiny.weights()).items():
        own = found.pop(name if name.endswith(".weight") else f"{name}.weight")
        np.testing.assert_allclose(own, expected, rtol=0 if exactly else 2**-8)
    assert not found


def test_a_model_with_an_output_of_its_own_has_it_there(tmp_path: Path) -> None:
    numbers = tiny.weights()
    numbers["lm_head.weight"] = numbers["model.embed_tokens.weight"][::-1].copy()
    base = open_base(tiny.gguf_file(tmp_path / "own.gguf", numbers, keys=CHATML))
    folder = exported(base, tmp_path / "out", "q0f16")
    found = webllm.read_parameters(folder)
    np.testing.assert_array_equal(found["lm_head.weight"], numbers["lm_head.weight"])
    assert config(folder)["model_config"]["tie_word_embeddings"] is False


def config(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "mlc-chat-config.json").read_text("utf-8"))
    return found


def test_the_config_says_sizes_tokens_and_messages(base: Base, tmp_path: Path) -> None:
    found = config(exported(base, tmp_path / "out", "q4f16_1"))
    assert found["model_config"] == {
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "num_hidden_layers": 2,
        "rms_norm_eps": 2.0**-16,
        "vocab_size": 259,
        "tie_word_embeddings": True,
        "position_embedding_base": 10_000,
        "rope_scaling": None,
        "tensor_parallel_shards": 1,
        "max_batch_size": 1,
        "context_window_size": 128,
        "prefill_chunk_size": 128,
    }
    assert (found["model_type"], found["quantization"]) == ("llama", "q4f16_1")
    assert (found["vocab_size"], found["context_window_size"]) == (259, 128)
    assert found["conv_template"]["stop_token_ids"] == [257]
    assert config(exported(base, tmp_path / "short", "q4f16_1", context=64))[
        "context_window_size"
    ] == 64  # fmt: skip


def test_the_tokenizer_cuts_text_as_the_base_does(base: Base, tmp_path: Path) -> None:
    from tokenizers import Tokenizer

    folder = exported(base, tmp_path / "out", "q4f16_1")
    theirs = Tokenizer.from_file(str(folder / "tokenizer.json"))
    ours = gguf_tokens(base.path, base.header)
    for each in ("Hello, world 42", "<|im_start|>user\nשלום ñ 🌷<|im_end|>", " a  b\t"):
        encoded = theirs.encode(each, add_special_tokens=False).ids
        assert encoded == ours.encode(each)
        assert theirs.decode(encoded, skip_special_tokens=False) == each


def test_a_longer_context_than_the_model_has_is_refused(base: Base) -> None:
    with pytest.raises(BadRequest, match="a context of 128 tokens, not 129"):
        planned(base, (), "q4f16_1", 129)


def test_a_model_without_a_chat_template_is_refused(tmp_path: Path) -> None:
    keys = {"tokenizer.chat_template": b""}
    path = tiny.gguf_file(tmp_path / "bare.gguf", tiny.weights(), keys=keys)
    with pytest.raises(BadFile, match="has no chat template"):
        planned(open_base(path), (), "q4f16_1", None)


def test_numbers_beyond_float16_are_refused_by_name(tmp_path: Path) -> None:
    numbers = tiny.weights()
    numbers["model.layers.1.self_attn.o_proj.weight"][0, 0] = 1e6
    base = open_base(tiny.gguf_file(tmp_path / "large.gguf", numbers, keys=CHATML))
    with pytest.raises(BadFile, match=r"layers\.1\.self_attn\.o_proj has numbers that q4f16_1"):
        exported(base, tmp_path / "out", "q4f16_1")


def test_another_architecture_is_refused_by_name(tmp_path: Path) -> None:
    keys = {"general.architecture": key("general.architecture", 8, text("qwen2"))}
    path = tiny.gguf_file(tmp_path / "other.gguf", tiny.weights(), keys=keys)
    with pytest.raises(BadFile, match=r"other\.gguf is a qwen2 model; llama models are"):
        open_base(path)


def test_a_shard_is_no_larger_than_allowed_save_for_one_large_parameter(tmp_path: Path) -> None:
    shards = Shards(tmp_path, most=1000)
    for name, count in (("a", 200), ("b", 200), ("c", 100), ("large", 600), ("d", 50)):
        shards.add(name, np.full(count, len(name), np.float16))
    shards.close(1150)
    index = webllm.read_index(tmp_path)
    held = [[each["name"] for each in shard["records"]] for shard in index["records"]]
    assert held == [["a", "b"], ["large"], ["c", "d"]]
    assert sorted(webllm.read_parameters(tmp_path)) == ["a", "b", "c", "d", "large"]


def test_bfloat16_is_rounded_to_the_nearest() -> None:
    numbers = np.array([1, 1 + 2**-8, 1 + 3 * 2**-8, 1 + 2**-8 + 2**-20, -0.0], np.float32)
    found = (bfloat16(numbers).astype(np.uint32) << 16).view(np.float32)
    # Halves to the even number: down, up; a little more than a half: up.
    assert found.tolist() == [1, 1, 1 + 2**-6, 1 + 2**-7, 0]
