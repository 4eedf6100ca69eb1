"""Text files that a command is given, gzipped or not.

Decides nothing about what they hold. Refuses one that cannot be read, by its name and a remedy.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO, cast

import click


@contextmanager
def opened(path: Path) -> Iterator[TextIO]:
    """Open a text file; raises `click.ClickException` for what goes wrong, then or later."""
    try:
        with path.open("rb") as raw:
            plain = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
            yield io.TextIOWrapper(cast(Any, plain), encoding="utf-8", newline="")
    except UnicodeDecodeError as error:
        raise click.ClickException(
            f"{path}: not UTF-8 ({error.reason}): save it as UTF-8"
        ) from error
    except (gzip.BadGzipFile, EOFError) as error:
        raise click.ClickException(f"{path}: not a whole gzip file: {error}") from error
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}: check the path") from error


def read_from[Found](path: Path, read: Callable[[TextIO], Found]) -> Found:
    """Read a text file with a reader that raises `ValueError` naming what is wrong where.

    Raises `click.ClickException` for that, and for what `opened` does.
    """
    with opened(path) as stream:
        try:
            return read(stream)
        except UnicodeDecodeError:
            raise
        except ValueError as error:
            raise click.ClickException(str(error)) from error
