"""Takes a file that lies on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from models.errors import CannotFetch
from models.registry.model import ModelFile, Source
from models.registry.partial import Partial
from models.registry.progress import Told

_CHUNK: Final = 1 << 20


class FileFetcher:
    """Takes `file:` sources, by copying: the original may be changed later, the copy may not."""

    def fetch(self, source: Source, file: ModelFile, partial: Partial, told: Told) -> None:
        """Bring the file into `partial`, whole. Raises `CannotFetch` or `NoRoom`."""
        path = Path(source.place)
        try:
            size = path.stat().st_size
            if not path.is_file():
                raise CannotFetch(f"{path} is not a file")
            if file.size is not None and size != file.size:
                raise CannotFetch(f"{path} has {size} bytes where the catalogue says {file.size}")
            partial.require(size)
            with path.open("rb") as original, partial.open(source) as out:
                done = 0
                while data := original.read(_CHUNK):
                    partial.write(out, data, size - done)
                    done += len(data)
                    told(done, size)
        except OSError as error:
            raise CannotFetch(f"{path}: {error.strerror}") from error
