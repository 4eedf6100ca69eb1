"""From quantised blocks back to numbers, with numpy.

Only the types that the packaged weights use; another is refused by name. The formulas are ggml's
(`dequantize_row_q4_1`, `dequantize_row_q8_0` in github.com/ggml-org/ggml, `ggml-quants.c`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.errors import BadFile
from models.gguf.types import BLOCKS, F16, F32, Q4_1, Q8_0

_KNOWN: Final = (F32, F16, Q4_1, Q8_0)


def check_known(kind: int, name: str) -> None:
    """Raise `BadFile` where a tensor of this type cannot be turned into numbers."""
    if kind not in _KNOWN:
        known = ", ".join(BLOCKS[each].name for each in _KNOWN)
        raise BadFile(f"The tensor {name!r} is {BLOCKS[kind].name}; known here are {known}.")


def to_float32(data: bytes, kind: int) -> NDArray[np.float32]:
    """The numbers of a tensor, in the order in which they lie. Takes known types only."""
    if kind == F32:
        return np.frombuffer(data, "<f4")
    if kind == F16:
        return np.frombuffer(data, "<f2").astype(np.float32)
    blocks = np.frombuffer(data, np.uint8).reshape(-1, BLOCKS[kind].size)
    scale = _half(blocks[:, 0:2])
    if kind == Q8_0:
        return (blocks[:, 2:].view(np.int8).astype(np.float32) * scale).reshape(-1)
    least, packed = _half(blocks[:, 2:4]), blocks[:, 4:]
    steps = np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.float32)
    return (steps * scale + least).reshape(-1)


def _half(columns: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Two bytes a row as one number a row, in a column."""
    return np.ascontiguousarray(columns).view("<f2").astype(np.float32)
