"""What models cost, in SQL, over the truth's own connections.

It decides how two who reserve at once are kept apart: in SQLite there is one writer; in PostgreSQL
whoever reserves first takes the locks of the accounts' owners, and what it then sees is what there
is. Settling takes none: a hold is deleted once, and whoever deleted it moves its money. Every
function runs inside a transaction of its caller; a driver's error leaves it as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from math import inf
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, delete, insert, select, tuple_, update

from core.model_routing.spend import (
    HELD_S,
    KEPT_S,
    Account,
    Heavy,
    Kind,
    Period,
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
"""Reservations that one transaction gives back, or accounts that it forgets."""

_THIS = and_(
    _spending.site == bindparam("of_site"),
    _spending.subject == bindparam("of_subject"),
    _spending.period == bindparam("of_period"),
    _spending.began == bindparam("of_began"),
)
_OWNER = (_spending.site, _spending.subject, _spending.period, _spending.began)
_THESE = tuple_(*_OWNER).in_(bindparam("owners", expanding=True))
HELD = select(_holds.micros).where(_holds.key == bindparam("key")).limit(1)
HOLD_OF = select(tables.spending_holds).where(_holds.key == bindparam("key")).with_for_update()
RAISE = (
    update(tables.spending_holds)
    .where(_holds.key == bindparam("of_key"))
    .values(micros=bindparam("micros_held"))
)
ROWS = select(*_OWNER, _spending.settled, _spending.held).where(_THESE)
LOCKED = ROWS.order_by(*_OWNER).with_for_update()
"""Rows that a unit changes, locked in one order everywhere: no two units wait for each other."""
_MOVED = {
    "held": _spending.held + bindparam("micros_held"),
    "settled": _spending.settled + bindparam("micros_spent"),
}
ALL = update(tables.spending).where(_THESE).values(_MOVED)
ONE = update(tables.spending).where(_THIS).values(_MOVED)
TAKE = (
    delete(tables.spending_holds)
    .where(_holds.key.in_(bindparam("keys", expanding=True)), _holds.at < bindparam("before"))
    .returning(*tables.spending_holds.c)
)
"""Whoever deletes a hold moves its money: nobody else will."""
PAST = (
    select(*_OWNER)
    .where(_spending.period == bindparam("of_period"), _spending.began < bindparam("before"))
    .order_by(_spending.began)
    .limit(AT_ONCE)
)
_TAKEN = (_spending.settled + _spending.held).label("taken")
HEAVIEST = (
    select(_spending.subject, _TAKEN)
    .where(
        _spending.site == bindparam("of_site"),
        _spending.subject.like(bindparam("kind")),
        _spending.period == bindparam("of_period"),
        _spending.began == bindparam("of_began"),
    )
    .order_by(_TAKEN.desc(), _spending.subject)
    .limit(bindparam("most"))
)
FORGET = delete(tables.spending).where(_THESE)
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

    async def top_up(
        self, key: str, accounts: Sequence[Account], micros: int, at: float
    ) -> Reservation:
        """Hold `micros` in all under a key."""
        return await self._write(lambda connection: _top_up(connection, key, accounts, micros, at))

    async def settle(self, key: str, micros: int, at: float) -> list[Settled]:
        """Put what was really spent in the place of what was held."""
        return await self._write(lambda connection: _settle(connection, key, micros))

    async def spent(self, accounts: Sequence[Account]) -> list[int]:
        """What each account has spent and holds."""
        return await self._read(
            lambda connection: _taken(accounts, _rows(connection, accounts, ROWS))
        )

    async def heaviest(
        self, site: str, period: Period, began: float, kind: Kind, most: int
    ) -> list[Heavy]:
        """The accounts of a site's visitors of this kind that have most spent and held."""
        whose = {"of_site": site, "of_period": period, "of_began": began}
        found = await self._read(
            lambda connection: connection.execute(
                HEAVIEST, {**whose, "kind": f"{kind}:%", "most": most}
            ).all()
        )
        return [Heavy(account_name(site, row.subject, period, began), row.taken) for row in found]

    async def sweep(self, at: float) -> int:
        """Give back what was held for longer than `HELD_S`; how many reservations that were."""
        given = 0
        while some := await self._write(lambda connection: _give_back(connection, at)):
            given += some
        for period, kept_s in KEPT_S.items():
            drop = partial(_drop_old, period=period, before=at - kept_s)
            while await self._write(drop):
                pass
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
    _lock(connection, accounts)
    held = connection.execute(HELD, {"key": key}).scalar()
    if held is not None:
        return Reservation(key, held)
    refused, rows = _refused(connection, accounts, micros, at)
    if refused is not None:
        return Reservation(key, micros, refused)
    owners = set(map(_owner, accounts))
    _hold(connection, owners & rows.keys(), owners - rows.keys(), micros)
    held_in = [{**_values(one), "key": key, "micros": micros, "at": at} for one in sorted(owners)]
    connection.execute(insert(tables.spending_holds), held_in)
    return Reservation(key, micros)


