"""What visitors left is kept for as long as the settings say, by one process at a time."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from core.commands.feedback import Judgement
from core.errors import Unavailable
from core.scope import anonymous
from core.subjects import Held, Kind
from core.truth import EVENTS_KEPT_S
from gateway import retention
from gateway.adapters.memory import MemoryTruth
from gateway.adapters.memory_cache import MemoryCache
from gateway.adapters.telemetry import HouseTelemetry
from gateway.configuration import examine_settings
from gateway.retention import DAY_S, Retention, oldest
from gateway.settings import RetentionSettings
from tests.congruence.samples import ANNA, NOON, StandingClock, a_turn, a_work
from tests.gateway.test_configuration import ENVIRON
from tests.gateway.world import World

SHORT = RetentionSettings(turns_days=7, escalations_days=30, feedback_days=1, receipts_days=0)


async def stored(count: int) -> tuple[MemoryTruth, StandingClock]:
    """A truth with so many turns of eight days ago and one of now."""
    clock = StandingClock()
    truth = MemoryTruth(clock=clock)
    for number in range(count):
        work = a_work(f"k{number}", at=NOON - 8 * DAY_S, turn=a_turn(number, number))
        await truth.commit(work)
    await truth.commit(a_work("new", turn=a_turn(999, 999)))
    return truth, clock


async def turns(truth: MemoryTruth) -> int:
    return len((await truth.subjects.export(ANNA, 0.0)).turns)


def test_each_kind_is_kept_for_its_days_and_what_has_none_for_good() -> None:
    before = oldest(SHORT, NOON)
    assert before == {
        "turns": NOON - 7 * DAY_S,
        "trajectories": NOON - 90 * DAY_S,
        "escalations": NOON - 30 * DAY_S,
        "feedback": NOON - DAY_S,
        "events": NOON - EVENTS_KEPT_S,
    }


async def test_what_is_old_goes_in_batches_and_what_is_not_stays() -> None:
    truth, clock = await stored(23)
    telemetry = HouseTelemetry()
    sweeper = Retention(
        truth, MemoryCache(clock=clock), SHORT, clock, telemetry, batch=5, pause_s=0
    )
    assert await sweeper.sweep()
    assert await turns(truth) == 1
    figures = telemetry.exposition().decode()
    assert 'fanlight_expired_total{kind="turns"} 23.0' in figures
    [line] = [one for one in figures.splitlines() if one.startswith("fanlight_swept_timestamp")]
    assert float(line.split()[1]) == NOON


async def test_what_operators_said_of_commands_goes_by_its_own_days() -> None:
    truth, clock = await stored(1)
    said = [
        Judgement(f"j{days}", "ls", "READ", "READ", "operator", NOON - days * DAY_S)
        for days in range(12)
    ]
    for each in said:
        await truth.commands.judge(each)
    cache, telemetry = MemoryCache(clock=clock), HouseTelemetry()
    assert await Retention(truth, cache, RetentionSettings(), clock).sweep()
    assert len(await truth.commands.judgements(0, 99)) == 12, "kept for good, where nothing is set"
    policy = replace(SHORT, commands_days=4)
    sweeper = Retention(truth, cache, policy, clock, telemetry, batch=3, pause_s=0)
    assert await sweeper.sweep()
    assert await truth.commands.judgements(0, 99) == said[:5]
    assert 'fanlight_expired_total{kind="commands"} 7.0' in telemetry.exposition().decode()


async def test_a_sweep_ends_at_its_deadline_and_the_next_goes_on() -> None:
    truth, clock = await stored(23)
    cache = MemoryCache(clock=clock)
    hurried = Retention(truth, cache, SHORT, clock, batch=5, deadline_s=0, pause_s=0)
    assert not await hurried.sweep()
    assert await turns(truth) == 19
    for _ in range(4):
        await hurried.sweep()
    assert await hurried.sweep()
    assert await turns(truth) == 1


async def test_one_process_at_a_time_sweeps() -> None:
    truth, clock = await stored(3)
    cache = MemoryCache(clock=clock)
    entered, go_on = asyncio.Event(), asyncio.Event()
    expire = truth.subjects.expire

    async def slow(before: Mapping[Kind, float], limit: int) -> Mapping[Kind, int]:
        entered.set()
        await go_on.wait()
        return await expire(before, limit)

    truth.subjects.expire = slow  # type: ignore[method-assign]
    first, second = (Retention(truth, cache, SHORT, clock) for _ in range(2))
    sweeping = asyncio.create_task(first.sweep())
    await asyncio.wait_for(entered.wait(), 5)
    assert await asyncio.wait_for(second.sweep(), 1), "it leaves that to the first"
    assert await turns(truth) == 4
    go_on.set()
    assert await asyncio.wait_for(sweeping, 5)
    assert await turns(truth) == 1


async def test_a_store_that_is_down_is_swept_later(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIRST_S", "EVERY_S", "REST_S"):
        monkeypatch.setattr(retention, name, 0.01)
    truth, clock = await stored(3)
    expire, failures = truth.subjects.expire, [Unavailable("down"), RuntimeError("broken")]

    async def failing(before: Mapping[Kind, float], limit: int) -> Mapping[Kind, int]:
        if failures:
            raise failures.pop()
        return await expire(before, limit)

    truth.subjects.expire = failing  # type: ignore[method-assign]
    running = asyncio.create_task(Retention(truth, MemoryCache(clock=clock), SHORT, clock).run())
    async with asyncio.timeout(5):
        while await turns(truth) > 1:  # noqa: ASYNC110 - a task sweeps
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert not failures


async def test_what_a_visitor_asked_is_gone_after_the_default_time(gateway: World) -> None:
    visitor = await gateway.visitor()
    await visitor.ask("When are you open?")
    gateway.time.now += 91 * DAY_S
    scope = anonymous(visitor.site_key, visitor.keyid)
    held = await gateway.truth.subjects.export(scope, 0.0)
    assert len(held.turns) == 1
    services = gateway.services
    sweeper = Retention(services.truth, services.cache, services.settings.retention, services.clock)
    assert await sweeper.sweep()
    held = await gateway.truth.subjects.export(scope, gateway.time.now)
    assert replace(held, sessions=()) == Held(scope)


def test_days_are_read_from_the_settings(tmp_path: Path) -> None:
    (tmp_path / "kb").mkdir()
    file = tmp_path / "fanlight.toml"
    site = '[[sites]]\nkey = "site_a"\nname = "A"\norigins = ["https://a.example"]\nkb = ["kb"]\n'
    file.write_text(site + "[retention]\nturns_days = 14\nescalations_days = 0\n")
    found, flaws = examine_settings(file, ENVIRON)
    assert not flaws
    assert found is not None
    assert found.retention == RetentionSettings(turns_days=14, escalations_days=0)
    file.write_text(site + "[retention]\nturns_days = -1\n")
    _, flaws = examine_settings(file, ENVIRON)
    assert [flaw.key for flaw in flaws] == ["retention.turns_days"]
