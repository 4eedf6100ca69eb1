"""Opening a database: its address, its settings, its revision.

It decides how SQLite is used (WAL, `synchronous=FULL`, foreign keys, explicit transactions, what
is deleted overwritten) and refuses, with the remedy, an address it has no engine for and a file
written by a newer Fanlight.
"""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool

from core.errors import Unavailable

MIGRATIONS = Path(__file__).with_name("migrations")

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    # What is deleted is overwritten: a visitor's words are not left in the file.
    "PRAGMA secure_delete = ON",
)
_LOG_S = 0.5
_LOCKED_RETRY_S = 0.01


def is_postgresql(url: str) -> bool:
    """Whether this is the address of a PostgreSQL server."""
    return url.partition("://")[0] in {"postgresql", "postgres"}


def sqlite_file(url: str) -> URL:
    """The address of a SQLite file; raises `Unavailable`."""
    try:
        parsed = make_url(url)
    except ArgumentError as exc:
        raise Unavailable("database_url is not an address such as sqlite:///data/x.db") from exc
    if parsed.drivername != "sqlite":
        raise Unavailable(
            f"database_url: {parsed.drivername} is not known;"
            " write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
        )
    if not parsed.database or parsed.database == ":memory:" or "mode" in parsed.query:
        raise Unavailable("database_url must name a file, such as sqlite:///data/fanlight.db")
    return parsed


def sqlite_engine(url: URL, *, begin: str | None, busy_timeout_s: float) -> Engine:
    """An engine whose transactions start with `begin`, or which has none; it pools nothing."""
    engine = create_engine(
        url,
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={
            "timeout": busy_timeout_s,
            "isolation_level": None,
            # One thread uses a connection at a time; which one, its owner decides.
            "check_same_thread": False,
        },
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: object) -> None:
        for pragma in _PRAGMAS:
            _insist(connection, pragma, busy_timeout_s)

    if begin is not None:
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _insist(connection: sqlite3.Connection, pragma: str, seconds: float) -> None:
    """Runs a pragma, and again while the file is locked: two that switch a new file to WAL at once
    would wait for each other, so that SQLite refuses one without asking its busy handler."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            connection.execute(pragma)
        except sqlite3.OperationalError as exc:
            # The low byte is the kind; the rest says which lock it was.
            locked = exc.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
            if not locked or time.monotonic() >= deadline:
                raise
            time.sleep(_LOCKED_RETRY_S)
        else:
            return


def create_private(url: URL) -> None:
    """Make the file, readable by its owner alone, if it is not there yet."""
    path = Path(str(url.database))
    path.parent.mkdir(parents=True, exist_ok=True)
    # SQLite gives its -wal and -shm files the mode of the database itself.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def empty_log(url: URL) -> bool:
    """Bring what the log (WAL) holds into the file and cut it to nothing; whether it could.

    Until then what was deleted stands in the log. A reader may keep it from being emptied.
    """
    engine = sqlite_engine(url, begin=None, busy_timeout_s=_LOG_S)
    with engine.connect() as connection:
        busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    return not busy


def configuration(connection: Connection) -> Config:
    """Alembic's configuration over a connection that is inside a transaction."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def upgrade(connection: Connection) -> None:
    """Bring the tables to this Fanlight's revision; raises `Unavailable`."""
    try:
        command.upgrade(configuration(connection), "head")
    except CommandError as exc:
        raise Unavailable(
            "the database was written by another Fanlight, probably a newer one:"
            f" update Fanlight, or restore a backup ({exc})"
        ) from exc
