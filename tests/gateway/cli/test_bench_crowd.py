"""The benchmark's visitors, who stay for longer than a token lives, and the wait for the last."""

import asyncio
import random
from pathlib import Path

from gateway.cli.bench.crowd import Crowd
from gateway.cli.bench.mortal import SITE, Mortal
from gateway.cli.bench.outbox import drained
from gateway.settings import LimitSettings, SiteSettings
from tests.gateway.world import settings, world

PORT = 8000
GENEROUS = LimitSettings(
    pow_difficulty=1, session_per_minute=10**6, subject_per_minute=10**6, site_per_minute=10**6,
    address_per_minute=10**6,
)  # fmt: skip


async def test_they_renew_their_sessions(tmp_path: Path) -> None:
    site = SiteSettings(SITE, "Mortal", ("http://localhost:8001",), kb=(), targets=())
    async with world(chosen=settings(sites=(site,), limits=GENEROUS)) as gateway:
        mortal = Mortal(tmp_path, 9, port=PORT)
        crowd = Crowd(mortal, gateway.client, random.Random(1), clock=gateway.time)
        visit = asyncio.create_task(crowd.visit())
        async with asyncio.timeout(30):
            for _ in range(6):
                known = len(crowd.told)
                while len(crowd.told) < known + 3:
                    assert not visit.done()
                    await asyncio.sleep(0.01)
                gateway.time.now += 350
        crowd.leaving = True
        await visit


async def test_what_is_still_coming_is_waited_for_and_what_is_not_is_not() -> None:
    told, taken = {str(number) for number in range(20)}, set[str]()

    async def deliver() -> None:
        for name in sorted(told)[:-1]:
            await asyncio.sleep(0.1)
            taken.add(name)

    loop = asyncio.get_running_loop()
    delivering, began = asyncio.create_task(deliver()), loop.time()
    await drained(told, taken, idle_s=1.0)
    assert delivering.done()
    assert len(told - taken) == 1  # which never came
    assert 1.9 + 0.9 < loop.time() - began < 10
