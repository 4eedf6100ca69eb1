"""Following: what was published elsewhere is served here; what cannot be had changes nothing."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from core.knowledge import Publication
from gateway.adapters.workshop import ProcessWorkshop
from gateway.context import SiteKnowledge
from gateway.knowledge.following import Follower
from gateway.services import WORKER
from gateway.shelf import Shelf
from tests.gateway.routes.console import Console
from tests.gateway.routes.workshop import ENTRIES, MOON, PUBLISHED_S, SITE, desk, publish, untraced

pytestmark = pytest.mark.timeout(240)


class Watched(Shelf):
    """A shelf that says when something was put on it."""

    def __init__(self, console: Console) -> None:
        services = console.world.services
        super().__init__(services.knowledge, services.clock)
        self.was_put = asyncio.Event()

    def put(self, site: str, knowledge: SiteKnowledge) -> None:
        super().put(site, knowledge)
        self.was_put.set()


@asynccontextmanager
async def following(
    console: Console, command: tuple[str, ...] = WORKER
) -> AsyncIterator[tuple[Watched, list[Publication]]]:
    """Another process' shelf, and what its desk was told."""
    services, told = console.world.services, list[Publication]()
    shelf = Watched(console)
    workshop = ProcessWorkshop(services.settings, command, untraced())
    follower = Follower(services, shelf, workshop, lambda _site, found, _files: told.append(found))
    running = asyncio.create_task(follower.run())
    try:
        yield shelf, told
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_what_another_process_publishes_is_served_and_told(tmp_path: Path) -> None:
    async with desk(tmp_path) as console, following(console) as (shelf, told):
        before = shelf[SITE].index.release
        assert (await console.call("POST", ENTRIES, MOON)).status_code == 201
        site = await publish(console)
        async with asyncio.timeout(PUBLISHED_S):
            await shelf.was_put.wait()
        assert shelf[SITE].index.release == site["release"] != before
        assert shelf.release(SITE, before) is not None, "a panel may be about to ask for it"
        assert [one.release for one in told] == [site["release"]]


async def test_an_index_that_cannot_be_had_leaves_the_last_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "fanlight")
    broken = ("/bin/false",)
    async with desk(tmp_path) as console, following(console, broken) as (shelf, told):
        before = shelf[SITE].index.release
        assert (await console.call("POST", ENTRIES, MOON)).status_code == 201
        await publish(console)
        async with asyncio.timeout(PUBLISHED_S):
            while "not served here yet" not in caplog.text:  # noqa: ASYNC110 - a log's state
                await asyncio.sleep(0.05)
        assert shelf[SITE].index.release == before
        assert told == []
