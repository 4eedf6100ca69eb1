"""Whatever the gateway depends on fails in every way: visitors are answered, and it recovers.

The gateway is `fanlight run`; a network that fails stands before its model and its webhook. The
goals: an answer, a fallback or a typed problem within five seconds, and service again within ten.
`make test` allows twice that, since it shares its machine.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio

from core.escalation import escalation_id
from core.scope import anonymous
from gateway.adapters.visitor import Visitor
from gateway.cli.bench.hook import Hook, hook
from gateway.cli.bench.mortal import SECRET, SITE, Mortal
from gateway.cli.bench.provider import REPLY, create_provider
from tests.faults.proxy import FAULTS, FaultProxy, Mode, before, printed_seed
from tests.gateway.serving import served

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNKNOWN = "which gauge of wire suits a garden lamp outdoors in winter"
ANSWER_S, RECOVERY_S = 5.0, 10.0
LOOK_S = 0.1


@dataclass
class House:
    """A gateway whose dependencies can be made to fail; `patience` stretches the goals."""

    gateway: Mortal
    model: FaultProxy
    target: FaultProxy
    webhook: Hook
    patience: float

    async def ask(self) -> tuple[str, dict[str, Any]]:
        """A new visitor asks what only the model may know: the escalation's id, and the turn."""
        limit = ANSWER_S * self.patience
        async with httpx.AsyncClient(trust_env=False, timeout=limit) as client:
            visitor = Visitor(client, self.gateway.url, SITE)
            await visitor.open_session()
            async with asyncio.timeout(limit):
                response = await visitor.ask(UNKNOWN)
            turn: dict[str, Any] = response.raise_for_status().json()
            return escalation_id(anonymous(SITE, visitor.keyid), turn["id"]), turn

    async def recovered(self) -> None:
        """Wait until the model answers again; raises `TimeoutError`."""
        async with asyncio.timeout(RECOVERY_S * self.patience):
            while (await self.ask())[1]["source"] != "cloud":  # noqa: ASYNC110 - it asks again
                await asyncio.sleep(LOOK_S)

    async def taken(self, escalation: str) -> None:
        """Wait until the webhook has it; raises `TimeoutError`."""
        async with asyncio.timeout(RECOVERY_S * self.patience):
            while escalation not in self.webhook.taken:  # noqa: ASYNC110 - another loop's server
                await asyncio.sleep(LOOK_S)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory, long: bool) -> AsyncIterator[House]:
    seed = printed_seed()
    with served(create_provider()) as provider:
        port = urlsplit(provider).port or 0
        async with (
            hook(SECRET, random.Random(seed)) as webhook,
            before(port, seed) as model,
            before(webhook.port, seed) as target,
        ):
            environ = {
                "FANLIGHT_LLM_URL": f"http://127.0.0.1:{model.port}/v1",
                "FANLIGHT_LLM_MODEL": "bench",
            }
            folder = tmp_path_factory.mktemp("house")
            gateway = Mortal(folder, target.port, environ, (model.port,))
            try:
                await gateway.start()
                yield House(gateway, model, target, webhook, 1.0 if long else 2.0)
            finally:
                await gateway.stop()


async def test_all_is_well(house: House) -> None:
    _, turn = await house.ask()
    assert (turn["source"], turn["reply"], turn["escalate"]) == ("cloud", REPLY, False)


@pytest.mark.parametrize("mode", FAULTS)
async def test_a_model_that_fails_costs_no_visitor_an_answer(house: House, mode: Mode) -> None:
    await house.model.set(mode)
    escalation, turn = await house.ask()
    if mode != "slow" or turn["escalate"]:
        # The panel shows its fallback, and a person is told.
        assert (turn["escalate"], turn["source"], turn["reply"]) == (True, "kb", "")
        await house.taken(escalation)
    await house.model.set("pass")
    await house.recovered()


@pytest.mark.parametrize("mode", FAULTS)
async def test_a_webhook_that_fails_costs_no_visitor_an_answer(house: House, mode: Mode) -> None:
    await house.model.set("down")
    await house.target.set(mode)
    _, turn = await house.ask()
    assert turn["escalate"]
    await house.target.set("pass")
    later, _ = await house.ask()
    await house.taken(later)
    await house.model.set("pass")
    await house.recovered()
