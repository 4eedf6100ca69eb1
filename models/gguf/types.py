"""The types of GGUF: of the values under a header's keys, and of tensors.

Decides nothing: the numbers are those of github.com/ggml-org/ggml (`gguf.h`, `ggml.h`).
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple


class Type(IntEnum):
    """Types of values that are no plain number."""

    STRING = 8
    ARRAY = 9


FIXED: Final = {
    0: "<B",
    1: "<b",
    2: "<H",
    3: "<h",
    4: "<I",
    5: "<i",
    6: "<f",
    7: "<?",
    10: "<Q",
    11: "<q",
    12: "<d",
}
"""How values of a fixed size are packed."""


class Block(NamedTuple):
    """How a type of tensor is stored: so many items together, in so many bytes."""

    name: str
    items: int
    size: int


F32: Final = 0
F16: Final = 1
Q4_1: Final = 3
Q8_0: Final = 8

BLOCKS: Final = {
    F32: Block("F32", 1, 4),
    F16: Block("F16", 1, 2),
    2: Block("Q4_0", 32, 18),
    Q4_1: Block("Q4_1", 32, 20),
    6: Block("Q5_0", 32, 22),
    7: Block("Q5_1", 32, 24),
    Q8_0: Block("Q8_0", 32, 34),
    9: Block("Q8_1", 32, 36),
    10: Block("Q2_K", 256, 84),
    11: Block("Q3_K", 256, 110),
    12: Block("Q4_K", 256, 144),
    13: Block("Q5_K", 256, 176),
    14: Block("Q6_K", 256, 210),
    15: Block("Q8_K", 256, 292),
    20: Block("IQ4_NL", 32, 18),
    23: Block("IQ4_XS", 256, 136),
    24: Block("I8", 1, 1),
    25: Block("I16", 1, 2),
    26: Block("I32", 1, 4),
    27: Block("I64", 1, 8),
    28: Block("F64", 1, 8),
    30: Block("BF16", 1, 2),
}
"""Types of tensors. What is not here is refused: its size could not be checked."""

FILE_TYPES: Final = {F16: 1, Q8_0: 7}
"""`general.file_type` of a file whose matrices are of a type."""
