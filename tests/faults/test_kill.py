"""kill -9 at any moment: no acknowledged escalation is lost.

A child commits from many tasks and writes each acknowledged number to a pipe; it is killed after a
random time, again and again over the same file. `FANLIGHT_KILL_ROUNDS` and `FANLIGHT_SEED` choose
how often and when.
"""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.messages import Escalation
from core.receipts import chain_hash
from gateway.adapters.sql.truth import SqlTruth
from tests.congruence.samples import ANNA, NOON, a_turn, by_browser, named
from tests.servers import PostgresServer

ROUND = 1_000_000


def acknowledged(url: str, first: int, seconds: float, root: Path) -> list[int]:
    """What a child that begins at number `first` was told before it was killed."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.escalating", url, str(first)],
        cwd=root,
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None
    try:
        started = child.stdout.readline()
        assert started, "the child ended before it acknowledged anything"
        time.sleep(seconds)
    finally:
        child.kill()
    rest = child.stdout.read()
    child.stdout.close()
    assert child.wait(10) == -9
    return [int(line) for line in (started + rest).splitlines()]


async def lost(truth: SqlTruth, number: int) -> str | None:
    """What of an acknowledged escalation is missing."""
    found = await truth.escalation(named("e", number))
    turn = await truth.turn(ANNA, named("t", number))
    events = await truth.events(ANNA, named("c", number), 0)
    checks = {
        "deliveries": [one.state for one in found.deliveries] == ["pending", "pending"],
        "completion": number % 3 != 0 or completed(found),
        "turn": turn == a_turn(number, number),
        "outcome": await truth.finished(ANNA, f"k{number}", 0) is not None,
        "receipt": await truth.receipt_head(f"s_{number}") == chain_hash(f"r{number}"),
        "event": [event.data["status"] for event in events] == ["queued"],
    }
    return next((name for name, holds in checks.items() if not holds), None)


def completed(found: Escalation) -> bool:
    return found.contact == by_browser().contact and found.reason == "low_confidence"


@pytest.mark.timeout(1800)
async def test_no_acknowledged_escalation_is_lost(tmp_path: Path, root: Path, long: bool) -> None:
    rounds = int(os.environ.get("FANLIGHT_KILL_ROUNDS") or (100 if long else 8))
    seed = int(os.environ.get("FANLIGHT_SEED") or random.randrange(10**9))
    print(f"FANLIGHT_SEED={seed} FANLIGHT_KILL_ROUNDS={rounds}")  # noqa: T201 - to run a failure again
    chance = random.Random(seed)
    url = f"sqlite:///{tmp_path}/truth.db"
    for number in range(1, rounds + 1):
        ids = acknowledged(url, number * ROUND, chance.uniform(0, 0.4), root)
        truth = SqlTruth(url, clock=lambda: NOON)
        await truth.start()
        missing = {one: await lost(truth, one) for one in ids}
        assert {one: what for one, what in missing.items() if what} == {}
        intact = await truth._read(
            lambda connection: connection.exec_driver_sql("PRAGMA integrity_check").scalar()
        )
        assert intact == "ok"
        await truth.close()


@pytest.mark.needs("postgresql")
@pytest.mark.timeout(1800)
async def test_none_is_lost_when_postgresql_dies_with_the_gateway(
    postgresql_path: Path, root: Path, long: bool
) -> None:
    """The child is killed, and the server stopped as by a crash: it recovers from its log."""
    rounds = int(os.environ.get("FANLIGHT_KILL_ROUNDS") or (40 if long else 3))
    seed = int(os.environ.get("FANLIGHT_SEED") or random.randrange(10**9))
    print(f"FANLIGHT_SEED={seed} FANLIGHT_KILL_ROUNDS={rounds}")  # noqa: T201 - to run a failure again
    chance = random.Random(seed)
    server = PostgresServer(postgresql_path)
    try:
        for number in range(1, rounds + 1):
            ids = acknowledged(server.url(), number * ROUND, chance.uniform(0, 0.4), root)
            server.stop(9)
            server.start()
            truth = SqlTruth(server.url(), clock=lambda: NOON, deadline_s=30)
            await truth.start()
            missing = {one: await lost(truth, one) for one in ids}
            assert {one: what for one, what in missing.items() if what} == {}
            await truth.close()
    finally:
        server.close()
