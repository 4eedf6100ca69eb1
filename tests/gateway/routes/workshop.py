"""A gateway whose operators can publish: files on disk, and the real worker processes."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gateway.adapters.command_head import load_command_head
from gateway.adapters.personality_files import PersonalityFiles
from gateway.adapters.workshop import ProcessWorkshop
from gateway.bell import OPERATORS
from gateway.cli.builders import installed_tools
from gateway.cli.knowledge import prepare
from gateway.cli.output import Output
from gateway.commands import Classifier
from gateway.services import WORKER, worker_environment
from gateway.settings import Settings, SiteSettings
from tests.gateway.routes.console import Console
from tests.gateway.world import settings, world
from tests.kept_knowledge import bring, keep

FAQ = """locale: en

## How do I return an order? {#returns}
- also: return policy
- also: can I send my order back?
- link: [Returns](https://shop.example/returns)

Send it back within **30 days**; the label is in the box.

## When are you open? {#hours}
- also: opening hours
- tags: starter

Monday to Friday, 9 to 17.
"""
SITE = "site_demo"
KNOWLEDGE = f"/v1/knowledge/{SITE}"
ENTRIES = f"{KNOWLEDGE}/entries"
MOON = {"locale": "en", "question": "What is the moon made of?", "answer": "Green **cheese**."}
PUBLISHED_S = 60


def untraced() -> dict[str, str]:
    """A worker's environment without coverage, under which a build takes five times as long.

    tests/gateway/adapters/test_workshop.py has the same work traced.
    """
    environ = worker_environment(os.environ)
    return {name: value for name, value in environ.items() if not name.startswith("COVERAGE_")}


def on_disk(folder: Path, **changes: Any) -> Settings:
    """Settings of one site whose file is on disk."""
    faq = folder / "faq.md"
    if not faq.exists():
        faq.write_text(FAQ, encoding="utf-8")
    site = SiteSettings(SITE, "Shop", ("http://localhost:8001",), kb=(faq,), targets=())
    return settings(data_dir=folder / "data", sites=(site,), **changes)


@asynccontextmanager
async def desk(
    folder: Path, *, command: tuple[str, ...] = WORKER, **changes: Any
) -> AsyncIterator[Console]:
    """A console that is logged in, over a gateway that serves what its file says."""
    chosen = on_disk(folder, **changes)
    tools = installed_tools()
    bring(chosen.data_dir)
    knowledge = prepare(chosen.sites[0], chosen.data_dir, Output().progress, tools).knowledge
    keep(chosen.data_dir)
    workshop = ProcessWorkshop(chosen, command, untraced())
    async with world(
        chosen=chosen,
        knowledge=knowledge,
        workshop=workshop,
        embedding=tools.embedding,
        commands=Classifier(load_command_head()),
        personalities=PersonalityFiles(None, time.monotonic),
    ) as made:
        console = Console(made)
        assert (await console.log_in()).status_code == 204
        yield console


async def site_of(console: Console) -> dict[str, Any]:
    """The site as the console reads it."""
    response = await console.call("GET", "/v1/knowledge")
    assert response.status_code == 200
    [found] = response.json()["sites"]
    assert isinstance(found, dict)
    return found


async def until(
    console: Console, holds: Callable[[dict[str, Any]], bool], limit_s: float = PUBLISHED_S
) -> dict[str, Any]:
    """Wait until this holds for the site as the console reads it."""
    async with asyncio.timeout(limit_s):
        with console.world.services.bell.listen(OPERATORS) as ear:
            while not holds(found := await site_of(console)):
                await ear.wait(limit_s)
    return found


async def publish(console: Console) -> dict[str, Any]:
    """Publish, and wait for the end of it."""
    response = await console.call("POST", f"{KNOWLEDGE}/publish")
    assert response.status_code == 202, response.text
    return await until(console, lambda site: site["building"] is None)
