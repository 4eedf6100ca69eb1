"""What models cost, counted before it is spent: the port of the budgets.

Money is reserved before a model is called, and settled once its server has said how many tokens
there were. Decides what an account and its limit are; adapters decide how two who reserve at once
are kept apart. Amounts are whole millionths of a US dollar.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Period = Literal["day", "month"]


@dataclass(frozen=True, slots=True)
class Account:
    """Who pays: a site (`subject` is "") or one of its visitors, in one period, up to `limit`.

    A limit of 0 is none. `began` is the Unix time at which the period began: by it a new day is a
    new account.
    """

    site: str
    subject: str
    period: Period
    began: float
    limit: int = 0


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


class Budgets(Protocol):
    """Counts what is reserved and spent. Every call may raise `Unavailable`."""

    async def reserve(
        self, key: str, accounts: Sequence[Account], micros: int, at: float
    ) -> Reservation:
        """Hold `micros` in all of these accounts, or in none.

        A key that is held already is answered as it was the first time.
        """

    async def settle(self, key: str, micros: int, at: float) -> None:
        """Put what was really spent in the place of what was held; 0 gives all of it back.

        A key that nobody holds, or that was settled, changes nothing.
        """

    async def spent(self, accounts: Sequence[Account]) -> list[int]:
        """What each account has spent and holds."""
