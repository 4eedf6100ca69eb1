"""`fanlight bench overload`: three times more visitors than the gateway can serve.

Decides how load comes: on a clock of its own, whether or not anything is answered (an open loop),
as visitors do. First the peak is measured with as many calls under way as serve it best; then
arrivals come at a multiple of it. What is answered counts, what is refused must say when to come
again, and the gateway's memory is looked at all the while.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Final

import click
import uvloop

from gateway.cli.bench import visitors
from gateway.cli.bench.demo_index import demo_index
from gateway.cli.bench.figures import figures_table
from gateway.cli.bench.load import BenchError, Connection, connect, drive
from gateway.cli.bench.processes import child
from gateway.cli.bench.rounds import AT_ONCE, CHAT_MARK
from gateway.cli.bench.servers import INDEX
from gateway.cli.output import Output, Report, json_option

GOALS: Final = {"goodput_ratio": 0.8, "unexplained": 0, "failed": 0}
_MEANINGS: Final = {
    "peak_rps": "chats a second, as many at once as serve it best",
    "offered_rps": "chats a second that came",
    "goodput_rps": "of them, those that were answered",
    "goodput_ratio": "of peak_rps",
    "answered": "all of them, also those after the last had come",
    "fell_back": "told in time that a person will answer: the model was too slow for it",
    "refused": "answered 429 or 503, with a Retry-After",
    "unexplained": "refused without one, or with another status",
    "failed": "no answer at all",
    "answered_p95_s": "what an answer took that came",
    "memory_growth": "the gateway's memory at its most, over that at the peak",
}
MOST_CONNECTIONS: Final = 3_000
LAST_S: Final = 60.0
_PEAK: Final = 0.4
_SESSIONS: Final = 96
_STATUS: Final = slice(9, 12)
_REFUSED: Final = (b"429", b"503")
_RETRY: Final = re.compile(rb"\r\nretry-after: \d+\r\n", re.IGNORECASE)
_NO_MODEL: Final = b'"model_unavailable"'
_LOOK_S: Final = 0.1
_PAGE: Final = 4_096


@click.command("overload")
@click.option(
    "--seconds", type=click.FloatRange(0.2, 30), default=8.0, show_default=True, help="Of overload."
)
@click.option(
    "--factor", type=click.FloatRange(1, 20), default=3.0, show_default=True, help="Of the peak."
)
@json_option
def overload(seconds: float, factor: float, as_json: bool) -> None:
    """Send more than the gateway can serve, and see what becomes of it."""
    output = Output(as_json)
    with output.progress("measuring") as report:
        try:
            with tempfile.TemporaryDirectory(prefix="fanlight-bench-") as name:
                folder = Path(name)
                (folder / INDEX).write_bytes(demo_index(folder / "data"))
                with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                    figures = runner.run(measure(folder, seconds, factor, report))
        except (BenchError, OSError, TimeoutError) as error:
            raise click.ClickException(str(error) or "a server stopped answering") from error
    missed = [name for name, goal in GOALS.items() if _misses(name, figures[name], goal)]
    output.result({**figures, "goals": GOALS, "missed": missed})
    output.show(figures_table(figures, GOALS, _MEANINGS))


def _misses(name: str, value: float, goal: float) -> bool:
    return value < goal if name.endswith("_ratio") else value > goal


async def measure(folder: Path, seconds: float, factor: float, report: Report) -> dict[str, float]:
    """All figures; raises `BenchError`."""
    async with AsyncExitStack() as stack:
        report("starting the servers", 0.0)
        provider = await stack.enter_async_context(child("provider", folder))
        url = f"http://127.0.0.1:{provider.port}/v1"
        gateway = await stack.enter_async_context(child("crowded", folder, url))
        port = gateway.port
        # A gateway refuses what was signed before it knew what had been used: its first second.
        await asyncio.sleep(1.1)
        callers = await visitors.callers(port, _SESSIONS)
        report("measuring the peak", 0.1)
        peak = await _peak(port, callers, seconds * _PEAK)
        memory = Memory(gateway.pid)
        report("signing", 0.3)
        count = max(1, round(peak * factor * seconds))
        requests = await visitors.all_signed("/v1/chat", port, callers, count)
        report("overloading", 0.6)
        arrivals = Arrivals(port, requests, peak * factor)
        watching = asyncio.create_task(memory.watch())
        await arrivals.come()
        watching.cancel()
    return _figures(arrivals, peak, memory)


async def _peak(port: int, callers: Sequence[visitors.Caller], seconds: float) -> float:
    async def some(count: int) -> float:
        requests = await visitors.all_signed("/v1/chat", port, callers, count)
        return (await drive(port, requests, at_once=AT_ONCE, mark=CHAT_MARK)).rate

    await some(4 * AT_ONCE)
    rate = await some(4 * AT_ONCE)
    return max([await some(max(4 * AT_ONCE, round(rate * seconds))) for _ in range(2)])


@dataclass
class Arrivals:
    """Requests that come at a rate, whatever becomes of those before; and what did become."""

    port: int
    requests: Sequence[bytes]
    rate: float
    answered: list[tuple[float, float]] = field(default_factory=list)
    fell_back: int = 0
    refused: int = 0
    unexplained: int = 0
    failed: int = 0
    _idle: list[Connection] = field(default_factory=list)
    _open: int = 0
    _under_way: int = 0
    _connecting: set[asyncio.Task[None]] = field(default_factory=set)
    _began: float = 0.0

    @property
    def seconds(self) -> float:
        """How long they came."""
        return len(self.requests) / self.rate

    async def come(self) -> None:
        """Send all, each at its time, and wait for the answers."""
        loop = asyncio.get_running_loop()
        self._began = loop.time()
        for number, request in enumerate(self.requests):
            # Late ones are sent at once, and answers are read between them.
            await asyncio.sleep(max(0.0, self._began + number / self.rate - loop.time()))
            self._under_way += 1
            if self._idle:
                self._start(self._idle.pop(), request)
            elif self._open < MOST_CONNECTIONS:
                self._open += 1
                task = asyncio.create_task(self._connect(request))
                self._connecting.add(task)
                task.add_done_callback(self._connecting.discard)
            else:
                self._lost()
        for _ in range(int(LAST_S / _LOOK_S)):
            if not self._under_way:
                break
            await asyncio.sleep(_LOOK_S)
        self.failed += self._under_way
        for connection in self._idle:
            connection.close()

    def goodput(self) -> float:
        """Answers a second while they came."""
        return sum(at <= self.seconds for at, _ in self.answered) / self.seconds

    async def _connect(self, request: bytes) -> None:
        try:
            connection = await connect(self.port)
        except OSError:
            self._open -= 1
            self._lost()
        else:
            self._start(connection, request)

    def _start(self, connection: Connection, request: bytes) -> None:
        loop = asyncio.get_running_loop()
        sent = loop.time()

        def answered(response: bytes) -> None:
            now = loop.time()
            self._under_way -= 1
            if response.startswith(b"HTTP/1.1 200 ") and CHAT_MARK in response:
                self.answered.append((now - self._began, now - sent))
            elif response.startswith(b"HTTP/1.1 200 ") and _NO_MODEL in response:
                self.fell_back += 1
            elif response[_STATUS] in _REFUSED and _RETRY.search(response):
                self.refused += 1
            else:
                self.unexplained += 1
            self._idle.append(connection)

        def failed(_: BenchError) -> None:
            if connection in self._idle:
                self._idle.remove(connection)
            else:
                self._lost()
            self._open -= 1

        connection.answered, connection.failed = answered, failed
        connection.send(request)

    def _lost(self) -> None:
        self._under_way -= 1
        self.failed += 1


class Memory:
    """A process's resident memory in bytes, at its most."""

    def __init__(self, pid: int) -> None:
        self._path = Path(f"/proc/{pid}/statm")
        self.before = self.most = self.now()

    async def watch(self) -> None:
        """Look until cancelled."""
        while True:
            self.most = max(self.most, self.now())
            await asyncio.sleep(_LOOK_S)

    def now(self) -> int:
        """As it is at this moment; 1 where the system does not tell."""
        try:
            return int(self._path.read_text(encoding="ascii").split()[1]) * _PAGE
        except OSError:
            return 1  # not every system tells; then it does not grow


def _figures(arrivals: Arrivals, peak: float, memory: Memory) -> dict[str, float]:
    took = [seconds for _, seconds in arrivals.answered]
    goodput = arrivals.goodput()
    return {
        "peak_rps": round(peak, 1),
        "offered_rps": round(arrivals.rate, 1),
        "goodput_rps": round(goodput, 1),
        "goodput_ratio": round(goodput / peak, 3),
        "answered": len(arrivals.answered),
        "fell_back": arrivals.fell_back,
        "refused": arrivals.refused,
        "unexplained": arrivals.unexplained,
        "failed": arrivals.failed,
        "answered_p95_s": round(quantiles(took, n=20)[18], 3) if len(took) > 1 else 0.0,
        "memory_growth": round(memory.most / memory.before, 3),
    }
