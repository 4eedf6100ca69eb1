"""A tiny model and adapters of it, as files."""

from pathlib import Path

import pytest

from models.export.base import Base, open_base
from tests.models.decoder import tiny
from tests.models.export.templates import CHATML


@pytest.fixture(scope="session")
def tiny_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tiny") / "tiny.gguf"
    return tiny.gguf_file(path, tiny.weights(), keys=CHATML)


@pytest.fixture(scope="session")
def base(tiny_path: Path) -> Base:
    return open_base(tiny_path)


@pytest.fixture
def lora(tmp_path: Path) -> Path:
    """A GGUF adapter of the tiny model, of rank 4 and alpha 8."""
    return tiny.adapter_file(tmp_path / "lora.gguf", tiny.random_adapter(1), alpha=8)
