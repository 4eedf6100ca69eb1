"""Slack, PagerDuty and a webhook fail in every way: the visitor is told at once, nothing is lost.

The gateway is `fanlight run`; a network that fails stands before each target. The goals: an
answer, a fallback or a typed problem within five seconds, and delivery within ten of a fault's end
as far as the schedule has a try then. It has one at once and one 5 s later, give or take half a
second, so a fault that ends within four seconds of the first is seen here to recover by itself; the
third comes after five minutes, and until then an operator's "send again" does it. `make test`
allows twice the goals, since it shares its machine.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio

from gateway.adapters.visitor import Visitor
from gateway.cli.bench.crowd import operators_list
from gateway.cli.bench.hook import Hook, hook
from gateway.cli.bench.mortal import SECRET, SITE, TOKEN, Mortal
from tests.faults.proxy import FAULTS, FaultProxy, Mode, before, printed_seed
from tests.gateway.vendors import pagerduty, slack

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNKNOWN = "which gauge of wire suits a garden lamp outdoors in winter"
ANSWER_S, RECOVERY_S = 5.0, 10.0
LOOK_S = 0.3
SECRETS = {
    "FANLIGHT_TARGET_TEAM_TOKEN": slack.BOT_TOKEN,
    "FANLIGHT_TARGET_TEAM_SECRET": slack.SIGNING_SECRET,
    "FANLIGHT_TARGET_PAGER_TOKEN": pagerduty.KEY,
}
TARGETS = """
[[targets]]
name = "team"
kind = "slack"
channel = "{channel}"
url = "http://127.0.0.1:{team}/api"

[[targets]]
name = "pager"
kind = "pagerduty"
url = "http://127.0.0.1:{pager}"

[limits]
login_tries_per_minute = 1000
"""


@dataclass
class Calling(Mortal):
    """The gateway with a target of each kind; the webhook is Mortal's own."""

    def settings(self, team: int, pager: int) -> None:
        """Add the other two."""
        path = self.folder / "fanlight.toml"
        text = path.read_text(encoding="utf-8").replace('["desk"]', '["desk", "team", "pager"]')
        made = TARGETS.format(channel=slack.CHANNEL, team=team, pager=pager)
        path.write_text(text.replace("\n[limits]\n", made), encoding="utf-8")


