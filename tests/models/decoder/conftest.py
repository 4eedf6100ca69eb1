"""A tiny model on the device, shared: compiling is what takes time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.models.decoder import tiny

if TYPE_CHECKING:
    from models.decoder.decoder import Decoder


@pytest.fixture(scope="session")
def tiny_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model as a file."""
    return tiny.gguf_file(tmp_path_factory.mktemp("tiny") / "tiny.gguf", tiny.weights())


@pytest.fixture(scope="session")
def shared(tiny_gguf: Path) -> Decoder:
    """The tiny model with three rows, in float32."""
    # Not every machine has JAX, and this file is read where it is missing too.
    from models.decoder.decoder import Decoder
    from models.decoder.weights import load_gguf

    _, shape, weights = load_gguf(tiny_gguf, "llama", "float32")
    return Decoder(shape, weights, rows=3, context=tiny.CONTEXT)


@pytest.fixture
def decoder(shared: Decoder) -> Decoder:
    """The same, with nothing read and no adapter."""
    shared.clear()
    for name in shared.pool.names:
        shared.pool.drop(name)
    return shared
