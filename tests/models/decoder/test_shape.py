"""Sizes that a config.json states, and what is not run."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.decoder.shape import config_shape, gguf_shape
from models.decoder.weights import load_gguf, load_safetensors
from models.errors import BadFile
from models.gguf.header import parse_header
from tests.models.decoder import tiny
from tests.models.samples import gguf, tensor


def config(folder: Path, **changed: Any) -> Path:
    tiny.safetensors_file(folder, {})
    path = folder / "config.json"
    said = {**json.loads(path.read_text(encoding="utf-8")), **changed}
    path.write_text(json.dumps({k: v for k, v in said.items() if v != "gone"}), encoding="utf-8")
    return path


def test_what_is_not_said_has_the_fields_usual_value(tmp_path: Path) -> None:
    shape = config_shape(config(tmp_path, num_key_value_heads="gone", rope_theta="gone"))
    assert (shape.kv_heads, shape.theta, shape.head) == (tiny.HEADS, 10_000.0, tiny.HEAD)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"model_type": "gpt2"}, "model_type is 'gpt2'"),
        ({"hidden_act": "gelu"}, "activation"),
        ({"attention_bias": True}, "biases"),
        ({"rope_scaling": {"type": "yarn"}}, "scaled"),
        ({"rope_parameters": {"rope_type": "llama3"}}, "scaled"),
        ({"hidden_size": True}, "hidden_size is True"),
        ({"hidden_size": 1 << 31}, "width is 2147483648"),
        ({"num_hidden_layers": "gone"}, "num_hidden_layers is None"),
        ({"num_key_value_heads": 3}, "4 heads of 8 cannot share 3"),
        ({"rms_norm_eps": 0}, "not positive"),
        ({"rms_norm_eps": "small"}, "rms_norm_eps is 'small'"),
        ({"rope_theta": 1e999}, "not positive"),
    ],
)
def test_a_model_that_is_not_run_here_is_refused(
    tmp_path: Path, changed: dict[str, Any], reason: str
) -> None:
    with pytest.raises(BadFile, match=reason):
        config_shape(config(tmp_path, **changed))


@pytest.mark.parametrize(("said", "reason"), [(b"{", "not JSON"), (b"[]", "not a JSON object")])
def test_a_config_that_is_none_is_refused(tmp_path: Path, said: bytes, reason: str) -> None:
    (tmp_path / "config.json").write_bytes(said)
    with pytest.raises(BadFile, match=reason):
        config_shape(tmp_path / "config.json")
    with pytest.raises(BadFile, match="cannot be read"):
        config_shape(tmp_path / "none.json")


def test_heads_share_nothing_where_the_header_does_not_say_so() -> None:
    said = [each for name, each in tiny.header().items() if "head_count_kv" not in name]
    data = gguf(said, [tensor("token_embd.weight", (8, 4), 0, 0)], bytes(128))
    assert gguf_shape_of(data).kv_heads == tiny.HEADS


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("llama.attention.head_count", 5, "not shared evenly by 5"),
        ("llama.rope.dimension_count", 4, "dimension_count is not 8"),
    ],
)
def test_a_header_that_says_what_is_not_run_is_refused(key: str, value: int, reason: str) -> None:
    data = gguf(list({**tiny.header(), key: tiny.number(key, value)}.values()))
    with pytest.raises(BadFile, match=reason):
        gguf_shape_of(data)


def gguf_shape_of(data: bytes) -> Any:
    return gguf_shape(parse_header(io.BytesIO(data), len(data)))


@pytest.mark.parametrize(
    ("name", "shape", "reason"),
    [
        ("model.layers.0.mlp.up_proj.weight", (4, 4), r"is \(4, 4\), where \(48, 32\) is needed"),
        ("model.layers.0.self_attn.q_proj.bias", (32,), "which is not run"),
        ("model.norm.weight", None, "lacks the tensor 'model.norm.weight'"),
    ],
)
def test_exactly_the_tensors_of_the_model_are_taken(
    tmp_path: Path, name: str, shape: tuple[int, ...] | None, reason: str
) -> None:
    numbers = tiny.weights()
    numbers.pop(name, None)
    if shape:
        numbers[name] = np.ones(shape, np.float32)
    with pytest.raises(BadFile, match=reason):
        load_safetensors(tiny.safetensors_file(tmp_path, numbers), "float32")


def test_an_architecture_of_another_family_is_refused(tmp_path: Path) -> None:
    keys = {
        name.replace("llama.", "gemma."): each.replace(b"llama", b"gemma")
        for name, each in tiny.header().items()
    }
    path = tiny.write_gguf(
        tmp_path / "gemma.gguf",
        keys,
        {tiny.gguf_name(name): each for name, each in tiny.weights().items()},
    )
    with pytest.raises(BadFile, match="only llama models are read"):
        load_gguf(path, "gemma", "float32")
