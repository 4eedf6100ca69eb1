"""Where driver errors end: each becomes one of `core.errors`, once, with its cause kept.

It decides which failures are the store's (everything that waits fails alike) and which are one
unit's (the others must not suffer). Messages carry the driver's words, never a row's values.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc as sa

from core.errors import Conflict, FanlightError, Unavailable

DRIVER_ERRORS = (sa.SQLAlchemyError, sqlite3.Error, OSError, UnicodeError, OverflowError)
"""Whatever SQLAlchemy and a driver raise; the last two when a value cannot be bound."""

_STORE_WIDE = (
    sa.OperationalError,
    sa.InternalError,
    sa.InterfaceError,
    sa.TimeoutError,
    sqlite3.Error,
    OSError,
)

_BAD_VALUE = "22"
"""The class of PostgreSQL's SQLSTATE, `data exception`, whose words show the value itself."""


@contextmanager
def mapped() -> Iterator[None]:
    """Raise driver errors as `Conflict` or `Unavailable`."""
    try:
        yield
    except DRIVER_ERRORS as exc:
        raise as_core(exc) from exc


def as_core(exc: Exception) -> Exception:
    """The error to raise for this one: what is not a driver's stays itself."""
    if isinstance(exc, sa.IntegrityError):
        core: FanlightError = Conflict(f"another writer was first: {_words(exc)}")
    elif isinstance(exc, DRIVER_ERRORS):
        core = Unavailable(f"the database failed: {_words(exc)}")
    else:
        return exc
    core.__cause__ = exc
    return core


def store_wide(exc: Exception) -> bool:
    """Whether to run the unit again alone is pointless: locked, full, unreadable, gone."""
    return isinstance(exc, _STORE_WIDE)


def _words(exc: Exception) -> str:
    # Further lines, and the text of other errors than a driver's own, show the values bound.
    if isinstance(exc, sa.DBAPIError):
        cause = getattr(exc.orig, "__cause__", None) or exc.orig
        state = getattr(exc.orig, "sqlstate", None) or ""
        if isinstance(cause, ValueError) or state.startswith(_BAD_VALUE):
            return f"{type(cause).__name__} {state}".strip()
        return str(exc.orig).partition("\n")[0]
    return str(exc) if isinstance(exc, sqlite3.Error | OSError) else type(exc).__name__
