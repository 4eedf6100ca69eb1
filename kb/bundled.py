"""The embedding that comes with this package, where it does: servers and builders read it here.

Decides where it lies. Refuses a damaged one; that there is none is fine, and meanings are then not
known. A browser and a Worker are handed theirs instead, and import none of this.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

from kb.embed import Embedding, load_embedding

FILE: Final = "embedding.bin"


def bundled_embedding(folder: Traversable | None = None) -> bytes | None:
    """Give the bytes of the table in a folder, the package's own by default; None without one."""
    data = resources.files("kb").joinpath("data") if folder is None else folder
    try:
        return data.joinpath(FILE).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


@cache
def load_bundled() -> Embedding | None:
    """Give the package's own table, read once; None without one. Raises `IndexFormatError`."""
    packed = bundled_embedding()
    return None if packed is None else load_embedding(packed)
