"""What is particular to memory: its bounds, and what it may import."""

import ast
import sys
from pathlib import Path

import pytest

from core.errors import Unavailable
from core.truth import FINISHED_KEPT_S
from gateway.adapters import (
    memory,
    memory_cache,
    memory_commands,
    memory_deliveries,
    memory_escalations,
    memory_exports,
    memory_knowledge,
    memory_revocations,
    memory_rows,
    memory_subjects,
    semantics,
)
from gateway.adapters.memory import MemoryTruth
from gateway.adapters.memory_cache import EXPIRED_DROPPED_PER_CALL, MemoryCache
from tests.congruence.samples import ANNA, NOON, StandingClock, a_work


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


async def test_a_full_cache_refuses_rather_than_forgets(clock: StandingClock) -> None:
    cache = MemoryCache(clock=clock, capacity=3)
    assert await cache.claim("nonce", 10)
    await cache.put("name", "value", 20)
    await cache.count("quota", 30)
    for call in (cache.claim("n", 1), cache.put("n", "v", 1), cache.count("n", 1)):
        with pytest.raises(Unavailable):
            await call
    assert not await cache.claim("nonce", 10)
    assert (await cache.count("quota", 30))[0] == 2
    await cache.put("name", "again", 20)
    assert await cache.get("name") == "again"
    clock.now += 11
    assert await cache.claim("n", 1)


async def test_what_expired_leaves_memory(clock: StandingClock) -> None:
    cache = MemoryCache(clock=clock)
    for number in range(1000):
        await cache.claim(f"{number}", 60)
    clock.now += 61
    for number in range(1000 // (EXPIRED_DROPPED_PER_CALL - 1) + 2):
        await cache.claim(f"later {number}", 60)
    assert len(cache) < 100


async def test_claiming_and_releasing_one_key_takes_no_memory(clock: StandingClock) -> None:
    cache = MemoryCache(clock=clock)
    await cache.claim("held", 600)
    for _ in range(5000):
        assert await cache.claim("key", 600)
        await cache.release("key")
    assert len(cache) == 1
    assert len(cache._expiries) < 2000
    assert not await cache.claim("held", 600)


async def test_a_key_put_again_lives_as_long_as_its_last_time(clock: StandingClock) -> None:
    cache = MemoryCache(clock=clock)
    await cache.put("name", "short", 10)
    await cache.put("name", "long", 100)
    clock.now += 50
    await cache.put("other", "value", 10)
    assert await cache.get("name") == "long"


async def test_outcomes_are_dropped_after_their_day(clock: StandingClock) -> None:
    truth = MemoryTruth(clock=clock)
    for number in range(10):
        await truth.commit(a_work(f"k{number}", at=NOON + number))
    await truth.commit(a_work("last", at=NOON + FINISHED_KEPT_S + 6))
    assert await truth.finished(ANNA, "k5", 0) is None
    assert await truth.finished(ANNA, "k6", 0) is not None


@pytest.mark.parametrize(
    "module",
    [
        memory,
        memory_cache,
        memory_commands,
        memory_deliveries,
        memory_escalations,
        memory_exports,
        memory_knowledge,
        memory_revocations,
        memory_rows,
        memory_subjects,
        semantics,
    ],
)
def test_it_imports_the_standard_library_and_core_only(module: object) -> None:
    source = Path(str(module.__file__)).read_text("utf-8")  # type: ignore[attr-defined]
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(f"{node.module}.{node.names[0].name}")
    outside = {
        name for name in names if name.partition(".")[0] not in {*sys.stdlib_module_names, "core"}
    }
    siblings = (
        "memory_bank",
        "memory_budgets",
        "memory_cache",
        "memory_commands",
        "memory_conversations",
        "memory_deliveries",
        "memory_escalations",
        "memory_exports",
        "memory_figures",
        "memory_knowledge",
        "memory_learning",
        "memory_personalities",
        "memory_revocations",
        "memory_rows",
        "memory_subjects",
        "semantics",
    )
    ours = {f"gateway.adapters.{name}" for name in siblings}
    assert {".".join(name.split(".")[:3]) for name in outside} <= ours
    assert names.isdisjoint({"threading", "asyncio", "concurrent"})


async def test_a_claim_and_a_window_last_to_the_second(clock: StandingClock) -> None:
    cache = MemoryCache(clock=clock)
    assert await cache.claim("nonce", 60)
    assert await cache.count("quota", 60) == (1, 60)
    clock.now += 20
    assert await cache.count("quota", 60) == (2, 40)
    clock.now += 39.5
    assert not await cache.claim("nonce", 60)
    clock.now += 1
    assert await cache.claim("nonce", 60)
    assert await cache.count("quota", 60) == (1, 60)
