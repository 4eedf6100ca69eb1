"""Every adapter of a port, one after the other."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.ports import Cache, Truth
from gateway.adapters.memory import MemoryCache, MemoryTruth
from gateway.adapters.sql.truth import SqlTruth
from tests.congruence.samples import StandingClock


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture(params=["memory", "sqlite"])
async def truth(
    request: pytest.FixtureRequest, clock: StandingClock, tmp_path: Path
) -> AsyncIterator[Truth]:
    store: Truth = (
        MemoryTruth(clock=clock)
        if request.param == "memory"
        else SqlTruth(f"sqlite:///{tmp_path}/truth.db", clock=clock)
    )
    await store.start()
    yield store
    await store.close()


@pytest.fixture(params=["memory"])
def cache(clock: StandingClock) -> Cache:
    return MemoryCache(clock=clock)
