"""kill -9 of the whole gateway while visitors ask: what a visitor was told, a person gets.

`fanlight run` is killed at random moments and started again over the same files. Every escalation
that a visitor was told of is then on the operator's list and has reached the webhook, at least
once and always under one id. `FANLIGHT_KILL_ROUNDS` and `FANLIGHT_SEED` choose how often and when.
"""

import asyncio
import os
import random
from collections import defaultdict
from pathlib import Path

import httpx
import pytest

from gateway.escalation.outbox import LEASE_S
from tests.faults.mortal import FALLBACK, Crowd, Mortal, delivered, operators_list, until
from tests.gateway.adapters.http_receiver import Receiver, receiver

VISITORS = 6
WAIT_S = LEASE_S + 20
"""What the killed process had under way is free again when its lease ends."""


async def one_life(crowd: Crowd, chance: random.Random) -> None:
    """Kill the gateway some time after it has acknowledged something more."""
    before = len(crowd.told)
    await until(lambda: len(crowd.told) > before, WAIT_S)
    assert len(crowd.told) > before
    await asyncio.sleep(chance.uniform(0, 1.0))
    assert await crowd.gateway.kill() == -9


async def check_list(crowd: Crowd, client: httpx.AsyncClient) -> None:
    """Everything that was acknowledged up to now is on the operator's list, as it was told."""
    told = {name: (one.question, one.contact) for name, one in crowd.told.items()}
    listed = await operators_list(crowd.gateway, client)
    assert [name for name in told if name not in listed] == []
    for name, (question, contact) in told.items():
        item = listed[name]
        assert item["question"] == question
        if contact is not None:
            assert (item["contact"], item["fallback_text"]) == (contact, FALLBACK)


async def check_webhook(crowd: Crowd, webhook: Receiver) -> None:
    """Everything acknowledged reaches the webhook, and each escalation under one id."""
    await until(lambda: not missing(crowd, webhook), WAIT_S)
    assert missing(crowd, webhook) == set()
    ids = defaultdict(set)
    for request in webhook.received:
        ids[delivered(request.body)].add(request.headers["webhook-id"])
    assert all(found == {f"msg_{name}"} for name, found in ids.items())


def missing(crowd: Crowd, webhook: Receiver) -> set[str]:
    """What was acknowledged and not yet delivered."""
    return set(crowd.told) - {delivered(request.body) for request in webhook.received}


@pytest.mark.timeout(1800)
async def test_what_a_visitor_was_told_survives_the_gateways_death(
    tmp_path: Path, long: bool
) -> None:
    rounds = int(os.environ.get("FANLIGHT_KILL_ROUNDS") or (40 if long else 4))
    seed = int(os.environ.get("FANLIGHT_SEED") or random.randrange(10**9))
    print(f"FANLIGHT_SEED={seed} FANLIGHT_KILL_ROUNDS={rounds}")  # noqa: T201 - to run a failure again
    chance = random.Random(seed)
    async with receiver() as webhook, httpx.AsyncClient(trust_env=False, timeout=20) as client:
        gateway = Mortal(tmp_path, webhook.port)
        crowd = Crowd(gateway, client, chance)
        try:
            await gateway.start()
            async with asyncio.TaskGroup() as visitors:
                for _ in range(VISITORS):
                    visitors.create_task(crowd.visit())
                for _ in range(rounds):
                    await one_life(crowd, chance)
                    await gateway.start()
                    await check_list(crowd, client)
                crowd.leaving = True
            await check_webhook(crowd, webhook)
            await check_list(crowd, client)
        finally:
            await gateway.stop()
    assert len(crowd.told) > VISITORS
