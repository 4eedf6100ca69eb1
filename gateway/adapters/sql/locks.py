"""Locks by name, where writers run side by side.

SQLite has one writer, and needs none. PostgreSQL has many, and a unit that looks and then writes
takes the names that it decides about before it looks: what it sees is then what there is, and the
numbers of events and edits come in the order in which they are committed, so that whoever reads on
from a number misses none. A lock lasts until its transaction ends.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection, text

from core.scope import Scope

_SUBJECT = "subject "

_HOLD = text("SELECT pg_advisory_xact_lock(number) FROM unnest(CAST(:numbers AS bigint[])) number")


def wanted(connection: Connection) -> bool:
    """Whether writers run side by side there."""
    return connection.dialect.name == "postgresql"


def hold(connection: Connection, *names: str) -> None:
    """Wait until nobody else holds any of these names, and hold them to the transaction's end."""
    if names and wanted(connection):
        # In one order everywhere, subjects first: two that want the same two never wait for each
        # other, nor for one that takes a subject and then what it finds to be the subject's.
        keys = sorted({(not name.startswith(_SUBJECT), number(name)) for name in names})
        connection.execute(_HOLD, {"numbers": [key for _, key in keys]})


def number(name: str) -> int:
    """The server's number of a lock by this name."""
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def subject(scope: Scope) -> str:
    """The lock on what a subject has: nothing is added while it is erased or moved."""
    return f"{_SUBJECT}{scope.site} {scope.subject}"


def conversation(name: str) -> str:
    """The lock on what a conversation holds: its turns, escalations and events."""
    return f"conversation {name}"


def turn(name: str) -> str:
    """The lock on a turn's place in one conversation."""
    return f"turn {name}"


def knowledge(site: str) -> str:
    """The lock on a site's edits, marks and publications."""
    return f"knowledge {site}"


def personalities(site: str) -> str:
    """The lock on a site's edits of how its chat speaks."""
    return f"personalities {site}"


MIGRATIONS = "migrations"
"""The lock on the tables themselves."""

GATEWAYS = "gateways"
"""The lock that every running gateway holds, alone or shared, on a connection of its own."""
