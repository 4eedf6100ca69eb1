"""Reads MLC's folder as WebLLM 0.2.86 does: index, shards, byte ranges, types."""

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

WIDTHS = {"uint32": 4, "float16": 2, "float32": 2}
"""Bytes of a number in a shard, where float32 is packed as bfloat16."""


def read_index(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "tensor-cache.json").read_text("utf-8"))
    return found


def read_parameters(folder: Path) -> dict[str, NDArray[Any]]:
    """Every parameter, after the checks that WebLLM makes, and of hashes and gaps."""
    found: dict[str, NDArray[Any]] = {}
    index = read_index(folder)
    for shard in index["records"]:
        data = (folder / shard["dataPath"]).read_bytes()
        assert (shard["format"], shard["nbytes"]) == ("raw-shard", len(data))
        assert shard["md5sum"] == hashlib.md5(data, usedforsecurity=False).hexdigest()
        end = 0
        for record in shard["records"]:
            assert record["byteOffset"] == end
            end += record["nbytes"]
            assert end <= len(data)
            assert record["nbytes"] == math.prod(record["shape"]) * WIDTHS[record["dtype"]]
            assert record["name"] not in found
            found[record["name"]] = _decoded(record, data[record["byteOffset"] : end])
        assert end == len(data)
    assert index["metadata"]["ParamSize"] == len(found)
    return found


def _decoded(record: dict[str, Any], data: bytes) -> NDArray[Any]:
    assert record["format"] == "f32-to-bf16"
    if record["dtype"] == "float32":
        numbers: NDArray[Any] = (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view("<f4")
    else:
        numbers = np.frombuffer(data, {"uint32": "<u4", "float16": "<f2"}[record["dtype"]])
    return numbers.reshape(record["shape"])
