"""safetensors files that are whole, and those that would do harm."""

import contextlib
import json
import struct
from pathlib import Path
from typing import Any

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from models.decoder.safetensors import LONGEST_HEADER, Stored, read_entries, read_tensor
from models.errors import BadFile


def file(path: Path, rows: Any, data: bytes = b"", *, count: int | None = None) -> Path:
    head = rows if isinstance(rows, bytes) else json.dumps(rows).encode()
    path.write_bytes(struct.pack("<Q", len(head) if count is None else count) + head + data)
    return path


def row(shape: Any = (2,), places: Any = (0, 8), kind: Any = "F32") -> dict[str, Any]:
    return {"dtype": kind, "shape": shape, "data_offsets": places}


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("F32", struct.pack("<3f", 1, -2, 0.5)),
        ("F16", struct.pack("<3e", 1, -2, 0.5)),
        ("BF16", struct.pack("<3H", 0x3F80, 0xC000, 0x3F00)),
    ],
)
def test_numbers_are_read_in_their_shape(tmp_path: Path, kind: str, data: bytes) -> None:
    rows = {"__metadata__": {"format": "pt"}, "x": row((3, 1), (0, len(data)), kind)}
    path = file(tmp_path / "x.safetensors", rows, data)
    entries = read_entries(path)
    np.testing.assert_array_equal(read_tensor(path, entries["x"]), [[1.0], [-2.0], [0.5]])


@pytest.mark.parametrize(
    ("rows", "data", "count", "reason"),
    [
        (b"", b"", 1 << 62, f"has {1 << 62} bytes; {LONGEST_HEADER} is the most"),
        (b"{}", b"", 100, "has 100 bytes, and ends at byte 10"),
        (b"{", b"", None, "not JSON"),
        (b"[" * 100_000, b"", None, "not JSON"),
        (b'{"x": ' + b"9" * 5_000 + b"}", b"", None, "not JSON"),
        (b"\xff", b"", None, "not JSON"),
        (b"[]", b"", None, "not a JSON object"),
        (b'{"x": 1, "x": 2}', b"", None, "comes twice"),
        ({"x": 1}, b"", None, "'x' has other fields"),
        ({"x": {**row(), "more": 1}}, bytes(8), None, "other fields"),
        ({"x": row(kind="I64")}, bytes(8), None, "'I64'; known here are F32"),
        ({"x": row(kind=["F32"])}, bytes(8), None, "known here are F32"),
        ({"x": row(shape=[-1, -2])}, bytes(8), None, "shape of 'x'"),
        ({"x": row(shape=[1] * 9)}, bytes(8), None, "shape of 'x'"),
        ({"x": row(shape=[True, 2])}, bytes(8), None, "shape of 'x'"),
        ({"x": row(shape=[1 << 40, 1 << 40])}, bytes(8), None, "its shape contradicts"),
        ({"x": row(places=[0])}, bytes(8), None, "place of 'x'"),
        ({"x": row(places=[8, 0])}, bytes(8), None, "its shape contradicts"),
        ({"x": row(), "y": row()}, bytes(8), None, "'y' does not begin where"),
        ({"x": row(places=[8, 16])}, bytes(16), None, "'x' does not begin where"),
        ({"x": row()}, bytes(7), None, "truncated, or too long"),
        ({"x": row()}, bytes(9), None, "truncated, or too long"),
        ({str(at): row([0], [0, 0]) for at in range(65_537)}, b"", None, "has 65537 tensors"),
    ],
)
def test_a_file_that_lies_is_refused_by_one_error(
    tmp_path: Path, rows: Any, data: bytes, count: int | None, reason: str
) -> None:
    path = file(tmp_path / "bad.safetensors", rows, data, count=count)
    with pytest.raises(BadFile, match=reason) as raised:
        read_entries(path)
    assert str(raised.value).startswith("bad.safetensors is not a safetensors file")
    assert "fetch it again" in str(raised.value)


def test_a_file_that_is_not_there_or_ends_at_once_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="cannot be read"):
        read_entries(tmp_path / "none")
    (tmp_path / "short").write_bytes(b"1234")
    with pytest.raises(BadFile, match="within the length of its header"):
        read_entries(tmp_path / "short")
    with pytest.raises(BadFile, match="ends within the tensor 'x'"):
        read_tensor(tmp_path / "short", Stored("x", "F32", (2,), 0, 8))


@hypothesis.given(st.binary(max_size=200), st.booleans())
def test_no_bytes_do_anything_but_be_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, counted: bool
) -> None:
    path = tmp_path_factory.mktemp("any") / "any"
    path.write_bytes(struct.pack("<Q", len(data)) + data if counted else data)
    with contextlib.suppress(BadFile):
        assert all(isinstance(each, Stored) for each in read_entries(path).values())
