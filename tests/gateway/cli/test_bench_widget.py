"""`fanlight bench widget`: its figures are there, and true to the build."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from gateway.cli.bench import bench_group
from gateway.cli.bench.chromium import find_chromium
from gateway.cli.bench.entries import made_up
from gateway.cli.bench.host import serving
from gateway.cli.bench.load import BenchError
from gateway.cli.bench.widget import (
    EARLY,
    GOALS,
    beside_table,
    compared,
    missed_goals,
    table,
)
from kb.bundled import bundled_embedding
from tests.conftest import ROOT
from tests.kept_knowledge import with_demo

FANLIGHT = Path(sys.executable).with_name("fanlight")
ONE_ROUND = ("--rounds", "1", "--entries", "30", "--turns", "60")
REACHED: dict[str, object] = {**GOALS, "early_requests": EARLY}


def test_made_up_entries_are_the_same_each_time_and_differ_from_each_other() -> None:
    entries, questions = made_up(50, 20)
    assert (entries, questions) == made_up(50, 20)
    assert len({entry.question for entry in entries}) == 50
    assert len(set(questions)) == 20


@pytest.mark.parametrize(
    ("changes", "missed"),
    [
        ({}, []),
        ({"warm_s": 1.1}, ["warm_s"]),
        ({"loader_bytes": 4_097, "cold_s": 99.0}, ["loader_bytes"]),
        ({"early_requests": []}, ["early_requests"]),
        (
            {"third_party_requests": 1, "layout_shift": 0.001},
            ["layout_shift", "third_party_requests"],
        ),
        ({"early_requests": [*EARLY, "/panel/site_demo"]}, ["early_requests"]),
    ],
)
def test_what_misses_its_goal_is_named(changes: dict[str, object], missed: list[str]) -> None:
    assert missed_goals({**REACHED, **changes}) == missed


@pytest.mark.needs("chromium")
def test_one_round_in_a_real_browser_gives_every_figure(
    chromium_path: Path, tmp_path: Path
) -> None:
    with_demo(tmp_path / ".fanlight")
    done = subprocess.run(
        [FANLIGHT, "bench", "widget", *ONE_ROUND, "--json"],
        cwd=tmp_path,
        env={**os.environ, "FANLIGHT_CHROMIUM": str(chromium_path)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["early_requests"] == EARLY
    built = json.loads((ROOT / "web" / "dist" / "precache.json").read_text())
    packed = sum(
        (ROOT / "web" / "dist" / f"{path[1:]}.br").stat().st_size for path in built["python"]
    )
    assert figures["python_bytes"] == pytest.approx(packed, rel=0.01)
    assert figures["embedding_bytes"] == len(bundled_embedding() or b"")
    for name in ("loader_bytes", "panel_bytes", "index_bytes", "cold_s", "second_s", "warm_s"):
        assert figures[name] > 0
    assert 0 < figures["query_p50_ms_30"] <= figures["query_p95_ms_30"]
    assert set(figures["goals"]) == set(REACHED)
    assert figures["open_warm_ms"] > 0
    # What is counted, not timed: the host page pays nothing, and a long talk is not drawn whole.
    for name in ("layout_shift", "third_party_requests", "stored_before_consent"):
        assert figures[name] == 0, name
    assert figures["talk_messages"] == 120
    assert figures["talk_exchanges_drawn"] == 50
    assert figures["talk_elements"] < 2_500
    for name in ("loader_bytes", "panel_bytes", "talk_growth_mb"):
        assert figures[name] <= GOALS[name], name
    beside = figures["beside"]
    assert beside["name"] == "deep-chat 2.4.2"
    assert ("skipped" in beside) != ("figures" in beside)
    if "figures" in beside:
        assert set(beside["figures"]) == set(compared(figures))
        assert beside["figures"]["early_bytes"] > figures["loader_bytes"] + figures["panel_bytes"]


def test_a_browser_that_does_not_start_is_told_at_once() -> None:
    done = CliRunner().invoke(bench_group, ["widget", "--chromium", "/bin/false"])
    assert done.exit_code == 1
    assert "Error: " in done.output


def test_the_installed_browser_is_found_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_chromium() is None
    program = tmp_path / "google-chrome"
    program.touch(mode=0o755)
    assert find_chromium() == program


async def test_a_gateway_that_does_not_start_is_told_with_its_last_words(tmp_path: Path) -> None:
    (tmp_path / ".fanlight").touch()  # where its data folder should be
    with pytest.raises(BenchError, match=r"(?s)did not start: .*\.fanlight"):
        async with serving(tmp_path, (), lambda _step, _share: None):
            raise AssertionError("it started")


def test_a_table_is_printed_for_people() -> None:
    figures: dict[str, object] = {**REACHED, "warm_s": 2.5}
    console = Console(width=120, file=io.StringIO())
    console.print(table(figures, missed_goals(figures)))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "≤ 1" in text
    assert "/loader.js" in text


def test_the_other_chat_stands_beside_ours_or_its_absence_is_told() -> None:
    figures: dict[str, object] = {**REACHED, "open_warm_ms": 200.5}
    shown = beside_table(figures, {"name": "deep-chat", "figures": compared({**figures})})
    console = Console(width=120, file=io.StringIO())
    console.print(shown)
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().count("200.5") == 2
    told = beside_table(figures, {"name": "deep-chat", "skipped": "npm is not installed"})
    assert told == "deep-chat was not measured: npm is not installed"


def test_a_browser_that_is_not_there_is_refused() -> None:
    done = CliRunner().invoke(bench_group, ["widget", "--chromium", "/nowhere/chromium"])
    assert done.exit_code == 2
    assert "/nowhere/chromium" in done.output
