"""The disk returns errors for a while: what was acknowledged stays, and visitors are told at once.

The gateway is `fanlight run` over a disk whose writes and syncs fail when the test says so. While
they do, every visitor hears a typed problem within five seconds, and `/health` says that the truth
is away; within ten seconds of the disk's recovery both are well, without a restart, and the same
request under the same key is taken. `make test` allows twice that, since it shares its machine.
"""

from __future__ import annotations

import asyncio
import errno
import random
import secrets
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from _pytest.mark import ParameterSet

from core.escalation import escalation_id
from core.scope import anonymous
from gateway.adapters.visitor import Visitor
from gateway.cli.bench.crowd import operators_list
from gateway.cli.bench.hook import hook
from gateway.cli.bench.mortal import SECRET, SITE, Mortal
from tests.faults.disk import FailingDisk, Fault, compiled
from tests.faults.proxy import printed_seed

pytestmark = [pytest.mark.needs("cc"), pytest.mark.timeout(300)]

UNKNOWN = "which gauge of wire suits a garden lamp outdoors in winter"
ANSWER_S, RECOVERY_S = 5.0, 10.0
LOOK_S = 0.2
CROWD = 6

FAULTS = {
    "writes fail": Fault(errno.EIO, syncs=False),
    "syncs fail": Fault(errno.EIO, writes=False),
    "both fail": Fault(errno.EIO),
    "full": Fault(errno.ENOSPC, syncs=False),
}
SOMETIMES = {
    "one call in three fails": Fault(errno.EIO, every=3),
    "nearly full": Fault(errno.ENOSPC, syncs=False, every=4),
    "one sync in two fails": Fault(errno.EIO, writes=False, every=2),
}

LARGE = ("both fail", "one sync in two fails")
"""They find little that the others do not, and take half a minute each."""


def named(faults: dict[str, Fault]) -> list[ParameterSet]:
    """The names as parameters."""
    return [pytest.param(name, marks=[pytest.mark.long] * (name in LARGE)) for name in faults]


@dataclass
class House:
    """A gateway over a disk that can fail, and what visitors were told."""

    gateway: Mortal
    disk: FailingDisk
    client: httpx.AsyncClient
    patience: float
    told: set[str] = field(default_factory=set)

    async def visitor(self) -> Visitor:
        """A visitor with a session, which nothing on the disk is about."""
        visitor = Visitor(self.client, self.gateway.url, SITE)
        await visitor.open_session()
        return visitor

    async def ask(self, visitor: Visitor, body: dict[str, object], key: str) -> httpx.Response:
        """Ask what a person must answer: in time, an acknowledgement or a typed problem."""
        async with asyncio.timeout(ANSWER_S * self.patience):
            response = await visitor.call("POST", "/v1/chat", body, key=key)
        if response.status_code == 200:
            turn: dict[str, Any] = response.json()
            assert turn["escalate"]
            self.told.add(escalation_id(anonymous(SITE, visitor.keyid), turn["id"]))
        else:
            assert response.status_code == 503, response.text
            assert response.headers["content-type"] == "application/problem+json"
            assert response.json()["type"].endswith("/unavailable")
            assert int(response.headers["retry-after"]) > 0
        return response

    async def until_taken(self, visitor: Visitor, body: dict[str, object], key: str) -> None:
        """Send the same until it is acknowledged; raises `TimeoutError`."""
        async with asyncio.timeout(RECOVERY_S * self.patience):
            while (await self.ask(visitor, body, key)).status_code != 200:  # noqa: ASYNC110
                await asyncio.sleep(LOOK_S)

    async def health(self) -> tuple[int, str]:
        """The status, and how the truth is."""
        response = await self.client.get(f"{self.gateway.url}/health")
        return response.status_code, response.json()["truth"]

    async def until_well(self) -> None:
        """Wait until it says that it is well; raises `TimeoutError`."""
        async with asyncio.timeout(RECOVERY_S * self.patience):
            while await self.health() != (200, "ok"):  # noqa: ASYNC110 - another process
                await asyncio.sleep(LOOK_S)

    async def check(self) -> None:
        """The file is whole and has all that was told, and so has what starts over it anew."""
        with sqlite3.connect(self.disk.folder / "fanlight.db") as rows:
            assert rows.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert rows.execute("PRAGMA foreign_key_check").fetchall() == []
            kept = {name for (name,) in rows.execute("SELECT id FROM escalations")}
        assert self.told <= kept
        await self.gateway.start()
        listed = await operators_list(self.gateway, self.client)
        assert self.told <= set(listed)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("disk"), "failing")


@pytest.fixture
async def house(library: Path, tmp_path: Path, long: bool) -> AsyncIterator[House]:
    chance = random.Random(printed_seed())
    disk = FailingDisk(library, tmp_path / ".fanlight")
    async with (
        hook(SECRET, chance) as webhook,
        httpx.AsyncClient(trust_env=False, timeout=30) as client,
    ):
        gateway = Mortal(tmp_path, webhook.port, dict(disk.environ))
        try:
            await gateway.start()
            yield House(gateway, disk, client, 1.0 if long else 2.0)
        finally:
            await gateway.stop()


@pytest.mark.parametrize("name", named(FAULTS))
async def test_visitors_are_told_at_once_and_served_again(house: House, name: str) -> None:
    visitor = await house.visitor()
    before = visitor.chat_body(UNKNOWN)
    assert (await house.ask(visitor, before, "before")).status_code == 200
    assert await house.health() == (200, "ok")
    house.disk.fail(FAULTS[name])
    refused = visitor.chat_body(UNKNOWN)
    assert (await house.ask(visitor, refused, "refused")).status_code == 503
    crowd = [await house.visitor() for _ in range(CROWD)]
    answers = await asyncio.gather(
        *(house.ask(one, one.chat_body(UNKNOWN), secrets.token_urlsafe(8)) for one in crowd)
    )
    assert {one.status_code for one in answers} == {503}
    async with asyncio.timeout(ANSWER_S * house.patience):
        while await house.health() != (503, "unavailable"):  # noqa: ASYNC110 - another process
            await asyncio.sleep(LOOK_S)
    await asyncio.sleep(2 * LOOK_S)
    assert await house.health() == (503, "unavailable"), "not for a moment only"
    house.disk.mend()
    await house.until_well()
    await house.until_taken(visitor, refused, "refused")
    assert (await house.ask(visitor, before, "before")).status_code == 200, "the stored one"
    assert len(house.told) == 2
    await house.gateway.end(30)
    await house.check()


@pytest.mark.parametrize("name", named(SOMETIMES))
async def test_whatever_is_acknowledged_between_errors_stays_through_a_kill(
    house: House, name: str
) -> None:
    crowd = [await house.visitor() for _ in range(CROWD)]
    seen: set[int] = set()

    async def ask_on(visitor: Visitor) -> None:
        for _ in range(12):
            body, key = visitor.chat_body(UNKNOWN), secrets.token_urlsafe(8)
            seen.add((await house.ask(visitor, body, key)).status_code)

    house.disk.fail(SOMETIMES[name])
    await asyncio.gather(*map(ask_on, crowd))
    house.disk.mend()
    await house.until_well()
    await asyncio.gather(*map(ask_on, crowd))
    await house.gateway.kill()
    assert seen == {200, 503}
    assert len(house.told) >= 12 * CROWD
    await house.check()
