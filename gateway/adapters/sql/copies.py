"""Copies of a whole database, taken while the gateway runs, and put back.

It decides how: SQLite by its online backup, PostgreSQL by its own `pg_dump` and `pg_restore`, each
a state between two transactions. What a database held is gone when a copy is put there, a newer
Fanlight's tables too: the next upgrade would meet them. It refuses a copy that is damaged, and a
revision of the tables that this Fanlight does not know. No password stands on a command line.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit, urlunsplit

import asyncpg
from alembic.config import Config
from alembic.script import ScriptDirectory

from core.errors import Unavailable
from gateway.adapters.sql import opening

CONNECT_S: Final = 5.0
_REVISION: Final = "SELECT version_num FROM alembic_version"
_TABLES: Final = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
SKIPPED: Final = 1_000_000
_FURTHER_SQLITE: Final = (
    "UPDATE sqlite_sequence SET seq = seq + ? WHERE name = 'visitor_events'",
    """INSERT INTO sqlite_sequence SELECT 'visitor_events', ? WHERE NOT EXISTS
    (SELECT 1 FROM sqlite_sequence WHERE name = 'visitor_events')""",
)
_FURTHER_POSTGRES: Final = (
    "DO $$ BEGIN PERFORM setval('public.visitor_events_id_seq',"
    f" nextval('public.visitor_events_id_seq') + {SKIPPED}); END $$"
)
"""Browsers resume by the last id that they saw, which may be later than the copy's last."""

_EMPTY: Final = """\
DO $$
DECLARE found regclass;
BEGIN
    FOR found IN
        SELECT oid FROM pg_class
        WHERE relnamespace = to_regnamespace('public') AND relkind IN ('r', 'p')
        AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
    LOOP
        EXECUTE 'DROP TABLE IF EXISTS ' || found || ' CASCADE';
    END LOOP;
END $$"""
"""Drops every table but an extension's own."""


def known_revisions() -> frozenset[str]:
    """The revisions of the tables that this Fanlight can open."""
    config = Config()
    config.set_main_option("script_location", str(opening.MIGRATIONS).replace("%", "%%"))
    return frozenset(one.revision for one in ScriptDirectory.from_config(config).walk_revisions())


def sqlite_path(url: str) -> Path:
    """The file that a SQLite address names; raises `Unavailable`."""
    return Path(str(opening.sqlite_file(url).database))


def copy_sqlite(url: str, to: Path) -> str:
    """Copy the database into the file `to`; its revision. Raises `Unavailable`."""
    path = sqlite_path(url)
    if not path.is_file():
        raise Unavailable(f"there is no database at {path}: nothing to back up")
    try:
        with (
            closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(to)) as copy,
        ):
            # In one step: between two, a write elsewhere would make it begin anew, and a reader
            # of a WAL holds up no writer.
            source.backup(copy)
        return sqlite_revision(to)
    except sqlite3.Error as exc:
        raise Unavailable(f"the database {path} cannot be copied: {exc}") from exc


def sqlite_revision(path: Path) -> str:
    """The revision of a copy that is whole; raises `Unavailable`."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            [found] = connection.execute("PRAGMA quick_check").fetchone()
            if found != "ok":
                raise Unavailable(f"the copy of the database is damaged: {found}")
            [revision] = connection.execute(_REVISION).fetchone()
            # One file, whole in itself: no log stays beside it.
            connection.execute("PRAGMA journal_mode = DELETE")
    except (sqlite3.Error, TypeError) as exc:
        raise Unavailable(f"this is no database of Fanlight: {exc}") from exc
    return str(revision)


def skip_ids_sqlite(path: Path) -> None:
    """Give what comes later ids that no browser has seen; raises `Unavailable`."""
    try:
        with closing(sqlite3.connect(path)) as connection, connection:
            for statement in _FURTHER_SQLITE:
                connection.execute(statement, (SKIPPED,))
    except sqlite3.Error as exc:
        raise Unavailable(f"the copy of the database cannot be changed: {exc}") from exc


def dump_postgres(url: str, to: Path) -> str:
    """Copy the database into the file `to`; its revision. Raises `Unavailable`."""
    try:
        revision = asyncio.run(_ask(url, _REVISION))
    except asyncpg.UndefinedTableError as exc:
        raise Unavailable("the database holds nothing of Fanlight's: nothing to back up") from exc
    _run("pg_dump", url, ["--format=custom", "--no-owner", "--no-acl", f"--file={to}"])
    return str(revision)


def restore_postgres(url: str, source: Path) -> None:
    """Put a copy in the place of what the database holds, all or nothing; raises `Unavailable`.

    What comes later gets ids that no browser has seen.
    """
    script = source.with_name(f"{source.name}.sql")
    options = ["--clean", "--if-exists", "--no-owner", "--no-acl", "--exit-on-error"]
    _run("pg_restore", None, [*options, f"--file={script}", str(source)])
    # Whole, before anything is dropped; what a newer Fanlight made is in no older copy.
    options = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction"]
    steps = [f"--command={_EMPTY}", f"--file={script}", f"--command={_FURTHER_POSTGRES}"]
    _run("psql", url, [*options, *steps])


def postgres_is_empty(url: str) -> bool:
    """Whether the database has no table yet; raises `Unavailable`."""
    return not asyncio.run(_ask(url, _TABLES))


async def _ask(url: str, question: str) -> Any:
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_S)
        try:
            return await connection.fetchval(question)
        finally:
            await connection.close()
    except asyncpg.UndefinedTableError:
        raise
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as exc:
        words = str(exc).partition("\n")[0] or type(exc).__name__
        raise Unavailable(f"the database does not answer: {words}") from exc


def _run(program: str, url: str | None, options: list[str]) -> None:
    found = shutil.which(program)
    if found is None:
        raise Unavailable(
            f"{program} is not installed here. Install PostgreSQL's client programs (Debian:"
            f" postgresql-client), or run {program} where they are, as docs/ops/deploy.md says"
        )
    environ = dict(os.environ)
    if url is not None:
        address, password = without_password(url)
        options = [f"--dbname={address}", *options]
        environ |= {"PGPASSWORD": password} if password else {}
    done = subprocess.run(  # noqa: S603 - the program is PostgreSQL's, the address the operator's
        [found, *options],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        words = done.stderr.strip().splitlines() or ["it gave no reason"]
        raise Unavailable(f"{program} failed: {words[-1]}")


def without_password(url: str) -> tuple[str, str]:
    """The address without its password, and the password."""
    parsed = urlsplit(url)
    user, _, host = parsed.netloc.rpartition("@")
    name, _, password = user.partition(":")
    bare = parsed._replace(netloc=f"{name}@{host}" if name else host)
    return urlunsplit(bare), unquote(password)
