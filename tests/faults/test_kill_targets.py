"""kill -9 of the whole gateway while incidents are opened and closed: none stays open for nothing.

`fanlight run` is killed at random moments and started again over the same files, while visitors ask
and an operator answers. In the end exactly the escalations that nobody has answered are open
incidents, at an account on this machine that keeps them as PagerDuty documents.
`FANLIGHT_KILL_ROUNDS` and `FANLIGHT_SEED` choose how often and when.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from gateway.cli.bench.crowd import Crowd, operators_list
from gateway.cli.bench.mortal import SITE, TOKEN, Mortal
from gateway.escalation.outbox import LEASE_S
from tests.gateway.vendors.pagerduty import KEY, Account, account

VISITORS = 4
LOOK_S = 0.05
WAIT_S = 2 * LEASE_S + 20
"""What was under way is free when its lease ends; what follows it may have been under way too."""

PAGER = "FANLIGHT_TARGET_PAGER_TOKEN"
TARGET = '\n[[targets]]\nname = "pager"\nkind = "pagerduty"\nurl = "http://127.0.0.1:{port}"\n'


class Paging(Mortal):
    """The gateway with one PagerDuty service and no webhook."""

    def __post_init__(self) -> None:
        super().__post_init__()
        path = self.folder / "fanlight.toml"
        before, _, after = path.read_text(encoding="utf-8").partition("[[targets]]")
        limits = after[after.index("[limits]") :] + "login_tries_per_minute = 1000\n"
        target = TARGET.format(port=self.hook_port)
        text = before.replace('["desk"]', '["pager"]') + target + limits
        path.write_text(text, encoding="utf-8")


@dataclass
class Operator:
    """Answers what visitors were told is on its way, and notes what the gateway said was stored."""

    crowd: Crowd
    client: httpx.AsyncClient
    answered: set[str] = field(default_factory=set)

    def answered_more(self, than: int) -> bool:
        """Whether it has answered more than so many."""
        return len(self.answered) > than

    async def work(self) -> None:
        """Reply to some and resolve others, until everyone leaves."""
        while not self.crowd.leaving:
            waiting = sorted(self.crowd.told.keys() - self.answered)
            if not waiting:
                await asyncio.sleep(LOOK_S)
                continue
            with suppress(httpx.TransportError, httpx.HTTPStatusError, KeyError):
                await self._answer(self.crowd.chance.choice(waiting))
            await asyncio.sleep(LOOK_S)

    async def _answer(self, name: str) -> None:
        port = self.crowd.gateway.port
        base, host = f"http://127.0.0.1:{port}", f"console.localhost:{port}"
        headers = {"host": host, "origin": f"http://{host}"}
        session = f"{base}/v1/operator/session"
        opened = await self.client.post(session, json={"token": TOKEN}, headers=headers)
        headers["cookie"] = opened.raise_for_status().headers["set-cookie"].partition(";")[0]
        who = await self.client.get(session, headers=headers)
        headers["x-csrf-token"] = who.raise_for_status().json()["csrf"]
        path, body = f"{base}/v1/escalations/{name}", {"content": "Tomorrow.", "resolve": False}
        if self.crowd.chance.random() < 0.5:
            said = await self.client.post(f"{path}/replies", json=body, headers=headers)
        else:
            item = (await self.client.get(path, headers=headers)).raise_for_status().json()
            seen = {"seen": 1 + len(item["added"])}
            said = await self.client.post(f"{path}/resolve", json=seen, headers=headers)
        said.raise_for_status()
        self.answered.add(name)


async def until(look: Callable[[], bool], within_s: float) -> None:
    """Wait until `look` is true, or the time is over."""
    for _ in range(int(within_s / LOOK_S)):
        if look():
            return
        await asyncio.sleep(LOOK_S)


async def check_incidents(crowd: Crowd, pager: Account, client: httpx.AsyncClient) -> int:
    """What is open at the account is what nobody has answered; how many incidents there were."""
    listed = await operators_list(crowd.gateway, client)
    open_ = {
        f"esc:{SITE}:{name}"
        for name, item in listed.items()
        if item["status"] != "resolved" and not item["replies"]
    }
    seen = {event["dedup_key"] for event in pager.events}
    await until(lambda: pager.open == open_, WAIT_S)
    assert pager.open == open_
    return len(seen)


@pytest.mark.timeout(1800)
async def test_no_incident_is_left_open_and_none_is_missing(tmp_path: Path, long: bool) -> None:
    rounds = int(os.environ.get("FANLIGHT_KILL_ROUNDS") or (40 if long else 3))
    seed = int(os.environ.get("FANLIGHT_SEED") or random.randrange(10**9))
    print(f"FANLIGHT_SEED={seed} FANLIGHT_KILL_ROUNDS={rounds}")  # noqa: T201 - to run a failure again
    with account() as pager:
        async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
            gateway = Paging(tmp_path, urlsplit(pager.url).port or 0, {PAGER: KEY})
            crowd = Crowd(gateway, client, random.Random(seed))
            operator = Operator(crowd, client)
            try:
                await gateway.start()
                async with asyncio.TaskGroup() as people:
                    for _ in range(VISITORS):
                        people.create_task(crowd.visit())
                    people.create_task(operator.work())
                    for _ in range(rounds):
                        before = len(operator.answered)
                        await until(partial(operator.answered_more, before), WAIT_S)
                        await asyncio.sleep(crowd.chance.uniform(0, 1.0))
                        await gateway.kill()
                        await gateway.start()
                    crowd.leaving = True
                incidents = await check_incidents(crowd, pager, client)
            finally:
                await gateway.stop()
    assert len(operator.answered) >= rounds
    assert incidents > 0
