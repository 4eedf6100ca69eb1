"""The power goes, again and again: what a visitor was told is on the disk.

The gateway runs over a disk that keeps what was synced and, of the rest, what it likes. That the
disk does forget is shown beside it, with a database that does not sync.
"""

import os
import random
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.cli.bench.outbox import Plan, measure
from tests.faults.disk import Disk, compiled

pytestmark = pytest.mark.needs("cc")

WRITER = """
import sqlite3, sys
rows = sqlite3.connect(sys.argv[1], isolation_level=None)
rows.execute("PRAGMA journal_mode=WAL")
rows.execute("PRAGMA synchronous=FULL")
rows.execute("CREATE TABLE IF NOT EXISTS numbers (number INTEGER PRIMARY KEY)")
rows.execute(f"PRAGMA synchronous={sys.argv[2]}")
while True:
    number = rows.execute("INSERT INTO numbers DEFAULT VALUES").lastrowid
    print(number, flush=True)
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("disk"))


def acknowledged(disk: Disk, synchronous: str, count: int) -> int:
    """The last number that a writer acknowledged before it died with the power."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(disk.folder / "rows.db"), synchronous],
        env={**os.environ, **disk.environ},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    said = [writer.stdout.readline() for _ in range(count)]
    writer.kill()
    said += writer.stdout.read().splitlines()
    writer.stdout.close()
    assert writer.wait() == -signal.SIGKILL
    disk.fail()
    return int(said[-1])


def kept(disk: Disk) -> int:
    with sqlite3.connect(disk.folder / "rows.db") as rows:
        assert rows.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (number,) = rows.execute("SELECT coalesce(max(number), 0) FROM numbers").fetchone()
        return int(number)


def test_the_disk_forgets_what_was_not_synced(library: Path, tmp_path: Path) -> None:
    disk = Disk(library, tmp_path / "data", seed=1)
    assert acknowledged(disk, "NORMAL", 50) > kept(disk)


@pytest.mark.parametrize("seed", range(3))
def test_the_disk_keeps_what_was_synced(library: Path, tmp_path: Path, seed: int) -> None:
    disk = Disk(library, tmp_path / "data", seed)
    for _ in range(3):
        assert acknowledged(disk, "FULL", 50) <= kept(disk)


@pytest.mark.timeout(3600)
async def test_what_a_visitor_was_told_survives_a_power_cut(
    library: Path, tmp_path: Path, long: bool
) -> None:
    seed = int(os.environ.get("FANLIGHT_SEED") or random.randrange(10**9))
    print(f"FANLIGHT_SEED={seed}")  # noqa: T201 - to run a failure again
    plan = Plan(50, 2_500, 8, seed) if long else Plan(3, 60, 6, seed)
    disk = Disk(library, tmp_path / ".fanlight", seed)
    figures = await measure(plan, tmp_path, lambda _step, _share: None, disk)
    assert figures["acknowledged"] >= plan.escalations
    assert (figures["lost"], figures["altered"], figures["duplicate_ids"]) == (0, 0, 0)
    assert figures["forged"] == 0
