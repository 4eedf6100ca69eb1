"""Merged GGUF files, held against the sum taken in float64; and adapters that are written."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from models.decoder.adapter import Adapter, gguf_adapter
from models.errors import BadFile
from models.export.adapters import BASE, adapter_size, read_adapter, write_adapter
from models.export.base import Base, Weighted, open_base
from models.export.gguf import merged_size, write_merged
from models.gguf.header import parse_header, read_header
from models.gguf.types import F16, F32
from tests.models.decoder import tiny


def written(base: Base, adapters: Weighted, kind: int, path: Path) -> Path:
    with path.open("wb") as out:
        write_merged(base, adapters, kind, out, lambda _done, _total: None)
    assert path.stat().st_size == merged_size(base.header, kind)
    return path


def summed(scales: Sequence[tuple[int, float]]) -> dict[str, tiny.Numbers]:
    numbers = {name: each.astype(np.float64) for name, each in tiny.weights().items()}
    for seed, scale in scales:
        for name, (a, b) in tiny.random_adapter(seed).items():
            numbers[name] += scale * (b.astype(np.float64) @ a)
    return {name: each.astype(np.float32) for name, each in numbers.items()}


def read(path: Path) -> dict[str, tiny.Numbers]:
    """What a merged file holds, under safetensors' names."""
    tensors = open_base(path).tensors
    found = {"model.embed_tokens.weight": tensors.embedding(), "model.norm.weight": tensors.norm()}
    names = (*"qkvo", "gate", "up", "down", "attn_norm", "ffn_norm")
    ours = dict(zip(tiny.sizes(), names, strict=True))
    for layer in range(tiny.LAYERS):
        for own, name in ours.items():
            found[f"model.layers.{layer}.{own}.weight"] = tensors.layer(layer, name)
    return found


@pytest.mark.parametrize(("kind", "near"), [(F32, 1e-5), (F16, 2**-10)])
def test_adapters_are_added_by_their_weights(
    base: Base, tmp_path: Path, kind: int, near: float
) -> None:
    adapters = []
    for seed, alpha, weight in ((1, 8.0, 1.0), (2, 2.0, -0.5)):
        path = tmp_path / f"{seed}.gguf"
        tiny.adapter_file(path, tiny.random_adapter(seed), alpha=alpha)
        adapters.append((read_adapter(path, base.tensors.shape), weight))
    found = read(written(base, adapters, kind, tmp_path / "merged.gguf"))
    for name, expected in summed([(1, 8 / 4), (2, -0.5 * 2 / 4)]).items():
        np.testing.assert_allclose(found[name], expected, rtol=near, atol=near, err_msg=name)


def test_without_adapters_every_number_is_what_it_was(base: Base, tmp_path: Path) -> None:
    path = written(base, (), F16, tmp_path / "half.gguf")
    found = read(path)
    for name, expected in tiny.weights().items():
        np.testing.assert_array_equal(found[name], expected)
    kinds = {each.kind for each in read_header(path).tensors if len(each.shape) == 1}
    assert kinds == {F32}
    # And again from that one.
    again = written(open_base(path), (), F16, tmp_path / "again.gguf")
    assert again.read_bytes() == path.read_bytes()


def test_the_files_type_is_said_where_the_base_says_one(tmp_path: Path) -> None:
    keys = {"general.file_type": tiny.number("general.file_type", 3)}
    base = open_base(tiny.gguf_file(tmp_path / "typed.gguf", tiny.weights(), keys=keys))
    for kind, said in ((F16, 1), (F32, 0)):
        path = written(base, (), kind, tmp_path / "out.gguf")
        assert read_header(path).keys["general.file_type"] == said


def test_numbers_beyond_f16_are_refused_by_name(base: Base, tmp_path: Path) -> None:
    parts = {(0, "q"): (np.full((1, 32), 300, np.float32), np.full((32, 1), 300, np.float32))}
    with pytest.raises(BadFile, match=r"blk\.0\.attn_q\.weight has numbers beyond"):
        written(base, [(Adapter(parts), 1.0)], F16, tmp_path / "half.gguf")
    written(base, [(Adapter(parts), 1.0)], F32, tmp_path / "whole.gguf")


@pytest.mark.parametrize(
    ("kind", "near", "mixed"), [(F32, 0, False), (F32, 0, True), (F16, 2**-10, False)]
)
def test_an_adapter_that_was_written_is_read_as_it_was(  # noqa: PLR0917
    base: Base, lora: Path, tmp_path: Path, kind: int, near: float, mixed: bool
) -> None:
    shape = base.tensors.shape
    parts = dict(read_adapter(lora, shape).parts)
    if mixed:
        a, b = parts[0, "k"]
        parts[0, "k"] = (a[:2], b[:, :2])
    out = io.BytesIO()
    write_adapter(Adapter(parts), shape, kind, out, "tiny")
    path = tmp_path / "again.gguf"
    path.write_bytes(out.getvalue())
    assert path.stat().st_size <= adapter_size(Adapter(parts), kind)
    assert read_header(path).keys["adapter.lora.alpha"] == (0 if mixed else 4)
    found = gguf_adapter(path, shape)
    assert found.parts.keys() == parts.keys()
    for place, both in parts.items():
        for own, expected in zip(found.parts[place], both, strict=True):
            np.testing.assert_allclose(own, expected, rtol=near, atol=near * 1e-2)


def test_an_adapter_says_whose_it_is_and_is_refused_for_another(
    base: Base, lora: Path, tmp_path: Path
) -> None:
    shape = base.tensors.shape
    out = io.BytesIO()
    write_adapter(read_adapter(lora, shape, "tiny"), shape, F32, out, "tiny")
    made = parse_header(io.BytesIO(out.getvalue()), len(out.getvalue()))
    assert made.keys[BASE] == "tiny"
    path = tmp_path / "tiny.gguf"
    path.write_bytes(out.getvalue())
    read_adapter(path, shape, "tiny")
    read_adapter(path, shape)
    with pytest.raises(BadFile, match=r"tiny\.gguf is an adapter of tiny, not of small"):
        read_adapter(path, shape, "small")


def test_an_adapter_of_what_is_no_number_is_refused(base: Base, tmp_path: Path) -> None:
    parts = tiny.random_adapter(1)
    parts["model.layers.0.mlp.up_proj.weight"][1][3, 1] = np.nan
    path = tiny.adapter_file(tmp_path / "nan.gguf", parts, alpha=8)
    with pytest.raises(BadFile, match=r"no number, in up of layer 0"):
        read_adapter(path, base.tensors.shape)
