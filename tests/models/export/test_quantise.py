"""Group quantisation, held against its definition taken number by number."""

import math
import struct
from collections.abc import Callable

import numpy as np
import pytest

from models.decoder.tensors import Numbers
from models.export.quantise import Halves, dequantise, quantise


def float16(value: float) -> float:
    (found,) = struct.unpack("<e", struct.pack("<e", value))
    return float(found)


def float32(value: float) -> float:
    (found,) = struct.unpack("<f", struct.pack("<f", value))
    return float(found)


def defined(row: list[float], rounded: Callable[[float], float]) -> tuple[list[int], list[float]]:
    """Words and scales of a row, as MLC's definition says them."""
    words, scales = [], []
    for at in range(0, len(row), 32):
        group = [rounded(each) for each in row[at : at + 32]]
        scale = rounded(max(map(abs, group)) / 7)
        scales.append(scale)
        steps = []
        for each in group:
            shifted = rounded(rounded(each / scale) + 7) if scale else 7.0
            # Python rounds halves to the even number, as the definition's compiled form does.
            steps.append(min(max(round(shifted), 0), 14))
        steps += [0] * (32 - len(steps))
        words += [
            sum(step << (4 * place) for place, step in enumerate(steps[start : start + 8]))
            for start in range(0, 32, 8)
        ]
    return words, scales


def typed(matrix: Numbers, kind: type[np.float16 | np.float32]) -> Numbers | Halves:
    return matrix.astype(np.float16) if kind is np.float16 else matrix


def matrices() -> list[Numbers]:
    random = np.random.default_rng(11)
    plain = random.standard_normal((24, 96)).astype(np.float32)
    uneven = random.standard_normal((8, 48)).astype(np.float32)
    # Many halves: what lies between two steps shows how it is rounded.
    halves = (random.integers(-14, 15, (16, 32)) / 2).astype(np.float32)
    halves[:, 0] = 7
    scaled = plain * np.float32(10.0) ** random.integers(-6, 4, (24, 1)).astype(np.float32)
    zeros = np.zeros((2, 64), np.float32)
    return [plain, uneven, halves, scaled, zeros]


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize(("kind", "rounded"), [(np.float16, float16), (np.float32, float32)])
def test_every_bit_is_as_the_definition_says(
    number: int, kind: type[np.float16 | np.float32], rounded: Callable[[float], float]
) -> None:
    matrix = matrices()[number]
    words, scales = quantise(typed(matrix, kind))
    for row, own_words, own_scales in zip(matrix.tolist(), words, scales, strict=True):
        expected = defined(row, rounded)
        assert own_words.tolist() == expected[0]
        assert own_scales.tolist() == expected[1]


@pytest.mark.parametrize("kind", [np.float16, np.float32])
@pytest.mark.parametrize("width", [96, 48])
def test_what_comes_back_is_within_half_a_step(
    kind: type[np.float16 | np.float32], width: int
) -> None:
    matrix = np.random.default_rng(3).standard_normal((64, width)).astype(np.float32)
    words, scales = quantise(typed(matrix, kind))
    assert words.dtype == np.uint32
    assert words.shape == (64, math.ceil(width / 32) * 4)
    found = dequantise(words, scales, width)
    steps = np.repeat(scales, 32, axis=1)[:, :width]
    # float16 rounds the number, its quotient and the sum: three times half of the last digit.
    more = 0.01 if kind == np.float16 else 1e-6
    assert (np.abs(found - matrix) <= steps * (0.5 + more)).all()


def test_a_group_of_zeros_comes_back_as_zeros() -> None:
    words, scales = quantise(np.zeros((1, 32), np.float16))
    assert words.tolist() == [[0x77777777] * 4]
    assert not dequantise(words, scales, 32).any()
