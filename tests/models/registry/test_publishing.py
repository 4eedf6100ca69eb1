"""Publishing a model for browsers: what the folder holds, and what is never left half written."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.errors import BadFile, UnknownModel
from models.gguf.dequantise import to_float32
from models.gguf.header import read_header
from models.gguf.types import F32, Q8_0
from models.registry.publishing import BLOCK_BYTES, publish
from models.registry.registry import Registry
from tests.models.samples import entry, file_entry, known, sha256, small_gguf

Make = Callable[..., Registry]


def brought(make: Make, tmp_path: Path, content: bytes) -> Registry:
    """A registry whose model `small` has this content, and is here."""
    (tmp_path / "origin").write_bytes(content)
    registry = make(entry(files=file_entry(**known(content))))
    registry.pull(registry.find("small"))
    return registry


def test_a_file_stands_under_its_hash_beside_those_of_its_blocks(
    registry: Make, tmp_path: Path
) -> None:
    content = bytes(range(251)) * 10_000
    made = brought(registry, tmp_path, content)
    folder = tmp_path / "published"
    done = publish(made, made.find("small"), folder)
    assert done.file == folder / "sha256" / sha256(content)
    assert done.file.read_bytes() == content
    manifest = json.loads(done.manifest.read_text())
    blocks = [content[at : at + BLOCK_BYTES] for at in range(0, len(content), BLOCK_BYTES)]
    assert manifest["blocks"] == [hashlib.sha256(block).hexdigest() for block in blocks]
    row = (manifest["id"], manifest["size"], manifest["sha256"], manifest["licence"])
    assert row == ("small", len(content), sha256(content), "Apache-2.0")
    # Once more changes nothing.
    assert publish(made, made.find("small"), folder) == done
    assert sorted(path.name for path in folder.rglob("*")) == sorted(
        ["sha256", done.file.name, "small.json"]
    )


def test_in_eight_bits_the_numbers_are_nearly_the_same(registry: Make, tmp_path: Path) -> None:
    made = brought(registry, tmp_path, small_gguf())
    done = publish(made, made.find("small"), tmp_path / "published", "q8_0")
    header, data = read_header(done.file), done.file.read_bytes()
    assert header.keys["general.file_type"] == 7
    kinds = {each.name: each.kind for each in header.tensors}
    assert kinds == {"m": Q8_0, "o": Q8_0, "v": F32}

    def numbers(at: int) -> np.ndarray:
        each = header.tensors[at]
        start = header.data_start + each.offset
        return to_float32(data[start : start + each.size], each.kind)

    row = np.array([0.5 * step - 2 for step in range(16)] * 4)
    assert np.abs(numbers(0) - row).max() <= np.abs(row).max() / 127 / 2 + 1e-2
    assert list(numbers(2)) == [1, 2, 3, 4]


def test_what_fails_leaves_nothing_behind(registry: Make, tmp_path: Path) -> None:
    made = brought(registry, tmp_path, b"no model at all")
    folder = tmp_path / "published"
    with pytest.raises(BadFile):
        publish(made, made.find("small"), folder, "q8_0")
    assert [path.name for path in folder.rglob("*")] == ["sha256"]
    absent = registry(entry(model="other", files=file_entry(**known())))
    with pytest.raises(UnknownModel):
        publish(absent, absent.find("other"), folder)
