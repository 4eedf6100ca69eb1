"""`GET /health` says which part is down, and asks the stores once a second."""

from dataclasses import replace

import httpx
import pytest

from gateway.adapters.memory_cache import MemoryCache
from gateway.app import create_app
from gateway.context import Services, Space
from tests.gateway.world import GATEWAY, Time, make_services, settings


async def health(services: Services, times: int = 1) -> httpx.Response:
    app = create_app(services)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client,
    ):
        for _ in range(times - 1):
            await client.get(GATEWAY + "/health")
        return await client.get(GATEWAY + "/health")


@pytest.fixture
def services() -> Services:
    return make_services(settings(), Time())


async def test_all_is_well(services: Services) -> None:
    response = await health(services)
    assert response.status_code == 200
    told = response.json()
    assert (told["status"], told["truth"], told["cache"], told["disk"]) == ("ok",) * 4


async def test_a_cache_that_takes_nothing_is_down(services: Services) -> None:
    full = MemoryCache(clock=services.clock, capacity=0)
    response = await health(replace(services, cache=full))
    assert (response.status_code, response.json()["cache"]) == (503, "unavailable")


async def test_whoever_asks_often_costs_the_stores_nothing(services: Services) -> None:
    small = MemoryCache(clock=services.clock, capacity=1)
    response = await health(replace(services, cache=small), times=5)
    assert response.status_code == 200
    assert len(small) == 1


@pytest.mark.parametrize(
    ("free", "disk", "status"),
    [(10 * 1024**3, "ok", 200), (1024**3, "low", 200), (100 * 1024**2, "full", 503)],
)
async def test_a_disk_that_fills_is_told(
    services: Services, free: int, disk: str, status: int
) -> None:
    response = await health(replace(services, disk=lambda: Space(free, 20 * 1024**3)))
    assert (response.status_code, response.json()["disk"]) == (status, disk)
