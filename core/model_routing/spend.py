"""What models cost, counted before it is spent: the port of the budgets.

Money is reserved before a model is called, and settled once its server has said how many tokens
there were. Decides what an account and its limit are, who is refused, and for how long money is
held; adapters decide how two who reserve at once are kept apart. Amounts are whole millionths of a
US dollar.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from core.digest import sha256_hex
from core.model_routing.caller import Caller
from core.model_routing.permissions import Permissions

Period = Literal["day", "month"]

HELD_S: Final = 900.0
"""Money that nobody has settled for so long is given back. A turn takes 600 s at most
(`limits.turn_s`), so that this is only what a process held that is no more."""

KEPT_S: Final[Mapping[Period, float]] = {"day": 2 * 86_400.0, "month": 33 * 86_400.0}
"""For how long after its beginning an account is kept: its period, and a day or more beside it."""

_NAME_LETTERS: Final = 40


@dataclass(frozen=True, slots=True)
class Account:
    """Who pays: a site (`subject` is "") or one of its visitors, in one period, up to `limit`.

    A limit of 0 is none. `began` is the Unix time at which the period began: by it a new day is a
    new account. A site's own server, which is no visitor, has the name of its channel as `subject`.
    """

    site: str
    subject: str
    period: Period
    began: float
    limit: int = 0

    @property
    def name(self) -> str:
        """What it is called where nobody is to read whose it is; the same with any limit."""
        return account_name(self.site, self.subject, self.period, self.began)


def account_name(site: str, subject: str, period: str, began: float) -> str:
    """40 hex digits of SHA-256 for each account."""
    whose = f"{site}\x00{subject}\x00{period}\x00{began:.0f}"
    return sha256_hex(whose.encode("utf-8", "surrogatepass"))[:_NAME_LETTERS]


Kind = Literal["anon", "user"]
"""Visitors whom nobody knows, and those whom the site's server names: how their subjects begin."""

KINDS: Final[tuple[Kind, ...]] = ("anon", "user")


@dataclass(frozen=True, slots=True)
class Heavy:
    """What an account (by its `Account.name`) has spent and holds."""

    account: str
    micros: int


@dataclass(frozen=True, slots=True)
class Reservation:
    """Money that is held for one turn. `refused` is the account that had too little left."""

    key: str
    micros: int
    refused: Account | None = None

    @property
    def granted(self) -> bool:
        """Whether the model may be called."""
        return self.refused is None


@dataclass(frozen=True, slots=True)
class Settled:
    """How much an account (by its `Account.name`) had spent before and after one turn was settled.

    It only grows, and no two of an account's overlap: whatever lies between was passed here.
    """

    account: str
    before: int
    after: int


class Budgets(Protocol):
    """Counts what is reserved and spent. Every call may raise `Unavailable`."""

    async def reserve(
        self, key: str, accounts: Sequence[Account], micros: int, at: float
    ) -> Reservation:
        """Hold `micros` in all of these accounts, or in none.

        A key that is held already is answered as it was the first time. Whoever would be refused
        first gets what others have held for longer than `HELD_S`.
        """

    async def top_up(
        self, key: str, accounts: Sequence[Account], micros: int, at: float
    ) -> Reservation:
        """Hold `micros` in all under a key: what is missing, in every account that it holds.

        One that is refused holds what it held before, in all of them. Where as much is held
        already nothing changes; a key that nobody holds is reserved in `accounts`.
        """

    async def settle(self, key: str, micros: int, at: float) -> list[Settled]:
        """Put what was really spent in the place of what was held; 0 gives all of it back.

        A key that nobody holds, or that was settled, changes nothing. What its accounts have spent.
        """

    async def spent(self, accounts: Sequence[Account]) -> list[int]:
        """What each account has spent and holds."""

    async def heaviest(
        self, site: str, period: Period, began: float, kind: Kind, most: int
    ) -> list[Heavy]:
        """The accounts of a site's visitors of this kind that have most spent and held, the first
        of all first; `most` at most."""

    async def sweep(self, at: float) -> int:
        """Give back what was held for longer than `HELD_S`; how many reservations that were.

        Accounts whose `KEPT_S` is over are forgotten.
        """

    async def forget(self, accounts: Sequence[Account]) -> None:
        """Forget these accounts, and what is held in them."""


def too_little(accounts: Iterable[Account], taken: Iterable[int], micros: int) -> Account | None:
    """The first account in which `micros` are not left beside what is `taken` of it, if any."""
    for account, sum_of in zip(accounts, taken, strict=True):
        if account.limit and sum_of + micros > account.limit:
            return account
    return None


class Holds(Protocol):
    """Holds the money of a turn in all accounts that the turn is paid from."""

    async def hold(
        self, caller: Caller, allowed: Permissions, key: str, micros: int
    ) -> Reservation:
        """Hold `micros` for this caller's turn, `key` being its id; may raise `Unavailable`.

        One that is refused holds nothing, so that less may be asked for under the same key.
        """


class TopUps(Protocol):
    """Holds more for a turn that goes on for longer than was thought."""

    async def top_up(
        self, caller: Caller, allowed: Permissions, key: str, micros: int
    ) -> Reservation:
        """Hold `micros` in all for this caller's turn; may raise `Unavailable`.

        One that is refused holds what it held before.
        """
