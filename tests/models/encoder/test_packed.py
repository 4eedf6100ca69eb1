"""The packaged 4-bit weights: what is read, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models.encoder.bert import bert_int8
from models.encoder.packed import Packed
from models.errors import BadFile
from tests.models.encoder.packed import INNER, LAYERS, WIDTH, packed, tensors, write


def test_the_numbers_of_every_tensor_are_read(tmp_path: Path) -> None:
    held = tensors()
    read = Packed(write(tmp_path / "small.bin", packed(held)))
    assert set(read.names) == set(held)
    for name, values in held.items():
        assert np.array_equal(read.tensor(name, *values.shape), values), name
    pieces = list(read.rows("emb.word", WIDTH, 16))
    assert [len(each) for each in pieces] == [16, 16, 8]
    assert np.array_equal(np.concatenate(pieces), held["emb.word"])


type Tensor = NDArray[np.float64]


def without(name: str) -> bytes:
    return packed({key: each for key, each in tensors().items() if key != name})


def with_another(name: str, values: Tensor) -> bytes:
    return packed(tensors() | {name: values.astype(np.float32)})


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no 4-bit encoder"),
        (b"GGUF" + bytes(100), "no 4-bit encoder"),
        (packed(tensors())[:60], "ends within its header"),
        (packed(tensors())[:-1], "beyond the file's end"),
        (packed(tensors(), beyond=1 << 62), "beyond the file's end"),
        (packed(tensors(), count=-1), "states -1 tensors"),
        (packed(tensors(), count=2_000_000_000), "states 2000000000 tensors"),
        (packed(tensors(), (0, LAYERS, 1, INNER)), "impossible size"),
        (packed(tensors(), (WIDTH, 2_000_000_000, 2, INNER)), "impossible size"),
        (packed(tensors(), (WIDTH, LAYERS, 5, INNER)), "impossible size"),
        (packed(tensors(), (WIDTH, LAYERS, 2, 2 * INNER)), "'l0.fi.w' has 2048 numbers"),
        (packed(tensors(), (WIDTH, LAYERS + 1, 2, INNER)), "no tensor 'l2.q.w'"),
        (without("l1.oln.b"), "no tensor 'l1.oln.b'"),
        (with_another("emb.pos", np.zeros(WIDTH + 1)), "no whole rows of 32"),
        (with_another("emb.ln.w", np.full(WIDTH, np.nan)), "no number"),
    ],
)
def test_what_is_no_such_file_is_refused(tmp_path: Path, data: bytes, reason: str) -> None:
    with pytest.raises(BadFile, match=reason):
        bert_int8(Packed(write(tmp_path / "bad.bin", data)), lambda _done, _total: None)