def _top_up(
    connection: Connection, key: str, accounts: Sequence[Account], micros: int, at: float
) -> Reservation:
    _lock(connection, accounts)
    held = connection.execute(HOLD_OF, {"key": key}).all()
    if not held or held[0].at < at - HELD_S:
        _settle(connection, key, 0)
        return _reserve(connection, key, accounts, micros, at)
    missing = micros - held[0].micros
    if missing <= 0:
        return Reservation(key, held[0].micros)
    owners = {(row.site, row.subject, row.period, row.began) for row in held}
    paying = [one for one in accounts if _owner(one) in owners]
    refused, _ = _refused(connection, paying, missing, at)
    if refused is not None:
        return Reservation(key, held[0].micros, refused)
    connection.execute(ALL, {"owners": sorted(owners), "micros_held": missing, "micros_spent": 0})
    connection.execute(RAISE, {"of_key": key, "micros_held": micros})
    return Reservation(key, micros)


def _lock(connection: Connection, accounts: Sequence[Account]) -> None:
    names = {locks.subject(Scope(one.site, one.subject)) for one in accounts}
    locks.hold(connection, *names)


def _refused(
    connection: Connection, accounts: Sequence[Account], micros: int, at: float
) -> tuple[Account | None, dict[_Owner, Any]]:
    """The account that has too little left, if any, and what there is of all of them."""
    rows = _rows(connection, accounts, LOCKED)
    refused = too_little(accounts, _taken(accounts, rows), micros)
    if refused is not None and _give_back(connection, at):
        rows = _rows(connection, accounts, LOCKED)
        refused = too_little(accounts, _taken(accounts, rows), micros)
    return refused, rows


def _hold(connection: Connection, there: set[_Owner], new: set[_Owner], micros: int) -> None:
    if there:
        named = {"owners": sorted(there), "micros_held": micros, "micros_spent": 0}
        connection.execute(ALL, named)
    if new:
        rows = [{**_values(one), "settled": 0, "held": micros} for one in sorted(new)]
        connection.execute(insert(tables.spending), rows)


def _rows(connection: Connection, accounts: Iterable[Account], query: Any) -> dict[_Owner, Any]:
    """The accounts that there are."""
    owners = sorted(set(map(_owner, accounts)))
    found = connection.execute(query, {"owners": owners}) if owners else ()
    return {(row.site, row.subject, row.period, row.began): row for row in found}


def _taken(accounts: Iterable[Account], rows: Mapping[_Owner, Any]) -> list[int]:
    """What each account has spent and holds."""
    found = (rows.get(_owner(one)) for one in accounts)
    return [0 if row is None else row.settled + row.held for row in found]


def _settle(connection: Connection, key: str, micros: int) -> list[Settled]:
    gone = connection.execute(TAKE, {"keys": [key], "before": inf}).all()
    owners = sorted((row.site, row.subject, row.period, row.began) for row in gone)
    if not owners:
        return []
    there = connection.execute(LOCKED, {"owners": owners}).all()
    moved = {"owners": owners, "micros_held": -gone[0].micros, "micros_spent": micros}
    connection.execute(ALL, moved)
    return [
        Settled(
            account_name(row.site, row.subject, row.period, row.began),
            row.settled,
            row.settled + micros,
        )
        for row in there
    ]


def _give_back(connection: Connection, at: float) -> int:
    before = at - HELD_S
    keys = list(dict.fromkeys(connection.execute(OLD, {"before": before}).scalars()))
    gone = connection.execute(TAKE, {"keys": keys, "before": before}).all() if keys else []
    sums: dict[_Owner, int] = defaultdict(int)
    for row in gone:
        sums[row.site, row.subject, row.period, row.began] -= row.micros
    if sums:
        connection.execute(
            ONE,
            [
                {**_named(owner), "micros_held": held, "micros_spent": 0}
                for owner, held in sorted(sums.items())
            ],
        )
    # Others may sweep too: what they took out is theirs to tell.
    return len({row.key for row in gone})


def _drop_old(connection: Connection, period: Period, before: float) -> bool:
    """Forget some accounts of periods that began before then; whether there may be more."""
    found = connection.execute(PAST, {"of_period": period, "before": before}).all()
    owners = [tuple(row) for row in found]
    if owners:
        connection.execute(FORGET, {"owners": owners})
    return len(owners) == AT_ONCE


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
