"""Catalogues and GGUF files to try things on."""

import hashlib
import struct
from collections.abc import Sequence
from pathlib import Path

WORDS = b"some weights"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def entry(
    *,
    model: str = "small",
    version: str = "1",
    name: str = "model.gguf",
    files: str = "",
    **more: str,
) -> str:
    """One model in a catalogue; `more` replaces what its fields say, as TOML."""
    fields = {
        "id": f'"{model}"',
        "version": f'"{version}"',
        "name": '"Small"',
        "kind": '"chat"',
        "architecture": '"llama"',
        "parameters": "1",
        "licence": '"Apache-2.0"',
        "context": "64",
        "memory": "1000",
        "loads": f'"{name}"',
        **more,
    }
    lines = [f"{key} = {value}" for key, value in fields.items() if value]
    return "\n".join(["[[models]]", *lines, files or file_entry(name)])


def file_entry(name: str = "model.gguf", *, source: str = "file:origin", **more: str) -> str:
    """One file of a model in a catalogue."""
    fields = {"name": f'"{name}"', "sources": f'["{source}"]', **more}
    lines = [f"{key} = {value}" for key, value in fields.items() if value]
    return "\n".join(["[[models.files]]", *lines])


def known(data: bytes = WORDS) -> dict[str, str]:
    """The size and the hash of this data, for `file_entry`."""
    return {"size": str(len(data)), "sha256": f'"{sha256(data)}"'}


def text(value: str) -> bytes:
    """A string as GGUF has it."""
    return struct.pack("<Q", len(value.encode())) + value.encode()


def key(name: str, kind: int, value: bytes) -> bytes:
    """A key with its value, as GGUF has them."""
    return text(name) + struct.pack("<I", kind) + value


def tensor(name: str, shape: Sequence[int], kind: int, offset: int) -> bytes:
    """What a header says of a tensor."""
    return (
        text(name)
        + struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
        + struct.pack("<IQ", kind, offset)
    )


def gguf(
    keys: Sequence[bytes] = (),
    tensors: Sequence[bytes] = (),
    data: bytes = b"",
    *,
    version: int = 3,
    counts: tuple[int, int] | None = None,
) -> bytes:
    """A GGUF file of these parts; `counts` is what it claims to hold, if not that."""
    claimed = counts or (len(tensors), len(keys))
    head = b"GGUF" + struct.pack("<IQQ", version, *claimed) + b"".join((*keys, *tensors))
    return head + bytes(-len(head) % 32) + data


ARCHITECTURE = key("general.architecture", 8, text("llama"))
FILE_TYPE = key("general.file_type", 4, struct.pack("<I", 3))


def q4_1_row(scale: float, least: float) -> bytes:
    """A block of Q4_1 whose items are 0 to 15 twice: first the low halves, then the high."""
    low_and_high = bytes(number | number << 4 for number in range(16))
    return struct.pack("<ee", scale, least) + low_and_high


def small_gguf() -> bytes:
    """A whole file with a matrix in Q4_1, another in Q8_0 and a vector."""
    matrix = q4_1_row(0.5, -2.0) * 2
    other = struct.pack("<e32b", 0.25, *range(-16, 16))
    vector = struct.pack("<4f", 1, 2, 3, 4)
    data = matrix.ljust(64, b"\0") + other.ljust(64, b"\0") + vector
    tensors = [
        tensor("m", (32, 2), 3, 0),
        tensor("o", (32, 1), 8, 64),
        tensor("v", (4,), 0, 128),
    ]
    words = struct.pack("<IQ", 8, 2) + text("a") + text("b")
    numbers = struct.pack("<IQ3I", 4, 3, 1, 2, 3)
    keys = [ARCHITECTURE, FILE_TYPE, key("words", 9, words), key("numbers", 9, numbers)]
    return gguf(keys, tensors, data)


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path
