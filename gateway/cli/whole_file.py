"""A file that is written whole or not at all.

Decides nothing about what it holds. The old file stays until the new one is on disk.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

_READABLE: Final = 0o644


def write_whole(path: Path, data: bytes) -> None:
    """Replace a file, or make it and the folders above it. Raises `OSError`, and leaves nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as file:
        written = Path(file.name)
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            written.chmod(_READABLE)
            written.replace(path)
        except OSError:
            written.unlink(missing_ok=True)
            raise
