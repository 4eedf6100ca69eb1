"""MLC's group quantisation of matrices: `q4f16_1` and `q4f32_1`.

Along each row, 32 numbers share a scale, which is the largest of their absolute values divided by
7. A number becomes `round(w / scale + 7)`, from 0 to 14; eight of them lie in a uint32, the first
lowest. The dequantised number is `(q - 7) * scale`. All is computed in the type that the model
computes in (float16 or float32), each step rounded to it, halves to the even number, as MLC's
compiled function does on a processor (github.com/mlc-ai/mlc-llm, `group_quantization.py`). Decides
one thing that MLC leaves open: a group whose scale is 0 becomes 7 throughout, which is 0.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.decoder.tensors import Numbers

GROUP: Final = 32
PACKED: Final = 8
"""So many numbers lie in a uint32."""

_BITS: Final = 4
_MOST: Final = 7
_AT_ONCE: Final = 1 << 22

type Words = NDArray[np.uint32]
type Halves = NDArray[np.float16]


def quantise(matrix: Numbers | Halves) -> tuple[Words, Numbers]:
    """A matrix (out, in) as words (out, groups * 4) and scales (out, groups).

    Its type is the one in which is computed. Scales are float32, of values that this type holds.
    """
    half = matrix.dtype == np.float16
    step = max(1, _AT_ONCE // matrix.shape[1])
    pieces = [
        _quantise(matrix[at : at + step].astype(np.float32, copy=False), half)
        for at in range(0, matrix.shape[0], step)
    ]
    words, scales = zip(*pieces, strict=True)
    return np.concatenate(words), np.concatenate(scales)


def dequantise(words: Words, scales: Numbers, width: int) -> Numbers:
    """The matrix (out, width) that words and scales stand for."""
    shifts = np.arange(PACKED, dtype=np.uint32) * np.uint32(_BITS)
    steps = (words[..., None] >> shifts) & np.uint32((1 << _BITS) - 1)
    numbers = steps.reshape(len(words), -1, GROUP).astype(np.float32) - np.float32(_MOST)
    return (numbers * scales[..., None]).reshape(len(words), -1)[:, :width]


def _quantise(matrix: Numbers, half: bool) -> tuple[Words, Numbers]:
    rows, width = matrix.shape
    beyond = -width % GROUP
    groups = np.pad(matrix, ((0, 0), (0, beyond))).reshape(rows, -1, GROUP)
    largest: Numbers = np.maximum(groups.max(-1), -groups.min(-1))
    scales = _rounded(np.divide(largest, _MOST, dtype=np.float32), half)
    # float32 has more than twice the digits of float16: rounding twice rounds as once.
    divided = np.divide(
        groups, scales[..., None], out=np.zeros_like(groups), where=scales[..., None] != 0
    )
    shifted = _rounded(_rounded(divided, half) + np.float32(_MOST), half)
    steps = np.clip(np.rint(shifted), 0, 2 * _MOST).astype(np.uint8).reshape(rows, -1)
    if beyond:
        steps[:, -beyond:] = 0
    # Two numbers are a byte, and four bytes a word, the lowest first.
    packed = steps[:, ::2] | (steps[:, 1::2] << _BITS)
    return np.ascontiguousarray(packed).view("<u4").astype(np.uint32), scales


def _rounded(numbers: Numbers, half: bool) -> Numbers:
    return numbers.astype(np.float16).astype(np.float32) if half else numbers
