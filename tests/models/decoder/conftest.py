"""A tiny model on the device, shared: compiling is what takes time."""

from pathlib import Path

import pytest

from models.decoder.decoder import Decoder
from models.decoder.weights import load_gguf
from tests.models.decoder import tiny


@pytest.fixture(scope="session")
def tiny_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model as a file."""
    return tiny.gguf_file(tmp_path_factory.mktemp("tiny") / "tiny.gguf", tiny.weights())


@pytest.fixture(scope="session")
def shared(tiny_gguf: Path) -> Decoder:
    """The tiny model with three rows, in float32."""
    _, shape, weights = load_gguf(tiny_gguf, "llama", "float32")
    return Decoder(shape, weights, rows=3, context=tiny.CONTEXT)


@pytest.fixture
def decoder(shared: Decoder) -> Decoder:
    """The same, with nothing read and no adapter."""
    shared.clear()
    for name in shared.pool.names:
        shared.pool.drop(name)
    return shared
