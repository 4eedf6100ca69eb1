"""The files that the `fanlight kb` commands read: entries, and an index.

Decides how a file is read by its name. Refuses, by its name and with a remedy, a file of another
kind, one that cannot be opened, and an index that this version did not write.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from gateway.cli.builders import meaning
from gateway.cli.knowledge import FORMATS
from gateway.cli.text_files import opened
from kb import Index, IndexFormatError, Reading, load_index, merge_readings, read_entries


def read_files(paths: Iterable[Path], locale: str | None) -> Reading:
    """Read every entry of the files; `locale` is the language of rows that name none."""
    reading = merge_readings((str(path), _read_file(path, locale)) for path in paths)
    for problem in reading.problems:
        click.echo(str(problem), err=True)
    return reading


def load_file(path: Path) -> Index:
    """Load an index with the embedding that is installed."""
    try:
        return load_index(path.read_bytes(), meaning())
    except OSError as error:
        raise click.ClickException(
            f"{path}: {error.strerror}: build it with `fanlight kb build`"
        ) from error
    except IndexFormatError as error:
        raise click.ClickException(f"{path}: {error}") from error


def _read_file(path: Path, locale: str | None) -> Reading:
    suffix = Path(path.stem).suffix if path.suffix == ".gz" else path.suffix
    kind = FORMATS.get(suffix.lower())
    if kind is None:
        raise click.ClickException(f"{path}: the name must end in one of {', '.join(FORMATS)}")
    with opened(path) as stream:
        return read_entries(stream, format=kind, source=str(path), locale=locale)
