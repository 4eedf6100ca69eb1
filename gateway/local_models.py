"""Models that visitors' browsers run: what a gateway knows of each, and how its file is read.

Decides nothing. A manifest names the file by its SHA-256 and has the hash of each of its blocks; it
is itself named by its own, which the panel's configuration carries: whoever believes the page can
check every byte.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class GpuForm:
    """A model's file for WebLLM, and what it needs of a graphics processor.

    `buffer` is what the largest parameter takes, in bytes; without `library` no browser can run it.
    """

    quantisation: str
    shader_f16: bool
    buffer: int
    library: bool
    memory: int
    size: int
    sha256: str
    release: str
    manifest: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class LocalModel:
    """One published model: `memory` is about what running it takes, in bytes.

    `manifest` are the bytes that browsers fetch, `release` their SHA-256; `webllm` the same model
    for graphics processors, the first choice first.
    """

    id: str
    name: str
    licence: str
    parameters: int
    context: int
    memory: int
    size: int
    sha256: str
    release: str
    manifest: bytes = field(repr=False)
    webllm: tuple[GpuForm, ...] = ()


type ModelFile = LocalModel | GpuForm


class ModelFiles(Protocol):
    """The published models by their ids, and their files."""

    @property
    def models(self) -> Mapping[str, LocalModel]:
        """All that can be offered, and write."""
        ...

    @property
    def encoders(self) -> Mapping[str, LocalModel]:
        """All that can be offered, and encode."""
        ...

    def read(self, model: ModelFile, start: int, end: int) -> AsyncIterator[bytes]:
        """The file's bytes from `start` up to `end`, piece by piece. Raises `Unavailable`."""
        ...
