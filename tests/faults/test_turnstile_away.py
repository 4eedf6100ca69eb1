"""Turnstile fails in every way: nobody is locked out, and it is asked again when it is back.

A network that fails stands before siteverify. The goals: a typed problem within five seconds of the
token that got no verdict, at once after it a proof of work that lets the visitor in, and tokens
again ten seconds after the fault at the latest, once the half minute is over for which the gateway
leaves a Turnstile that was away alone (ADR 19). `make test` allows twice that.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from gateway.adapters.turnstile import DEADLINE_S
from gateway.challenges import OUTAGE_S
from tests.faults.proxy import FAULTS, FaultProxy, Mode, before, printed_seed
from tests.gateway.test_challenges import answered, given, shop
from tests.gateway.test_integrity import problem
from tests.gateway.test_sessions import challenge, opened
from tests.gateway.turnstile_double import Double, siteverify
from tests.gateway.world import World

ANSWER_S, RECOVERY_S = 5.0, 10.0


@pytest.fixture(scope="module")
def double() -> Iterator[Double]:
    with siteverify() as made:
        yield made


@dataclass
class Door:
    """A gateway whose site has a widget, and the network before siteverify."""

    gateway: World
    network: FaultProxy
    patience: float

    async def with_token(self, double: Double, token: str) -> str:
        """What becomes of a visitor with a good token: in, or the problem's name; in time."""
        visitor = self.gateway.stranger()
        async with asyncio.timeout(ANSWER_S * self.patience):
            asked = await challenge(visitor)
            assert asked["kind"] == "turnstile"
            response = await answered(visitor, asked, given(double, visitor, token))
        return "in" if response.status_code == 201 else problem(response)

    async def with_work(self) -> None:
        """A visitor opens a session by the proof that the gateway asks for, and is answered."""
        visitor = self.gateway.stranger()
        async with asyncio.timeout(ANSWER_S * self.patience):
            asked = await challenge(visitor)
            assert asked["kind"] == "pow"
            response = await opened(visitor, asked)
            assert response.status_code == 201
            visitor.token = response.json()["access_token"]
            assert (await visitor.ask("When are you open?")).status_code == 200


@asynccontextmanager
async def door(double: Double, *, long: bool) -> AsyncIterator[Door]:
    behind = urlsplit(double.url)
    async with before(behind.port or 0, printed_seed()) as network:
        url = f"http://127.0.0.1:{network.port}{behind.path}"
        async with shop(url, timeout_s=DEADLINE_S) as gateway:
            yield Door(gateway, network, 1.0 if long else 2.0)


@pytest.mark.parametrize("mode", FAULTS)
async def test_a_turnstile_that_fails_locks_nobody_out(
    double: Double, mode: Mode, long: bool
) -> None:
    async with door(double, long=long) as shut:
        inside = await shut.gateway.visitor("site_other")
        assert await shut.with_token(double, f"0.{mode}-before-it-failed") == "in"
        await shut.network.set(mode)
        assert await shut.with_token(double, f"0.{mode}-without-a-verdict") == "bad-challenge"
        began = time.monotonic()
        for _ in range(3):
            await shut.with_work()
        assert time.monotonic() - began < ANSWER_S * shut.patience
        assert (await inside.ask("When are you open?")).status_code == 200
        await shut.network.set("pass")
        shut.gateway.time.now += OUTAGE_S + 1
        async with asyncio.timeout(RECOVERY_S * shut.patience):
            assert await shut.with_token(double, f"0.{mode}-when-it-was-back") == "in"


async def test_one_that_stays_away_costs_one_visitor_a_try_every_half_minute(
    double: Double, long: bool
) -> None:
    async with door(double, long=long) as shut:
        await shut.network.set("down")
        for number in range(3):
            token = f"0.another-token-{number}-of-three"
            assert await shut.with_token(double, token) == "bad-challenge"
            await shut.with_work()
            shut.gateway.time.now += OUTAGE_S + 1
