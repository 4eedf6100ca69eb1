"""What models cost, in SQL, over the truth's own connections.

It decides how two who reserve at once are kept apart: in SQLite there is one writer; in PostgreSQL
whoever reserves first takes the locks of the accounts' owners, and what it then sees is what there
is. Settling takes none: a hold is deleted once, and whoever deleted it moves its money. Every
function runs inside a transaction of its caller; a driver's error leaves it as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import inf
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, delete, insert, or_, select, update

from core.model_routing.spend import (
    HELD_S,
    KEPT_S,
    Account,
    Reservation,
    Settled,
    account_name,
    too_little,
)
from core.scope import Scope
from gateway.adapters.sql import locks, tables
from gateway.adapters.sql.knowledge import Run

_spending = tables.spending.c
_holds = tables.spending_holds.c

AT_ONCE: Final = 500
"""Reservations that one transaction gives back."""

_THIS = and_(
    _spending.site == bindparam("of_site"),
    _spending.subject == bindparam("of_subject"),
    _spending.period == bindparam("of_period"),
    _spending.began == bindparam("of_began"),
)
HELD = select(_holds.micros).where(_holds.key == bindparam("key")).limit(1)
ROW = select(_spending.settled, _spending.held).where(_THIS)
HOLD = update(tables.spending).where(_THIS).values(held=_spending.held + bindparam("micros_more"))
MOVE = (
    update(tables.spending)
    .where(_THIS)
    .values(
        held=_spending.held - bindparam("micros_held"),
        settled=_spending.settled + bindparam("micros_spent"),
    )
    .returning(_spending.settled)
)
OLD = (
    select(_holds.key)
    .where(_holds.at < bindparam("before"))
    .order_by(_holds.at, _holds.key)
    .limit(AT_ONCE)
)

type _Owner = tuple[str, str, str, float]


class SqlBudgets:
    """A `Budgets` over the truth's reads and writes."""

    def __init__(self, read: Run, write: Run) -> None:
        self._read = read
        self._write = write

    async def reserve(
        self, key: str, accounts: Sequence[Account], micros: int, at: float
    ) -> Reservation:
        """Hold `micros` in all of these accounts, or in none."""
        return await self._write(lambda connection: _reserve(connection, key, accounts, micros, at))

    async def settle(self, key: str, micros: int, at: float) -> list[Settled]:
        """Put what was really spent in the place of what was held."""
        return await self._write(lambda connection: _settle(connection, [key], micros))

    async def spent(self, accounts: Sequence[Account]) -> list[int]:
        """What each account has spent and holds."""
        return await self._read(lambda connection: _taken(connection, accounts)[0])

    async def sweep(self, at: float) -> int:
        """Give back what was held for longer than `HELD_S`; how many reservations that were."""
        given = 0
        while some := await self._write(lambda connection: _give_back(connection, at)):
            given += some
        await self._write(lambda connection: _drop_old(connection, at))
        return given

    async def forget(self, accounts: Sequence[Account]) -> None:
        """Forget these accounts, and what is held in them."""
        await self._write(lambda connection: _forget(connection, accounts))


def forget_subject(connection: Connection, scope: Scope) -> None:
    """Forget every account of a subject, and what is held in it."""
    for table in (tables.spending_holds, tables.spending):
        connection.execute(
            delete(table).where(table.c.site == scope.site, table.c.subject == scope.subject)
        )


def _reserve(
    connection: Connection, key: str, accounts: Sequence[Account], micros: int, at: float
) -> Reservation:
    owners = {locks.subject(Scope(one.site, one.subject)) for one in accounts}
    locks.hold(connection, *owners)
    held = connection.execute(HELD, {"key": key}).scalar()
    if held is not None:
        return Reservation(key, held)
    taken, known = _taken(connection, accounts)
    refused = too_little(accounts, taken, micros)
    if refused is not None and _give_back(connection, at):
        taken, known = _taken(connection, accounts)
        refused = too_little(accounts, taken, micros)
    if refused is not None:
        return Reservation(key, micros, refused)
    _hold(connection, {_owner(one) for one in accounts}, known, micros)
    connection.execute(
        insert(tables.spending_holds),
        [
            {**_values(owner), "key": key, "micros": micros, "at": at}
            for owner in sorted({_owner(one) for one in accounts})
        ],
    )
    return Reservation(key, micros)


def _hold(connection: Connection, owners: set[_Owner], known: set[_Owner], micros: int) -> None:
    """Add to what is held, in one order everywhere."""
    there = sorted(owners & known)
    new = sorted(owners - known)
    if there:
        connection.execute(HOLD, [{**_named(one), "micros_more": micros} for one in there])
    if new:
        rows = [{**_values(one), "settled": 0, "held": micros} for one in new]
        connection.execute(insert(tables.spending), rows)


def _taken(connection: Connection, accounts: Sequence[Account]) -> tuple[list[int], set[_Owner]]:
    """What each account has spent and holds, and which accounts there are."""
    sums, known = [], set()
    for owner in map(_owner, accounts):
        row = connection.execute(ROW, _named(owner)).first()
        sums.append(0 if row is None else row.settled + row.held)
        if row is not None:
            known.add(owner)
    return sums, known


def _settle(
    connection: Connection, keys: Sequence[str], micros: int, before: float = inf
) -> list[Settled]:
    """Move the money of these holds, made before then. Whoever deletes a hold moves it."""
    named = delete(tables.spending_holds).where(_holds.key.in_(keys))
    if before < inf:
        named = named.where(_holds.at < before)
    gone = connection.execute(
        named.returning(_holds.site, _holds.subject, _holds.period, _holds.began, _holds.micros)
    ).all()
    told = []
    for owner, held, count in _by_owner(gone):
        spent = micros * count
        moved = {**_named(owner), "micros_held": held, "micros_spent": spent}
        after = connection.execute(MOVE, moved).scalar()
        if after is not None:
            told.append(Settled(account_name(*owner), after - spent, after))
    return told


def _by_owner(gone: Iterable[Any]) -> list[tuple[_Owner, int, int]]:
    """Of each account how much was held, in how many holds; in one order everywhere."""
    sums: dict[_Owner, list[int]] = defaultdict(list)
    for row in gone:
        sums[row.site, row.subject, row.period, row.began].append(row.micros)
    return [(owner, sum(held), len(held)) for owner, held in sorted(sums.items())]


def _give_back(connection: Connection, at: float) -> int:
    before = at - HELD_S
    keys = list(dict.fromkeys(connection.execute(OLD, {"before": before}).scalars()))
    if keys:
        _settle(connection, keys, 0, before)
    return len(keys)


def _drop_old(connection: Connection, at: float) -> None:
    over = [
        and_(_spending.period == period, _spending.began < at - kept)
        for period, kept in KEPT_S.items()
    ]
    connection.execute(delete(tables.spending).where(or_(*over)))


def _forget(connection: Connection, accounts: Sequence[Account]) -> None:
    for owner in sorted(set(map(_owner, accounts))):
        for table in (tables.spending_holds, tables.spending):
            values = _values(owner)
            same = and_(*(table.c[name] == value for name, value in values.items()))
            connection.execute(delete(table).where(same))


def _owner(account: Account) -> _Owner:
    return account.site, account.subject, account.period, account.began


def _values(owner: _Owner) -> dict[str, Any]:
    return dict(zip(("site", "subject", "period", "began"), owner, strict=True))


def _named(owner: _Owner) -> dict[str, Any]:
    return {f"of_{name}": value for name, value in _values(owner).items()}
