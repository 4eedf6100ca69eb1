"""Adapters as PEFT keeps them: read as the same in GGUF, or refused."""

import contextlib
import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from models.decoder.adapter import Adapter
from models.errors import BadFile
from models.export.adapters import read_adapter
from models.export.base import Base
from tests.models.decoder import tiny

CONFIG = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "bias": "none", "use_rslora": False}
A, B = np.ones((4, 32), np.float32), np.ones((16, 4), np.float32)
V = "base_model.model.model.layers.0.self_attn.v_proj.lora_"


def saved(folder: Path, parts: Mapping[str, tiny.Numbers], **config: Any) -> Path:
    """PEFT's folder of these tensors."""
    folder.mkdir(exist_ok=True)
    rows: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    data = b""
    for name, each in parts.items():
        raw = each.astype("<f4").tobytes()
        places = [len(data), len(data) + len(raw)]
        rows[name] = {"dtype": "F32", "shape": list(each.shape), "data_offsets": places}
        data += raw
    head = json.dumps(rows).encode()
    (folder / "adapter_model.safetensors").write_bytes(struct.pack("<Q", len(head)) + head + data)
    (folder / "adapter_config.json").write_text(json.dumps({**CONFIG, **config}), encoding="utf-8")
    return folder


def tensors(seed: int = 1) -> dict[str, tiny.Numbers]:
    found: dict[str, tiny.Numbers] = {}
    for name, (a, b) in tiny.random_adapter(seed).items():
        module = f"base_model.model.{name.removesuffix('.weight')}"
        found |= {f"{module}.lora_A.weight": a, f"{module}.lora_B.weight": b}
    return found


def same(one: Adapter, other: Adapter) -> bool:
    return one.parts.keys() == other.parts.keys() and all(
        np.allclose(mine, theirs, rtol=1e-6)
        for place, both in one.parts.items()
        for mine, theirs in zip(both, other.parts[place], strict=True)
    )


def test_it_is_the_same_adapter_as_in_gguf(base: Base, lora: Path, tmp_path: Path) -> None:
    folder, shape = saved(tmp_path / "peft", tensors()), base.tensors.shape
    expected = read_adapter(lora, shape)
    assert same(read_adapter(folder, shape), expected)
    assert same(read_adapter(folder / "adapter_model.safetensors", shape), expected)


def test_a_rank_stabilised_alpha_is_divided_by_the_root(
    base: Base, lora: Path, tmp_path: Path
) -> None:
    folder = saved(tmp_path / "peft", tensors(), use_rslora=True, lora_alpha=4)
    assert same(read_adapter(folder, base.tensors.shape), read_adapter(lora, base.tensors.shape))


def test_ranks_and_alphas_of_their_own_are_found_by_a_names_end(base: Base, tmp_path: Path) -> None:
    parts = {f"{V}A.weight": np.ones((2, 32), np.float32), f"{V}B.weight": B[:, :2]}
    folder = saved(
        tmp_path / "peft", parts, rank_pattern={"v_proj": 2}, alpha_pattern={"self_attn.v_proj": 3}
    )
    found = read_adapter(folder, base.tensors.shape)
    np.testing.assert_array_equal(found.parts[0, "v"][1], np.full((16, 2), 1.5))


@pytest.mark.parametrize(
    ("parts", "config", "reason"),
    [
        ({}, {}, "changes nothing"),
        ({f"{V}A.weight": A}, {}, "of another model"),
        ({f"{V}A.weight": A, f"{V}B.weight": B[:15]}, {}, "v_proj does not make 16 of 32"),
        ({f"{V}A.weight": A[:3], f"{V}B.weight": B}, {}, "of another model"),
        ({f"{V}A.weight": A[:3], f"{V}B.weight": B[:, :3]}, {}, "has rank 3 in .* says 4"),
        ({f"{V}A.weight": A, f"{V}B.weight": B}, {"r": None}, "says None"),
        ({f"{V}A.weight": A, f"{V}B.weight": B}, {"lora_alpha": "8"}, "the alpha of .* no number"),
        ({f"{V}A.weight": A, f"{V}B.weight": B}, {"lora_alpha": 10**400}, "no number"),
        ({f"{V}A.weight": A, f"{V}B.weight": B}, {"use_dora": True}, "use_dora is True"),
        ({f"{V}A.weight": A, f"{V}B.weight": B}, {"bias": "all"}, "bias is 'all'"),
        (
            {f"{V}A.weight": A, f"{V}B.weight": B},
            {"init_lora_weights": "pissa"},
            "init_lora_weights is 'pissa'",
        ),
        ({f"{V}A.weight": A, f"{V}B.weight": B}, {"peft_type": "IA3"}, "peft_type is 'IA3'"),
        (
            {f"{V}A.weight": A, f"{V}B.weight": B},
            {"alpha_pattern": {"(a+)+$": 2}},
            "alpha_pattern has other keys",
        ),
        ({V.replace("layers.0", "layers.7") + "A.weight": A}, {}, "which is not read here"),
        ({"base_model.model.lm_head.lora_A.weight": A}, {}, "which is not read here"),
        (
            {f"{V}A.weight": A, f"{V}A.default.weight": A, f"{V}B.weight": B},
            {},
            "lora_A of .* twice",
        ),
        (
            {f"{V}A.weight": np.ones((300, 32)), f"{V}B.weight": np.ones((16, 300))},
            {},
            "has rank 300; 1 to 256",
        ),
    ],
)
def test_what_would_be_read_wrongly_is_refused(
    base: Base,
    tmp_path: Path,
    parts: dict[str, tiny.Numbers],
    config: dict[str, Any],
    reason: str,
) -> None:
    with pytest.raises(BadFile, match=reason):
        read_adapter(saved(tmp_path / "peft", parts, **config), base.tensors.shape)


def test_a_folder_without_a_config_is_refused(base: Base, tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"adapter_config\.json cannot be read"):
        read_adapter(tmp_path, base.tensors.shape)


@hypothesis.given(
    config=st.dictionaries(
        st.sampled_from(["r", "lora_alpha", "rank_pattern", "alpha_pattern", "use_rslora", "bias"]),
        st.one_of(
            st.none(), st.integers(), st.floats(), st.text(), st.lists(st.integers()),
            st.dictionaries(st.text(max_size=8), st.one_of(st.none(), st.integers(), st.text())),
        ),
    ),
    shape=st.lists(st.integers(0, 40), max_size=3),
)  # fmt: skip
def test_no_config_and_no_shape_does_anything_but_be_refused(
    base: Base,
    tmp_path_factory: pytest.TempPathFactory,
    config: dict[str, Any],
    shape: list[int],
) -> None:
    parts = {f"{V}A.weight": np.ones(shape, np.float32), f"{V}B.weight": B}
    folder = saved(tmp_path_factory.mktemp("any") / "peft", parts, **config)
    with contextlib.suppress(BadFile):
        read_adapter(folder, base.tensors.shape)
