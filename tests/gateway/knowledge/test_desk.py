"""The desk over a store that takes its time, as the real one does."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.adapters.sql.truth import SqlTruth
from gateway.adapters.workshop import ProcessWorkshop
from gateway.knowledge.desk import Desk
from gateway.services import WORKER
from gateway.shelf import Shelf
from tests.gateway.routes.workshop import SITE, on_disk, untraced
from tests.gateway.world import Time, make_services


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    chosen, time = on_disk(tmp_path), Time()
    truth = SqlTruth(f"sqlite:///{tmp_path}/truth.db", clock=time)
    services = replace(make_services(chosen, time), truth=truth)
    workshop = ProcessWorkshop(chosen, WORKER, untraced())
    await truth.start()
    made = Desk(services, Shelf(services.knowledge, time), workshop)
    yield made
    await made.close()
    await truth.close()


async def test_of_the_marks_of_one_question_at_once_one_stands(desk: Desk) -> None:
    names = ("hours", "returns", None)
    made = await asyncio.gather(*(desk.mark(SITE, "Hours?", name, "anna") for name in names))
    [left] = await desk.store.marks(SITE)
    assert left in made
