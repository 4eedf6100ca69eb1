"""Headers of GGUF files: whole, truncated, hostile, and changed at random."""

import io
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import BadFile
from models.gguf.header import Array, parse_header, read_header
from tests.models import samples
from tests.models.samples import ARCHITECTURE, gguf, key, tensor, text, write

WHOLE = samples.small_gguf()


def parse(data: bytes) -> object:
    return parse_header(io.BytesIO(data), len(data))


def test_a_whole_header_is_read(tmp_path: Path) -> None:
    header = read_header(write(tmp_path / "model.gguf", WHOLE))
    assert header.text("general.architecture") == "llama"
    assert header.count("general.file_type") == 3
    assert header.keys["words"] == Array(8, 2, ())
    assert [(each.name, each.shape, each.size) for each in header.tensors] == [
        ("m", (32, 2), 40),
        ("o", (32, 1), 34),
        ("v", (4,), 16),
    ]
    assert header.data_start % 32 == 0


def test_a_key_that_is_not_there_is_named() -> None:
    header = parse_header(io.BytesIO(WHOLE), len(WHOLE))
    with pytest.raises(BadFile, match=r"no text under general\.name"):
        header.text("general.name")
    with pytest.raises(BadFile, match="no positive number under words"):
        header.count("words")


@pytest.mark.parametrize("length", range(0, len(WHOLE), 7))
def test_a_truncated_file_is_refused(length: int) -> None:
    with pytest.raises(BadFile):
        parse(WHOLE[:length])


HUGE = 1 << 60
HOSTILE = {
    "no mark": (b"PK\3\4" + WHOLE[4:], "does not begin with GGUF"),
    "version": (gguf(version=1), "version 1"),
    "other end": (b"GGUF" + struct.pack(">I", 3) + WHOLE[8:], "version"),
    "many tensors": (gguf(counts=(HUGE, 0)), "number of tensors"),
    "many keys": (gguf(counts=(0, HUGE)), "number of keys"),
    "long key": (gguf([struct.pack("<Q", HUGE)]), "length of key 0"),
    "long text": (gguf([key("k", 8, struct.pack("<Q", HUGE))]), "length of the value of 'k'"),
    "text past the end": (gguf([key("k", 8, struct.pack("<Q", 5_000))]), "ends within"),
    "long array": (gguf([key("k", 9, struct.pack("<IQ", 4, HUGE))]), "length of the array 'k'"),
    "array of texts": (gguf([key("k", 9, struct.pack("<IQ", 8, 9_999))]), "length of the array"),
    "array of arrays": (gguf([key("k", 9, struct.pack("<IQ", 9, 1))]), "items of type 9"),
    "value": (gguf([key("k", 77, b"")]), "unknown type 77"),
    "key twice": (gguf([ARCHITECTURE, ARCHITECTURE]), "comes twice"),
    "no UTF-8": (gguf([key("k", 8, struct.pack("<Q", 1) + b"\xff")]), "not UTF-8"),
    "many dimensions": (gguf(tensors=[tensor("t", (1,) * 5, 0, 0)]), "number of dimensions"),
    "no dimension": (gguf(tensors=[tensor("t", (), 0, 0)]), "'t' is empty"),
    "empty": (gguf(tensors=[tensor("t", (0, 4), 0, 0)]), "'t' is empty"),
    "huge": (gguf(tensors=[tensor("t", (HUGE, HUGE), 0, 0)], data=bytes(64)), "truncated, or lies"),
    "tensor type": (gguf(tensors=[tensor("t", (4,), 99, 0)]), "unknown type 99"),
    "odd row": (gguf(tensors=[tensor("t", (33,), 3, 0)]), "rows of 33"),
    "unaligned": (gguf(tensors=[tensor("t", (4,), 0, 4)], data=bytes(64)), "not aligned"),
    "far away": (gguf(tensors=[tensor("t", (4,), 0, 1 << 50)], data=bytes(64)), "truncated"),
    "upon another": (
        gguf(tensors=[tensor("t", (16,), 0, 0), tensor("u", (4,), 0, 32)], data=bytes(64)),
        "lies upon another",
    ),
    "tensor twice": (
        gguf(tensors=[tensor("t", (4,), 0, 0), tensor("t", (4,), 0, 32)], data=bytes(64)),
        "'t' comes twice",
    ),
    "long name": (gguf(tensors=[tensor("t" * 64, (4,), 0, 0)], data=bytes(64)), "a tensor's name"),
    "alignment": (gguf([key("general.alignment", 4, struct.pack("<I", 3))]), "general.alignment"),
    "alignment text": (gguf([key("general.alignment", 8, text("32"))]), "general.alignment"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_header_is_refused_with_its_reason(case: str) -> None:
    data, reason = HOSTILE[case]
    with pytest.raises(BadFile, match=reason):
        parse(data)


def test_an_error_names_the_file_and_the_remedy(tmp_path: Path) -> None:
    path = write(tmp_path / "model.gguf", b"not one")
    with pytest.raises(BadFile, match=r"model\.gguf is not .* pull the model again"):
        read_header(path)
    with pytest.raises(BadFile, match="cannot be read"):
        read_header(tmp_path / "none.gguf")


def test_a_file_that_shrinks_while_it_is_read_is_refused() -> None:
    with pytest.raises(BadFile, match="ends within"):
        parse_header(io.BytesIO(WHOLE[:40]), len(WHOLE))


@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=8))
def test_a_changed_file_is_read_or_refused_and_nothing_else(changes: list[tuple[int, int]]) -> None:
    data = bytearray(WHOLE)
    for place, value in changes:
        data[place] = value
    try:
        header = parse_header(io.BytesIO(bytes(data)), len(data))
    except BadFile:
        return
    assert all(header.data_start + t.offset + t.size <= len(data) for t in header.tensors)


@given(st.binary(max_size=400))
def test_any_bytes_after_the_mark_are_read_or_refused(rest: bytes) -> None:
    data = b"GGUF" + struct.pack("<I", 3) + rest
    try:
        parse(data)
    except BadFile:
        return
    assert len(data) >= 24


@given(
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**64 - 1),
    st.lists(st.integers(0, 2**64 - 1), max_size=6),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**64 - 1),
)
def test_no_claimed_size_is_believed(
    tensors: int, keys: int, shape: list[int], kind: int, offset: int
) -> None:
    for counts in ((tensors, keys), (1, 0)):
        data = gguf(tensors=[tensor("t", shape, kind, offset)], data=bytes(256), counts=counts)
        try:
            header = parse_header(io.BytesIO(data), len(data))
        except BadFile:
            continue
        assert sum(each.size for each in header.tensors) <= 256
