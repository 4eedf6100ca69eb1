"""The composition root of `models`: a registry from what the environment says.

Decides where models are kept: FANLIGHT_MODELS_DIR, else `models` in FANLIGHT_DATA_DIR, else in
`.fanlight` of the checkout, or of the working folder where this is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from models.errors import ModelError
from models.registry.catalog import CATALOG, read_catalog
from models.registry.https import HttpsFetcher, open_client
from models.registry.local import FileFetcher
from models.registry.package import PackageFetcher
from models.registry.registry import Fetcher, Registry
from models.registry.signing import Trust, read_trust

TRUST: Final = "trust.toml"
TRUST_VARIABLE: Final = "FANLIGHT_MODELS_TRUST"
_PROJECT: Final = Path(__file__).resolve().parents[1]


def models_folder(environ: Mapping[str, str]) -> Path:
    """Where models are kept."""
    if named := environ.get("FANLIGHT_MODELS_DIR"):
        return Path(named).absolute()
    if data := environ.get("FANLIGHT_DATA_DIR"):
        return Path(data).absolute() / "models"
    root = _PROJECT if (_PROJECT / "pyproject.toml").exists() else Path.cwd()
    return root / ".fanlight" / "models"


@contextmanager
def open_registry(environ: Mapping[str, str], catalog: Path | None = None) -> Iterator[Registry]:
    """The registry, which can fetch while it is open. Raises `BadCatalog`, or `ModelError`.

    Which signatures count stands in FANLIGHT_MODELS_TRUST, else beside the models.
    """
    with open_client() as client:
        fetchers: dict[str, Fetcher] = {
            "https": HttpsFetcher(client),
            "package": PackageFetcher(),
            "file": FileFetcher(),
        }
        folder = models_folder(environ)
        yield Registry(
            read_catalog(catalog or CATALOG), folder, fetchers, trust=_trust(environ, folder)
        )


def _trust(environ: Mapping[str, str], folder: Path) -> Trust:
    named = environ.get(TRUST_VARIABLE)
    if named and not Path(named).is_file():
        # Going on without would take what its owner meant to be refused.
        raise ModelError(f"{TRUST_VARIABLE} names {named}, which is no file.")
    return read_trust(Path(named) if named else folder / TRUST)
