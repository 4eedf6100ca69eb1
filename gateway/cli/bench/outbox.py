"""`fanlight bench outbox`: is an acknowledged escalation ever lost, however often the gateway dies?

Visitors escalate over HTTP while `fanlight run` is killed with SIGKILL at random moments and
started again over the same files. Decides how many escalations lie between two deaths, and what
counts as lost: an escalation that a visitor was told of, and that is not on the operators' list as
it was told, or that the webhook has not got when nothing more comes.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import click
import httpx

from gateway.cli.bench.crowd import FALLBACK, Crowd, operators_list
from gateway.cli.bench.figures import figures_table
from gateway.cli.bench.hook import Hook, hook
from gateway.cli.bench.load import BenchError
from gateway.cli.bench.mortal import SECRET, Mortal
from gateway.cli.output import Output, Report, json_option
from gateway.escalation.outbox import LEASE_S

GOALS: Final = {"lost": 0, "altered": 0, "duplicate_ids": 0, "forged": 0}
_MEANINGS: Final = {
    "acknowledged": "escalations that a visitor was told of",
    "delivered": "of them, those that the webhook has taken",
    "lost": "of them, those that no operator sees or that the webhook never got",
    "altered": "on the operators' list otherwise than they were told",
    "duplicate_ids": "escalations that came under more than one webhook-id",
    "raw_duplicates": "messages that came again under their id, as at-least-once means",
    "forged": "messages whose signature does not hold",
}
_LAST_S: Final = LEASE_S + 40
"""Without a delivery for so long, none is to come: what a killed process had under way is free
again when its lease ends; then what failed is tried again."""
_STALLED_S: Final = 60.0
_LOOK_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Plan:
    """How often the gateway dies, after how many escalations in all; how many visitors, which
    chances."""

    kills: int
    escalations: int
    visitors: int
    seed: int


class Power(Protocol):
    """What keeps of a gateway's files only what reached the disk."""

    @property
    def environ(self) -> Mapping[str, str]:
        """What the gateway is started with."""

    def fail(self) -> None:
        """The gateway is dead: put its files back to what the disk has."""


@click.command("outbox")
@click.option("--kills", type=click.IntRange(0, 10_000), default=10, show_default=True)
@click.option(
    "--escalations",
    type=click.IntRange(1, 1_000_000),
    default=500,
    show_default=True,
    help="Acknowledged in all, the deaths evenly among them.",
)
@click.option("--visitors", type=click.IntRange(1, 200), default=8, show_default=True)
@click.option("--seed", type=int, help="Of the moments and the webhook's failures.")
@json_option
def outbox(kills: int, escalations: int, visitors: int, seed: int | None, as_json: bool) -> None:
    """Kill the gateway while visitors escalate, and count what is lost."""
    output = Output(as_json)
    chosen = random.SystemRandom().randrange(10**9) if seed is None else seed
    plan = Plan(kills, escalations, visitors, chosen)
    began = time.monotonic()
    with output.progress("escalating") as report:
        try:
            with tempfile.TemporaryDirectory(prefix="fanlight-bench-") as name:
                figures = asyncio.run(measure(plan, Path(name), report))
        except (BenchError, OSError, httpx.HTTPError) as error:
            said = str(error) or type(error).__name__
            raise click.ClickException(f"{said} (seed {chosen})") from error
    missed = [name for name, goal in GOALS.items() if figures[name] > goal]
    run = {"kills": kills, "seed": chosen, "seconds": round(time.monotonic() - began, 1)}
    output.result({**figures, "goals": GOALS, "missed": missed, "run": run})
    output.show(
        figures_table(figures, GOALS, _MEANINGS),
        "",
        ", ".join(f"{name} {value}" for name, value in run.items()),
    )


async def measure(
    plan: Plan, folder: Path, report: Report, power: Power | None = None
) -> dict[str, int]:
    """The figures of one run in an empty folder; raises `BenchError` and `httpx.HTTPError`.

    With `power` the machine's power goes with each death, and not the process alone.
    """
    chance = random.Random(plan.seed)  # noqa: S311 - repeatable, nothing secret
    async with (
        hook(SECRET, random.Random(chance.random())) as webhook,  # noqa: S311
        httpx.AsyncClient(trust_env=False, timeout=20) as client,
    ):
        gateway = Mortal(folder, webhook.port, dict(power.environ if power else {}))
        crowd = Crowd(gateway, client, chance)
        try:
            await gateway.start()
            await _live_and_die(crowd, plan, power, report)
            report("waiting for the last deliveries", 0.95)
            await drained(crowd.told.keys(), webhook.taken, _LAST_S)
            return _figures(crowd, webhook, await operators_list(gateway, client))
        finally:
            await gateway.stop()


async def _live_and_die(crowd: Crowd, plan: Plan, power: Power | None, report: Report) -> None:
    visits = [asyncio.create_task(crowd.visit()) for _ in range(plan.visitors)]
    try:
        for number in range(plan.kills + 1):
            report(f"life {number + 1} of {plan.kills + 1}", 0.95 * number / (plan.kills + 1))
            goal = plan.escalations * (number + 1) // (plan.kills + 1)
            await _grow(crowd, goal, visits)
            if number < plan.kills:
                await asyncio.sleep(crowd.chance.uniform(0, 0.2))
                await crowd.gateway.kill()
                if power is not None:
                    power.fail()
                await crowd.gateway.start()
    finally:
        crowd.leaving = True
        _, late = await asyncio.wait(visits, timeout=_STALLED_S)
        for visit in late:
            visit.cancel()
    for visit in visits:
        visit.result()


async def _grow(crowd: Crowd, goal: int, visits: list[asyncio.Task[None]]) -> None:
    """Wait until so many are acknowledged; raises `BenchError` when it does not go on."""
    loop = asyncio.get_running_loop()
    known, since = len(crowd.told), loop.time()
    while len(crowd.told) < goal:
        await asyncio.sleep(_LOOK_S)
        for visit in visits:
            if visit.done():
                visit.result()
        if len(crowd.told) > known:
            known, since = len(crowd.told), loop.time()
        elif loop.time() - since > _STALLED_S:
            raise BenchError(f"nothing was acknowledged for {_STALLED_S:g} s")


async def drained(told: AbstractSet[str], taken: AbstractSet[str], idle_s: float) -> None:
    """Wait until all that was told is taken, or nothing more was for `idle_s` seconds.

    A gateway that is killed all the time falls behind, the further the more often: no fixed time
    would do for every plan.
    """
    loop = asyncio.get_running_loop()
    left, since = len(told - taken), loop.time()
    while left and loop.time() - since < idle_s:
        await asyncio.sleep(_LOOK_S)
        now_left = len(told - taken)
        if now_left < left:
            left, since = now_left, loop.time()


def _figures(
    crowd: Crowd, webhook: Hook, listed: Mapping[str, Mapping[str, Any]]
) -> dict[str, int]:
    told = crowd.told
    altered = 0
    for name, one in told.items():
        item = listed.get(name)
        if item is not None:
            contact = one.contact is None or (item["contact"], item["fallback_text"]) == (
                one.contact,
                FALLBACK,
            )
            altered += item["question"] != one.question or not contact
    return {
        "acknowledged": len(told),
        "delivered": len(told.keys() & webhook.taken),
        "lost": len([name for name in told if name not in listed or name not in webhook.taken]),
        "altered": altered,
        "duplicate_ids": sum(len(ids) > 1 for ids in webhook.read.values()),
        "raw_duplicates": sum(sum(ids.values()) - len(ids) for ids in webhook.read.values()),
        "forged": webhook.forged,
    }
