"""F16 files: made of small parts whose numbers are known, and of the real weights."""

import io
import struct
from pathlib import Path

import pytest

from models.errors import BadFile
from models.gguf.half import write_half
from models.gguf.header import parse_header, read_header
from models.gguf.types import F16, F32
from models.registry.partial import sha256_of
from tests.models import samples
from tests.models.samples import ARCHITECTURE, FILE_TYPE, gguf, tensor, write


def half(path: Path) -> bytes:
    out = io.BytesIO()
    write_half(path, out, lambda _done, _total: None)
    return out.getvalue()


def test_the_numbers_of_every_type_are_kept(tmp_path: Path) -> None:
    made = half(write(tmp_path / "small.gguf", samples.small_gguf()))
    header = parse_header(io.BytesIO(made), len(made))
    assert header.count("general.file_type") == 1
    assert [(each.name, each.kind) for each in header.tensors] == [
        ("m", F16),
        ("o", F16),
        ("v", F32),
    ]

    def numbers(at: int, form: str) -> tuple[float, ...]:
        return struct.unpack_from(form, made, header.data_start + header.tensors[at].offset)

    row = tuple(0.5 * step - 2 for step in range(16)) * 2
    assert numbers(0, "<64e") == row * 2
    assert numbers(1, "<32e") == tuple(0.25 * number for number in range(-16, 16))
    assert numbers(2, "<4f") == (1, 2, 3, 4)


def test_making_it_again_changes_nothing(tmp_path: Path) -> None:
    once = half(write(tmp_path / "small.gguf", samples.small_gguf()))
    assert half(write(tmp_path / "half.gguf", once)) == once


def test_how_far_it_is_is_told(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    out = io.BytesIO()
    path = write(tmp_path / "small.gguf", samples.small_gguf())
    write_half(path, out, lambda *at: told.append(at))
    assert told[-1] == (len(out.getvalue()), len(out.getvalue()))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (gguf([ARCHITECTURE]), "does not say its type"),
        (gguf([FILE_TYPE], [tensor("t", (256, 1), 14, 0)], bytes(224)), "'t' is Q6_K"),
    ],
)
def test_what_cannot_be_made_is_refused(tmp_path: Path, data: bytes, reason: str) -> None:
    with pytest.raises(BadFile, match=reason):
        half(write(tmp_path / "model.gguf", data))


@pytest.mark.needs("weights")
def test_the_real_weights_become_the_promised_file(smollm2: Path, tmp_path: Path) -> None:
    packaged = smollm2.with_name("SmolLM2-135M-Instruct.Q4_1.gguf")
    with (tmp_path / "made").open("wb") as out:
        write_half(packaged, out, lambda _done, _total: None)
    assert sha256_of(tmp_path / "made") == sha256_of(smollm2)
    assert len(read_header(smollm2).tensors) == 272
