"""Rules for the addresses of stores: the database and Redis.

They decide which servers can be named and how. A message never repeats an address, which may hold a
password; a password stands in the environment alone.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import SplitResult, urlsplit

from gateway.configuration.flaws import Flaw

SQLITE: Final = "sqlite:///"
POSTGRESQL: Final = ("postgresql", "postgres")
REDIS: Final = ("redis", "rediss")
DATABASE_VARIABLE: Final = "FANLIGHT_DATABASE_URL"
REDIS_VARIABLE: Final = "FANLIGHT_REDIS_URL"
_DATABASE_FORM: Final = (
    "Write sqlite:///<path> or postgresql://<user>:<password>@<host>:5432/<name>, or leave it out."
)
_ENCODE: Final = "In a user or a password write @ : / and % as %40 %3A %2F and %25."


def database_url(url: str, where: str, flaws: list[Flaw]) -> str:
    """The database's address: a SQLite file, or a database of a PostgreSQL server."""
    if url.startswith(SQLITE) and len(url) > len(SQLITE):
        return url
    if url.partition("://")[0] not in POSTGRESQL:
        flaws.append(Flaw(where, "This is no database that Fanlight knows.", _DATABASE_FORM))
        return url
    parsed = _parsed(url)
    if parsed is None or not parsed.path.strip("/"):
        remedy = f"{_DATABASE_FORM} {_ENCODE}"
        flaws.append(Flaw(where, "This is no address of a database.", remedy))
    elif parsed.password and where != DATABASE_VARIABLE:
        remedy = f"Take it out, and set {DATABASE_VARIABLE} in the environment."
        flaws.append(Flaw(where, "A password stands in the file.", remedy))
    return url


def redis_url(url: str, flaws: list[Flaw]) -> str:
    """Redis' address, from the environment alone; nothing where there is none."""
    if not url:
        return url
    parsed = _parsed(url)
    known = parsed is not None and parsed.scheme in REDIS and parsed.hostname
    if parsed is None or not known or not _is_number(parsed.path):
        remedy = f"Write redis://<user>:<password>@<host>:6379/0, or rediss:// for TLS. {_ENCODE}"
        flaws.append(Flaw(REDIS_VARIABLE, "This is no address of a Redis server.", remedy))
    elif parsed.query or parsed.fragment:
        remedy = "Take out what follows the number of the database."
        flaws.append(Flaw(REDIS_VARIABLE, "Options do not stand in the address.", remedy))
    return url


def enough_for(workers: int, redis: str, flaws: list[Flaw]) -> None:
    """Several processes must agree on what was used once."""
    if workers > 1 and not redis:
        detail = f"{workers} processes cannot tell without Redis that a call was sent twice."
        remedy = f"Set {REDIS_VARIABLE}, or serve with one: gateway.workers = 1."
        flaws.append(Flaw("gateway.workers", detail, remedy))


def _parsed(url: str) -> SplitResult | None:
    try:
        parsed = urlsplit(url)
        _ = parsed.port
    except ValueError:
        return None
    return parsed


def _is_number(path: str) -> bool:
    name = path.removeprefix("/")
    return not name or (name.isascii() and name.isdigit())


def counts(budgets: str, redis: str, flaws: list[Flaw]) -> None:
    """Refuse to count what is spent in a Redis that nobody names."""
    if budgets == "redis" and not redis:
        remedy = f'Set {REDIS_VARIABLE}, or leave `budgets = "truth"`: the database counts then.'
        flaws.append(Flaw("routing.budgets", "There is no Redis to count in.", remedy))
