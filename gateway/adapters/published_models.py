"""The folder that `fanlight models publish` wrote: manifests by model, files by their SHA-256.

Decides what is read: the manifests that are asked for, once. Refuses a manifest that is damaged,
and a file that has not the manifest's size. Files are read piece by piece, in threads.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from core.errors import FanlightError, Unavailable
from gateway.local_models import GpuForm, LocalModel, ModelFile

PIECE_BYTES: Final = 256 * 1024
FILES: Final = "sha256"
WRITES: Final = "chat"
ENCODES: Final = "embed"
"""Kinds of models; a manifest that names none is of one that writes."""
REMEDY: Final = "Publish it again: `fanlight models publish`."
_HASH: Final = re.compile(r"[0-9a-f]{64}")


class BadPublication(FanlightError):
    """A published model that cannot be served; the message says which, why and what to do."""


class PublishedModels:
    """The published models of these ids, and encoders; every one of them must be there."""

    def __init__(self, folder: Path, ids: Iterable[str], encoders: Iterable[str] = ()) -> None:
        """Read the manifests. Raises `BadPublication`."""
        self._folder = folder
        self._models = {each: _read(folder, each, WRITES) for each in dict.fromkeys(ids)}
        self._encoders = {each: _read(folder, each, ENCODES) for each in dict.fromkeys(encoders)}

    @property
    def models(self) -> Mapping[str, LocalModel]:
        """All that can be offered, and write."""
        return self._models

    @property
    def encoders(self) -> Mapping[str, LocalModel]:
        """All that can be offered, and encode."""
        return self._encoders

    async def read(self, model: ModelFile, start: int, end: int) -> AsyncIterator[bytes]:
        """The file's bytes from `start` up to `end`, piece by piece. Raises `Unavailable`."""
        path = self._folder / FILES / model.sha256
        try:
            file = await asyncio.to_thread(path.open, "rb")
        except OSError as error:
            raise Unavailable(f"the model's file {model.sha256}") from error
        try:
            await asyncio.to_thread(file.seek, start)
            while start < end:
                data = await asyncio.to_thread(file.read, min(PIECE_BYTES, end - start))
                if not data:
                    raise Unavailable(f"the model's file {model.sha256}")
                start += len(data)
                yield data
        finally:
            file.close()


def _read(folder: Path, name: str, kind: str) -> LocalModel:
    model = _file(folder, folder / f"{name}.json", name, partial(_model, kind))
    paths = sorted(folder.glob(f"{name}@*.json"), key=_halves_first)
    return replace(model, webllm=tuple(_file(folder, path, name, _gpu_form) for path in paths))


def _halves_first(path: Path) -> tuple[bool, str]:
    """16-bit floats before 32: half as much to fetch and to hold, where an adapter has them."""
    return "f16" not in path.name, path.name


def _file[F: (LocalModel, GpuForm)](
    folder: Path, path: Path, name: str, form: Callable[[Mapping[str, Any], bytes], F]
) -> F:
    try:
        content = path.read_bytes()
        row = json.loads(content)
        found = form(row, content)
        size = (folder / FILES / found.sha256).stat().st_size
    except OSError as error:
        raise BadPublication(f"{error.filename}: {error.strerror}. {REMEDY}") from error
    except (ValueError, LookupError, TypeError) as error:
        raise BadPublication(f"{path} is no manifest of a model: {error}. {REMEDY}") from error
    if row["id"] != name or size != found.size:
        detail = f"{path} is of another model, or its file has {size} bytes, not {found.size}"
        raise BadPublication(f"{detail}. {REMEDY}")
    return found


def _hash(row: Mapping[str, Any]) -> str:
    sha256 = str(row["sha256"])
    # It becomes part of a path.
    if not _HASH.fullmatch(sha256):
        raise ValueError("sha256 is no hash")
    return sha256


def _gpu_form(row: Mapping[str, Any], content: bytes) -> GpuForm:
    return GpuForm(
        quantisation=str(row["quantisation"]),
        shader_f16=bool(row["shader_f16"]),
        buffer=int(row["buffer"]),
        library=bool(row["library"]),
        memory=int(row["memory"]),
        size=int(row["size"]),
        sha256=_hash(row),
        release=hashlib.sha256(content).hexdigest(),
        manifest=content,
    )


def _model(kind: str, row: Mapping[str, Any], content: bytes) -> LocalModel:
    found = row.get("kind", WRITES)
    if found != kind:
        raise ValueError(f"its kind is {found}, not {kind}")
    return LocalModel(
        id=str(row["id"]),
        name=str(row["name"]),
        licence=str(row["licence"]),
        parameters=int(row["parameters"]),
        context=int(row["context"]),
        memory=int(row["memory"]),
        size=int(row["size"]),
        sha256=_hash(row),
        release=hashlib.sha256(content).hexdigest(),
        manifest=content,
    )
