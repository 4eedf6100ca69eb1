"""What tests of models share: a catalogue of small files, and the real weights."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from models.registry.catalog import read_catalog
from models.registry.local import FileFetcher
from models.registry.registry import Fetcher, Registry
from tests.models.encoder.packed import small_encoder
from tests.models.samples import entry


@pytest.fixture
def registry(tmp_path: Path) -> Callable[..., Registry]:
    """A registry over these entries, whose models are kept in `kept`."""

    def make(*entries: str, fetchers: Mapping[str, Fetcher] | None = None) -> Registry:
        path = tmp_path / "catalog.toml"
        path.write_text("\n".join(entries or (entry(),)), encoding="utf-8")
        return Registry(read_catalog(path), tmp_path / "kept", fetchers or {"file": FileFetcher()})

    return make


@pytest.fixture(scope="session")
def smollm2(weights: Path) -> Path:
    """SmolLM2-135M-Instruct in F16. Mark the test `needs("weights")`."""
    return weights / "smollm2-135m" / "1" / "SmolLM2-135M-Instruct.F16.gguf"


@pytest.fixture
def small_encoders(registry: Callable[..., Registry], tmp_path: Path) -> Registry:
    """A registry with an encoder of small random weights, `small`, pulled."""
    made = registry(small_encoder(tmp_path))
    made.pull(made.newest("small"))
    return made
