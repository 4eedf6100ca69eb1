"""Publishes a model for visitors' browsers: its file under its SHA-256, and a manifest beside it.

Decides the folder's form: `sha256/<hash>` has a file, `<id>.json` the manifest that names it, with
the hash of each block of 1 MiB. The manifest is put in place last and in one step, so that whoever
reads it finds the file whole. Files of earlier manifests stay: browsers may still be fetching them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from models.errors import INSTALL, ModelError
from models.registry.model import Model
from models.registry.progress import Progress, Told, silent
from models.registry.registry import Registry

BLOCK_BYTES: Final = 1 << 20
FILES: Final = "sha256"
type Form = Literal["same", "q8_0"]
"""As the file is; or with its matrices in 8 bits, half as large as F16 and as good."""


@dataclass(frozen=True, slots=True)
class Published:
    """What was written: the manifest, and the file that it names."""

    manifest: Path
    file: Path
    size: int
    sha256: str


def publish(
    registry: Registry,
    model: Model,
    folder: Path,
    form: Form = "same",
    progress: Progress = silent,
) -> Published:
    """Write `model` into `folder`, in this form.

    Raises `ModelError` where it is not here, damaged, or cannot be brought into that form.
    """
    files = folder / FILES
    files.mkdir(parents=True, exist_ok=True)
    with registry.loadable(model) as loadable:
        told = progress(f"{model.id}: writing {form}")
        made = written(files, lambda path: _copy(loadable.path, path, form, told))
    try:
        size, sha256, blocks = hashed(made, progress(f"{model.id}: hashing"))
        made.replace(files / sha256)
    finally:
        made.unlink(missing_ok=True)
    manifest = folder / f"{model.id}.json"
    text = json.dumps(manifest_row(model, size, sha256, blocks), ensure_ascii=False)
    written(folder, lambda path: path.write_text(text, "utf-8")).replace(manifest)
    return Published(manifest, files / sha256, size, sha256)


def manifest_row(model: Model, size: int, sha256: str, blocks: list[str]) -> dict[str, object]:
    """What a manifest says of any published file."""
    return {
        "id": model.id,
        "version": model.version,
        "name": model.name,
        "licence": model.licence,
        "parameters": model.parameters,
        "context": model.context,
        "memory": model.memory,
        "size": size,
        "sha256": sha256,
        "block_size": BLOCK_BYTES,
        "blocks": blocks,
    }


def written(folder: Path, write: Callable[[Path], object]) -> Path:
    """A new file beside where it will stand; nothing stays of one that failed."""
    handle, name = tempfile.mkstemp(prefix=".partial-", dir=folder)
    os.close(handle)
    path = Path(name)
    try:
        write(path)
        with path.open("rb") as file:
            os.fsync(file.fileno())
    except BaseException:
        path.unlink()
        raise
    return path


def _copy(source: Path, target: Path, form: Form, told: Told) -> None:
    if form == "same":
        shutil.copyfile(source, target)
        return
    # Numpy is not where nothing is made.
    try:
        from models.gguf.half import write_eight_bits  # noqa: PLC0415
    except ImportError as error:
        raise ModelError(f"{form} is made with numpy. {INSTALL}") from error
    with target.open("wb") as out:
        write_eight_bits(source, out, told)


def hashed(path: Path, told: Told) -> tuple[int, str, list[str]]:
    """A file's size and SHA-256, and that of each of its blocks."""
    whole, blocks, done, size = hashlib.sha256(), [], 0, path.stat().st_size
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            whole.update(block)
            blocks.append(hashlib.sha256(block).hexdigest())
            done += len(block)
            told(done, size)
    return size, whole.hexdigest(), blocks
