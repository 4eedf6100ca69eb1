"""The measurement: interleaved rounds of four servers, then paired calls one at a time.

Rounds go A B C D, A B C D, so that whatever else the machine does falls on all alike; figures are
medians of rounds, and ratios are ratios of those. What is timed is sending ready bytes and reading
answers; signing happens before.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

from gateway.cli.bench import visitors
from gateway.cli.bench.load import Round, connect, drive, timed
from gateway.cli.bench.processes import child
from gateway.cli.bench.servers import SIGNED_PATH

AT_ONCE = 32
ROUNDS = 5
PAIRS_A_SECOND = 120
MOST_A_ROUND = 8_000
_PROBE = 4 * AT_ONCE
_RECEIPT = re.compile(rb"\r\nx-integrity: ([^\r]+)\r\n")

type Report = Callable[[str, float], None]
type Requests = Callable[[int], Awaitable[list[bytes]]]


@dataclass(frozen=True, slots=True)
class Contender:
    """A server under load: how its requests are made, and the mark of a right answer."""

    port: int
    requests: Requests
    mark: bytes

    async def round(self, count: int) -> Round:
        """Make that many requests, then send them."""
        requests = await self.requests(count)
        return await drive(self.port, requests, at_once=AT_ONCE, mark=self.mark)


async def measure(folder: Path, seconds: float, report: Report) -> dict[str, float]:
    """All figures, with `seconds` of load for each; raises `BenchError`."""
    async with AsyncExitStack() as stack:
        report("starting the servers", 0.0)
        ports = await _start(stack, folder)
        # A gateway refuses what was signed before it knew what had been used: its first second.
        await asyncio.sleep(1.1)
        signers = await visitors.callers(ports["signed"], AT_ONCE)
        askers = await visitors.callers(ports["gateway"], AT_ONCE)
        contenders = _contenders(ports, signers, askers)
        rates = await _throughput(contenders, seconds, report)
        added = await _latency(ports, askers[0], round(seconds * PAIRS_A_SECOND), report)
    return _figures(rates, added)


async def _start(stack: AsyncExitStack, folder: Path) -> dict[str, int]:
    provider = await stack.enter_async_context(child("provider", folder))
    url = f"http://127.0.0.1:{provider.port}/v1"
    roles = ("echo", "signed", "bare", "gateway")
    made = [await stack.enter_async_context(child(role, folder, url)) for role in roles]
    return dict(zip(roles, (each.port for each in made), strict=True))


def _contenders(
    ports: Mapping[str, int], signers: list[visitors.Caller], askers: list[visitors.Caller]
) -> dict[str, Contender]:
    async def echoed(count: int) -> list[bytes]:
        # The very requests that `signed` gets: what differs is that nobody checks them.
        made = await visitors.all_signed("/echo", ports["echo"], signers, AT_ONCE)
        return [made[number % len(made)] for number in range(count)]

    async def nothing(count: int) -> list[bytes]:
        return await visitors.all_signed(SIGNED_PATH, ports["signed"], signers, count)

    async def bare(count: int) -> list[bytes]:
        bodies = [visitors.body_of(asker) for asker in askers]
        made = [visitors.plain("/chat", ports["bare"], body) for body in bodies]
        return [made[number % len(made)] for number in range(count)]

    async def chat(count: int) -> list[bytes]:
        return await visitors.all_signed("/v1/chat", ports["gateway"], askers, count)

    return {
        "echo": Contender(ports["echo"], echoed, b'"turn_id"'),
        "signed": Contender(ports["signed"], nothing, b'"turn_id"'),
        "bare_chat": Contender(ports["bare"], bare, b'{"reply":"For a garden'),
        "chat": Contender(ports["gateway"], chat, CHAT_MARK),
    }


CHAT_MARK = b'"escalate": false, "reasons": [], "source": "cloud"'
"""The model was asked, and its reply was good enough not to call a person."""


async def _throughput(
    contenders: Mapping[str, Contender], seconds: float, report: Report
) -> dict[str, list[float]]:
    counts = {}
    for name, contender in contenders.items():
        report(f"warming up {name}", 0.05)
        await contender.round(_PROBE)
        rate = (await contender.round(_PROBE)).rate
        counts[name] = max(_PROBE, min(MOST_A_ROUND, round(rate * seconds / ROUNDS)))
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(ROUNDS):
        for name, contender in contenders.items():
            report(f"round {number + 1} of {ROUNDS}, {name}", 0.1 + 0.7 * number / ROUNDS)
            rates[name].append((await contender.round(counts[name])).rate)
    return rates


async def _latency(
    ports: Mapping[str, int], caller: visitors.Caller, pairs: int, report: Report
) -> list[float]:
    """How many seconds more a chat took than its bare twin, one call at a time."""
    report("one at a time", 0.8)
    chat, bare = await asyncio.gather(connect(ports["gateway"]), connect(ports["bare"]))
    plain = visitors.plain("/chat", ports["bare"], visitors.body_of(caller))
    added = []
    try:
        for _ in range(max(pairs, 20)):
            request = await visitors.signed("/v1/chat", ports["gateway"], caller)
            took, response = await timed(chat, request, CHAT_MARK)
            bare_took, _ = await timed(bare, plain, b'"reply"')
            added.append(took - bare_took)
            receipt = _RECEIPT.search(response)
            caller.visitor.receipt = receipt.group(1).decode() if receipt else None
    finally:
        chat.close()
        bare.close()
    return added[len(added) // 10 :]


def _figures(rates: Mapping[str, list[float]], added: list[float]) -> dict[str, float]:
    middle = {name: median(found) for name, found in rates.items()}
    return {
        "echo_rps": round(middle["echo"], 1),
        "signed_rps": round(middle["signed"], 1),
        "signed_ratio": round(middle["signed"] / middle["echo"], 3),
        "bare_chat_rps": round(middle["bare_chat"], 1),
        "chat_rps": round(middle["chat"], 1),
        "chat_ratio": round(middle["chat"] / middle["bare_chat"], 3),
        "added_p50_ms": round(1000 * median(added), 3),
        "added_p99_ms": round(1000 * quantiles(added, n=100)[98], 3),
    }
