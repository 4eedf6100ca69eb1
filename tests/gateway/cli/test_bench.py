"""`fanlight bench`: a real, tiny run; shapes and refusals, never times."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli.bench import LazyGroup, bench_group
from gateway.cli.bench.gateway import GOALS, machine_facts, missed_goals, show
from gateway.cli.bench.load import BenchError, Connection, connect, drive, timed
from gateway.cli.bench.processes import child, started
from gateway.cli.bench.visitors import callers
from gateway.cli.output import Output
from tests.gateway.adapters.http_receiver import NEVER, answer, receiver
from tests.kept_knowledge import with_demo

GET = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"
FIGURES = {
    "echo_rps",
    "signed_rps",
    "signed_ratio",
    "bare_chat_rps",
    "chat_rps",
    "chat_ratio",
    "added_p50_ms",
    "added_p99_ms",
}
GOOD = {**dict.fromkeys(FIGURES, 1.0), **GOALS}


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder in which the demo has run."""
    with_demo(tmp_path / ".fanlight")
    monkeypatch.chdir(tmp_path)


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("demo")
def test_whoever_comes_in_an_overload_is_answered_or_told_when_to_come_again() -> None:
    result = CliRunner().invoke(bench_group, ["overload", "--seconds", "0.3", "--json"])
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    assert (printed["failed"], printed["unexplained"]) == (0, 0)
    assert printed["offered_rps"] > printed["peak_rps"]
    # On a slow machine the first answer comes when the last call has been sent.
    assert printed["answered"] > 0


@pytest.mark.timeout(300)  # six processes' imports, under coverage
@pytest.mark.usefixtures("demo")
def test_a_run_prints_one_object_with_every_figure_and_the_machine() -> None:
    result = CliRunner().invoke(bench_group, ["gateway", "--seconds", "0.05", "--json"])
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    assert printed.keys() >= FIGURES
    assert all(isinstance(printed[name], float) for name in FIGURES)
    assert min(printed[name] for name in FIGURES if name.endswith("_rps")) > 0
    assert printed["signed_ratio"] == pytest.approx(
        printed["signed_rps"] / printed["echo_rps"], abs=0.01
    )
    assert printed["machine"]["python"] == machine_facts()["python"]
    assert set(printed["missed"]) <= set(GOALS)


@pytest.mark.parametrize(
    ("changed", "missed"),
    [
        ({}, []),
        ({"chat_ratio": 0.59}, ["chat_ratio"]),
        ({"signed_ratio": 0.2, "added_p50_ms": 2.1}, ["signed_ratio", "added_p50_ms"]),
        ({"added_p50_ms": -0.5}, []),
    ],
)
def test_a_figure_on_the_wrong_side_of_its_goal_is_missed(
    changed: dict[str, float], missed: list[str]
) -> None:
    assert missed_goals({**GOOD, **changed}) == missed


def test_people_see_figures_with_their_goals(capsys: pytest.CaptureFixture[str]) -> None:
    show(Output(), {**GOOD, "chat_ratio": 0.1}, {"cores": 2})
    shown = capsys.readouterr().out
    assert all(name in shown for name in FIGURES)
    assert "≥ 0.6" in shown
    assert "cores 2" in shown


@pytest.mark.usefixtures("demo")
def test_a_run_that_cannot_be_made_ends_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "nowhere")
    monkeypatch.setenv("PYTHONHOME", "nowhere")  # no child can start
    result = CliRunner().invoke(bench_group, ["gateway", "--seconds", "0.05"])
    assert result.exit_code == 1
    assert "the server provider did not start" in result.output


def test_only_benchmarks_that_are_here_are_listed() -> None:
    group = LazyGroup({"gateway": "gateway.cli.bench.gateway", "other": "gateway.no_such"})
    assert CliRunner().invoke(group, ["other"]).exit_code == 2
    assert "gateway" in CliRunner().invoke(group, ["--help"]).output


async def test_a_child_ends_with_its_context(tmp_path: Path) -> None:
    async with child("echo", tmp_path) as made:
        port = made.port
        assert (await drive(port, [_post(b'"hello"')] * 3, at_once=2, mark=b"hello")).answered == 3
    with pytest.raises(OSError, match=r"[Cc]onnect"):
        await connect(port)


async def test_a_child_that_does_not_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="FileNotFoundError"):
        async with child("gateway", tmp_path / "none", "http://127.0.0.1:1/v1"):
            pass


async def test_a_child_that_neither_starts_nor_ends_is_killed() -> None:
    command = (sys.executable, "-c", "import time; time.sleep(60)")
    with pytest.raises(BenchError, match="sleeper did not start: it said nothing"):
        async with started("sleeper", *command, start_s=0.2, end_s=0.1):
            pass


async def test_no_session_no_load() -> None:
    async with receiver(answer(503)) as served:
        with pytest.raises(BenchError, match="opened no session"):
            await callers(served.port, 1)


Wrong = tuple[bytes, str]
WRONG: dict[str, Wrong] = {
    "another status": (answer(500, body=b"right"), "not the one to measure"),
    "another body": (answer(200, body=b"wrong"), "not the one to measure"),
    "no length": (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "has no length"),
}


async def _driven(port: int, answer_s: float = 20) -> None:
    await drive(port, [GET] * 4, at_once=2, mark=b"right", answer_s=answer_s)


async def _timed(port: int, answer_s: float = 20) -> None:
    await timed(await connect(port), GET, b"right", answer_s=answer_s)


@pytest.mark.parametrize("send", [_driven, _timed])
@pytest.mark.parametrize(("said", "why"), WRONG.values(), ids=WRONG)
async def test_a_wrong_answer_stops_the_run(
    send: Callable[[int], Awaitable[None]], said: bytes, why: str
) -> None:
    async with receiver(said) as served:
        with pytest.raises(BenchError, match=why):
            await send(served.port)


@pytest.mark.parametrize("send", [_driven, _timed])
async def test_a_connection_that_is_cut_stops_the_run(
    send: Callable[[int], Awaitable[None]],
) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        with pytest.raises(BenchError, match="closed a connection"):
            await send(server.sockets[0].getsockname()[1])


@pytest.mark.parametrize("send", [_driven, _timed])
async def test_a_server_that_hangs_stops_the_run(
    send: Callable[[int, float], Awaitable[None]],
) -> None:
    async with receiver(NEVER) as served:
        with pytest.raises(BenchError, match="stopped answering"):
            await send(served.port, 0.05)


async def test_an_answer_in_pieces_is_given_whole() -> None:
    connection, given = Connection(), list[bytes]()
    connection.answered = given.append
    whole = answer(200, body=b"right")
    for place in range(len(whole)):
        connection.data_received(whole[place : place + 1])
    connection.close()
    assert given == [whole]


def _post(body: bytes) -> bytes:
    return b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body) + body
