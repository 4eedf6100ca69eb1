"""Writes parameters as TVM's runtime in a browser reads them: shards, and what lies where in them.

`tensor-cache.json` names for each shard its file, size and MD5, and for each parameter in it shape,
type, and which bytes it takes. WebLLM 0.2.86 reads this name alone. Float32 is stored as bfloat16,
rounded to the nearest (`f32-to-bf16`), as MLC stores it. A shard has 32 MiB at most, save one with
a parameter of half as much or more, which has it for itself. Format: github.com/apache/tvm,
`python/tvm/contrib/tvmjs.py`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.decoder.tensors import Numbers

INDEX: Final = "tensor-cache.json"
SHARD: Final = 32 << 20
_FORMAT: Final = "f32-to-bf16"

type Stored = NDArray[np.uint32] | NDArray[np.float16] | NDArray[np.float32]


class Shards:
    """A folder's shards, while they are written."""

    def __init__(self, folder: Path, most: int = SHARD) -> None:
        self.stored = 0
        """Bytes that were added so far, as they are stored."""
        self._bytes = 0
        self._folder = folder
        self._most = most
        self._shards: list[Mapping[str, Any]] = []
        self._records: list[Mapping[str, Any]] = []
        self._data = bytearray()

    def add(self, name: str, numbers: Stored) -> None:
        """Put a parameter behind the others."""
        data = stored_bytes(numbers)
        self.stored += len(data)
        self._bytes += numbers.nbytes
        record = {
            "name": name,
            "shape": list(numbers.shape),
            "dtype": str(numbers.dtype),
            "format": _FORMAT,
            "nbytes": len(data),
        }
        if len(self._data) + len(data) >= self._most:
            if 2 * len(data) >= self._most:
                self._write(data, [{**record, "byteOffset": 0}])
                return
            self._end()
        self._records.append({**record, "byteOffset": len(self._data)})
        self._data += data

    def close(self, parameters: int) -> None:
        """Write what is left, and the index; the model has so many numbers."""
        self._end()
        count = sum(len(shard["records"]) for shard in self._shards)
        about = {
            "ParamSize": count,
            "ParamBytes": float(self._bytes),
            "BitsPerParam": self._bytes * 8 / parameters,
        }
        text = json.dumps({"metadata": about, "records": self._shards}, indent=1)
        (self._folder / INDEX).write_text(text + "\n", encoding="utf-8")

    def _end(self) -> None:
        if self._records:
            self._write(bytes(self._data), self._records)
        self._data, self._records = bytearray(), []

    def _write(self, data: bytes, records: list[Mapping[str, Any]]) -> None:
        name = f"params_shard_{len(self._shards)}.bin"
        (self._folder / name).write_bytes(data)
        self._shards.append(
            {
                "dataPath": name,
                "format": "raw-shard",
                "nbytes": len(data),
                "records": records,
                "md5sum": hashlib.md5(data, usedforsecurity=False).hexdigest(),
            }
        )


def stored_bytes(numbers: Stored) -> bytes:
    """A parameter as it lies in a shard."""
    if numbers.dtype == np.float32:
        return bfloat16(numbers.astype(np.float32, copy=False)).tobytes()
    return numbers.astype(numbers.dtype.newbyteorder("<")).tobytes()


def bfloat16(numbers: Numbers) -> NDArray[np.uint16]:
    """The upper halves of float32, rounded to the nearest, halves to the even one."""
    words = np.ascontiguousarray(numbers, "<f4").view(np.uint32)
    return ((words + np.uint32(0x7FFF) + ((words >> 16) & np.uint32(1))) >> 16).astype("<u2")