@dataclass
class Wards:
    """A gateway, its three targets, and the network before each of them."""

    gateway: Calling
    client: httpx.AsyncClient
    networks: Mapping[str, FaultProxy]
    webhook: Hook
    workspace: slack.Workspace
    account: pagerduty.Account
    patience: float

    async def fail(self, mode: Mode, *names: str) -> None:
        """The networks before these targets fail in this way, or no longer; all, without names."""
        for name in names or self.networks:
            await self.networks[name].set(mode)

    async def ask(self) -> str:
        """A new visitor asks what nobody knows, and is told so in time; the escalation's id."""
        visitor = Visitor(self.client, self.gateway.url, SITE)
        async with asyncio.timeout(ANSWER_S * self.patience):
            await visitor.open_session()
            response = await visitor.ask(UNKNOWN)
        turn: dict[str, Any] = response.raise_for_status().json()
        assert (turn["escalate"], turn["reply"]) == (True, "")
        [known] = [
            name for name, item in (await self.listed()).items() if item["turn_id"] == turn["id"]
        ]
        return known

    async def listed(self) -> dict[str, dict[str, Any]]:
        """What an operator sees."""
        return await operators_list(self.gateway, self.client)

    async def deliveries(self, name: str) -> dict[str, dict[str, Any]]:
        """What an operator sees of each target."""
        return {one["target"]: one for one in (await self.listed())[name]["deliveries"]}

    async def tried(self, name: str, before: Mapping[str, int]) -> None:
        """Wait until each target was tried, or a try is under way."""
        async with asyncio.timeout(RECOVERY_S * self.patience):
            while True:
                deliveries = await self.deliveries(name)
                if all(
                    one["attempts"] or self.networks[target].heard > before[target]
                    for target, one in deliveries.items()
                ):
                    return
                await asyncio.sleep(LOOK_S)

    async def failed_twice(self, name: str) -> None:
        """Wait until the schedule's next try at each target is minutes away."""
        async with asyncio.timeout(3 * RECOVERY_S * self.patience):
            while True:
                deliveries = (await self.deliveries(name)).values()
                if all(len(one["attempts"]) >= 2 for one in deliveries):
                    return
                await asyncio.sleep(LOOK_S)

    async def delivered(self, name: str, *targets: str) -> float:
        """Wait until those targets took it; after how many seconds. Raises `TimeoutError`."""
        began = time.monotonic()
        async with asyncio.timeout(RECOVERY_S * self.patience):
            while True:
                deliveries = await self.deliveries(name)
                wanted = targets or tuple(deliveries)
                if all(deliveries[target]["state"] == "delivered" for target in wanted):
                    return time.monotonic() - began
                await asyncio.sleep(LOOK_S)

    def heard(self) -> dict[str, int]:
        """How much each network has heard of the gateway."""
        return {name: network.heard for name, network in self.networks.items()}

    def took(self, name: str) -> dict[str, int]:
        """How often each target took it: once at least, and of an incident there is but one."""
        incident = f"esc:{SITE}:{name}"
        return {
            "desk": sum(self.webhook.read[name].values()),
            "team": sum(name in str(message) for message in self.workspace.posted),
            "pager": len(
                {one["dedup_key"] for one in self.account.events if one["dedup_key"] == incident}
            ),
        }

    async def resend(self, name: str) -> None:
        """An operator has it sent again."""
        base = f"http://127.0.0.1:{self.gateway.port}"
        host = f"console.localhost:{self.gateway.port}"
        headers = {"host": host, "origin": f"http://{host}"}
        session = f"{base}/v1/operator/session"
        opened = await self.client.post(session, json={"token": TOKEN}, headers=headers)
        headers["cookie"] = opened.raise_for_status().headers["set-cookie"].partition(";")[0]
        who = await self.client.get(session, headers=headers)
        headers["x-csrf-token"] = who.json()["csrf"]
        path = f"{base}/v1/escalations/{name}/resend"
        (await self.client.post(path, headers=headers)).raise_for_status()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wards(tmp_path_factory: pytest.TempPathFactory, long: bool) -> AsyncIterator[Wards]:
    seed = printed_seed()
    folder = tmp_path_factory.mktemp("wards")
    with slack.workspace() as workspace, pagerduty.account() as account:
        async with AsyncExitStack() as opened:
            webhook = await opened.enter_async_context(hook(SECRET, random.Random(seed)))
            ports = {
                "desk": webhook.port,
                "team": urlsplit(workspace.url).port or 0,
                "pager": urlsplit(account.url).port or 0,
            }
            networks = {
                name: await opened.enter_async_context(before(port, seed))
                for name, port in ports.items()
            }
            team, pager = networks["team"].port, networks["pager"].port
            gateway = Calling(folder, networks["desk"].port, dict(SECRETS), (team, pager))
            gateway.settings(team, pager)
            limits = httpx.AsyncClient(trust_env=False, timeout=30)
            client = await opened.enter_async_context(limits)
            opened.push_async_callback(gateway.stop)
            await gateway.start()
            patience = 1.0 if long else 2.0
            yield Wards(gateway, client, networks, webhook, workspace, account, patience)


@pytest.mark.parametrize("mode", FAULTS)
async def test_what_failed_is_delivered_soon_after_the_fault_ends(wards: Wards, mode: Mode) -> None:
    await wards.fail(mode)
    before = wards.heard()
    name = await wards.ask()
    await wards.tried(name, before)
    await wards.fail("pass")
    await wards.delivered(name)
    took = wards.took(name)
    assert min(took.values()) >= 1, took
    assert took["pager"] == 1


@pytest.mark.parametrize("target", ["desk", "team", "pager"])
async def test_a_target_that_hangs_holds_up_neither_visitors_nor_the_other_targets(
    wards: Wards, target: str
) -> None:
    await wards.fail("stall", target)
    names = [await wards.ask() for _ in range(3)]
    others = [name for name in wards.networks if name != target]
    for name in names:
        await wards.delivered(name, *others)
        assert (await wards.deliveries(name))[target]["state"] == "pending"
    await wards.fail("pass")
    for name in names:
        await wards.delivered(name)
        assert min(wards.took(name).values()) >= 1


async def test_after_a_longer_outage_it_waits_by_the_schedule_and_goes_out_when_sent_again(
    wards: Wards,
) -> None:
    await wards.fail("down")
    name = await wards.ask()
    await wards.failed_twice(name)
    await wards.fail("pass")
    waiting = await wards.deliveries(name)
    for one in waiting.values():
        assert one["state"] == "pending"
        assert one["next_at"] > one["attempts"][-1]["at"]
        assert [tried["outcome"] for tried in one["attempts"]] == ["unreachable"] * 2
    later = await wards.ask()
    await wards.delivered(later)
    assert {one["state"] for one in (await wards.deliveries(name)).values()} == {"pending"}
    await wards.resend(name)
    await wards.delivered(name)
    assert min(wards.took(name).values()) >= 1
