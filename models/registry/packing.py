"""Publishes a folder for WebLLM as one file: an archive of its shards, config, tokenizer, library.

Decides what the archive has: `integrity.json` first, which has each file's SHA-256 as WebLLM's own
check takes it. Weights and library come and go together, checked block by block like any other
model's file. Refuses a folder that is no export.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any, Final

from models.errors import ModelError
from models.registry.archive import archived, require_short
from models.registry.model import Model
from models.registry.progress import Progress, silent
from models.registry.publishing import FILES, Published, hashed, manifest_row, written

CONFIG: Final = "mlc-chat-config.json"
INDEX: Final = "tensor-cache.json"
LIBRARY: Final = "library.wasm"
HASHES: Final = "integrity.json"
_FLOAT: Final = 4
_SPARE: Final = 128 << 20
"""What WebLLM takes beside weights and its cache of keys and values, about."""
_REMEDY: Final = "`fanlight models export mlc` writes one."


def publish_mlc(
    model: Model,
    source: Path,
    folder: Path,
    library: Path | None = None,
    progress: Progress = silent,
) -> Published:
    """Write the export at `source` into `folder`, with its library where there is one.

    Raises `ModelError` where `source` is no export, or `library` is no WebAssembly.
    """
    files = _files(source, library)
    about = _about(files)
    (folder / FILES).mkdir(parents=True, exist_ok=True)
    made = written(folder / FILES, lambda path: _pack(files, path))
    try:
        size, sha256, blocks = hashed(made, progress(f"{model.id}: hashing"))
        made.replace(folder / FILES / sha256)
    finally:
        made.unlink(missing_ok=True)
    row = {
        **manifest_row(model, size, sha256, blocks),
        **about,
        "memory": size + _cache(files[CONFIG]) + _SPARE,
        "engine": "webllm",
        "library": library is not None,
    }
    manifest = folder / f"{model.id}@{about['quantisation']}.json"
    text = json.dumps(row, ensure_ascii=False)
    written(folder, lambda path: path.write_text(text, "utf-8")).replace(manifest)
    return Published(manifest, folder / FILES / sha256, size, sha256)


def _files(source: Path, library: Path | None) -> dict[str, Path]:
    found = {path.name: path for path in sorted(source.glob("*")) if path.is_file()}
    if CONFIG not in found or INDEX not in found:
        raise ModelError(f"{source} has no {CONFIG} or no {INDEX}. {_REMEDY}")
    if library is not None:
        if not library.is_file() or library.read_bytes()[:4] != b"\0asm":
            raise ModelError(f"{library} is no WebAssembly file.")
        found[LIBRARY] = library
    require_short(found)
    return found


def _about(files: dict[str, Path]) -> dict[str, Any]:
    """What an adapter must have: 16-bit floats, and a buffer for the largest parameter."""
    try:
        quantisation = str(json.loads(files[CONFIG].read_bytes())["quantization"])
        index = json.loads(files[INDEX].read_bytes())
        records = [one for shard in index["records"] for one in shard["records"]]
        largest = max(_bytes(record) for record in records)
    except (ValueError, LookupError, TypeError) as error:
        raise ModelError(f"{files[INDEX].parent} is no export: {error}. {_REMEDY}") from error
    return {
        "quantisation": quantisation,
        "shader_f16": "f16" in quantisation,
        "buffer": largest,
    }


def _bytes(record: dict[str, Any]) -> int:
    """In memory: float32 is stored in half of what it takes."""
    if record["dtype"] != "float32":
        return int(record["nbytes"])
    count = _FLOAT
    for length in record["shape"]:
        count *= int(length)
    return count


def _cache(config: Path) -> int:
    """Bytes of the cache of keys and values: two of each width, layer and token, 2 or 4 bytes."""
    row = json.loads(config.read_bytes())
    shape = row.get("model_config", {})
    each = 2 if "f16" in str(row.get("quantization")) else _FLOAT
    width = int(shape.get("num_key_value_heads", 0)) * int(shape.get("head_dim", 0))
    tokens = int(row.get("context_window_size", 0))
    return 2 * width * int(shape.get("num_hidden_layers", 0)) * tokens * each


def _pack(files: dict[str, Path], target: Path) -> None:
    hashes = {name: _integrity(path) for name, path in files.items()}
    archived({HASHES: json.dumps(hashes, sort_keys=True).encode(), **files}, target)


def _integrity(path: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
