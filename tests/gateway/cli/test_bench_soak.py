"""`fanlight bench soak`: a small real run, and what its figures are made of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from core.telemetry import STAGE
from gateway.adapters.telemetry import HouseTelemetry
from gateway.cli.bench import bench_group
from gateway.cli.bench.soak import GOALS, growth, sums
from gateway.cli.bench.stages import Stages, middles
from tests.kept_knowledge import with_demo

SIX_SLOTS = {"classify", "route", "assemble", "transport", "score", "learn"}


@pytest.mark.timeout(300)
def test_a_small_soak_loses_no_turn_and_leaves_no_money_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, long: bool
) -> None:
    with_demo(tmp_path / ".fanlight")
    monkeypatch.chdir(tmp_path)
    turns = 2_000 if long else 60
    result = CliRunner().invoke(bench_group, ["soak", "--turns", str(turns), "--json"])
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    assert (printed["lost"], printed["held"], printed["errors"]) == (0, 0, 0)
    assert printed["turns"] >= turns + min(turns, 200)
    assert printed["spent_micros"] > 0
    assert printed["tiers"].keys() == {"everyday", "hard"}
    assert printed["subjects"] >= 8
    assert len(printed["memory_mb"]) == 10
    assert min(printed["memory_mb"].values()) > 10
    assert printed["stages"].keys() >= SIX_SLOTS | {"gate", "commit"}
    assert 0 < printed["pipeline_ms"] < printed["stages_ms"]
    assert set(printed["missed"]) <= set(GOALS)


def test_growth_is_that_of_the_second_half() -> None:
    filling = {1: 10.0, 2: 90.0, 3: 100.0, 4: 100.0}
    assert growth({at * 1_000: mb for at, mb in filling.items()}) == pytest.approx(5_000.0)
    assert growth({1_000: 10.0, 2_000: 20.0}) == pytest.approx(10_000.0)
    assert growth({1_000: 10.0}) == 0.0


def test_a_middle_is_found_within_its_bucket_and_of_what_happened_between() -> None:
    telemetry = HouseTelemetry()
    for _ in range(50):
        telemetry.observe(STAGE, 4.0, stage="score")  # before: not of these turns
    before = Stages.read(telemetry.exposition().decode())
    for _ in range(10):
        telemetry.observe(STAGE, 0.0004, stage="score")
        telemetry.observe(STAGE, 0.0015, stage="commit")
        telemetry.observe(STAGE, 1_000.0, stage="transport")
    found = middles(before, Stages.read(telemetry.exposition().decode()))
    # Buckets of 0.2 to 0.5 and of 1 to 2 ms; what is beyond them all is the last bound.
    assert found == {"transport": 60_000.0, "score": 0.35, "commit": 1.5}
    assert sums(found) == {"pipeline_ms": 0.35, "stages_ms": 1.85}
