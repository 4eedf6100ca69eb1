"""Budgets in this process's memory, under the congruence suite of those in SQL and in Redis.

Whatever it counts is gone with the process. No method awaits between a look and its write.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

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

_Key = tuple[str, str, Period, float]


@dataclass(slots=True)
class _Row:
    settled: int = 0
    held: int = 0


@dataclass(frozen=True, slots=True)
class _Hold:
    micros: int
    at: float
    accounts: tuple[_Key, ...]


class MemoryBudgets:
    """A `Budgets`."""

    def __init__(self) -> None:
        self._rows: dict[_Key, _Row] = {}
        self._holds: dict[str, _Hold] = {}

    async def reserve(
        self, key: str, accounts: Sequence[Account], micros: int, at: float
    ) -> Reservation:
        """Hold `micros` in all of these accounts, or in none."""
        held = self._holds.get(key)
        if held is not None:
            return Reservation(key, held.micros)
        refused = self._refused(accounts, micros, at)
        if refused is not None:
            return Reservation(key, micros, refused)
        keys = tuple(dict.fromkeys(map(_key, accounts)))
        for name in keys:
            self._rows.setdefault(name, _Row()).held += micros
        self._holds[key] = _Hold(micros, at, keys)
        return Reservation(key, micros)

    async def top_up(
        self, key: str, accounts: Sequence[Account], micros: int, at: float
    ) -> Reservation:
        """Hold `micros` in all under a key."""
        held = self._holds.get(key)
        if held is None or held.at < at - HELD_S:
            self._settle(key, 0)
            return await self.reserve(key, accounts, micros, at)
        missing = micros - held.micros
        if missing <= 0:
            return Reservation(key, held.micros)
        paying = [one for one in accounts if _key(one) in held.accounts]
        refused = self._refused(paying, missing, at)
        if refused is not None:
            return Reservation(key, held.micros, refused)
        for name in held.accounts:
            self._rows[name].held += missing
        self._holds[key] = replace(held, micros=micros)
        return Reservation(key, micros)

    async def settle(self, key: str, micros: int, at: float) -> list[Settled]:
        """Put what was really spent in the place of what was held."""
        return self._settle(key, micros)

    async def spent(self, accounts: Sequence[Account]) -> list[int]:
        """What each account has spent and holds."""
        return self._taken(accounts)

    async def heaviest(
        self, site: str, period: Period, began: float, kind: Kind, most: int
    ) -> list[Heavy]:
        """The accounts of a site's visitors of this kind that have most spent and held."""
        found = [
            Heavy(account_name(*name), row.settled + row.held)
            for name, row in self._rows.items()
            if (name[0], *name[2:]) == (site, period, began) and name[1].startswith(f"{kind}:")
        ]
        return sorted(found, key=_first)[:most]

    async def sweep(self, at: float) -> int:
        """Give back what was held for longer than `HELD_S`; how many reservations that were."""
        given = self._give_back(at)
        for name in [one for one in self._rows if one[3] < at - KEPT_S[one[2]]]:
            del self._rows[name]
        return given

    async def forget(self, accounts: Sequence[Account]) -> None:
        """Forget these accounts, and what is held in them."""
        self._drop(map(_key, accounts))

    def forget_subject(self, site: str, subject: str) -> None:
        """Forget every account of a subject."""
        self._drop([name for name in self._rows if name[:2] == (site, subject)])

    def _drop(self, names: Iterable[_Key]) -> None:
        gone = {name for name in names if self._rows.pop(name, None) is not None}
        for key, held in list(self._holds.items()) if gone else ():
            left = tuple(name for name in held.accounts if name not in gone)
            self._holds[key] = _Hold(held.micros, held.at, left)

    def _refused(self, accounts: Sequence[Account], micros: int, at: float) -> Account | None:
        refused = too_little(accounts, self._taken(accounts), micros)
        if refused is not None and self._give_back(at):
            refused = too_little(accounts, self._taken(accounts), micros)
        return refused

    def _taken(self, accounts: Sequence[Account]) -> list[int]:
        rows = [self._rows.get(_key(account)) for account in accounts]
        return [0 if row is None else row.settled + row.held for row in rows]

    def _give_back(self, at: float) -> int:
        old = [key for key, held in self._holds.items() if held.at < at - HELD_S]
        for key in old:
            self._settle(key, 0)
        return len(old)

    def _settle(self, key: str, micros: int) -> list[Settled]:
        held = self._holds.pop(key, None)
        told = []
        for name in held.accounts if held is not None else ():
            row = self._rows.get(name)
            if row is not None and held is not None:
                told.append(Settled(account_name(*name), row.settled, row.settled + micros))
                row.held -= held.micros
                row.settled += micros
        return told


def _first(one: Heavy) -> tuple[int, str]:
    return -one.micros, one.account


def _key(account: Account) -> _Key:
    return account.site, account.subject, account.period, account.began
