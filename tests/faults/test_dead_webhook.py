"""A webhook that is dead, slow or unwilling: tried again, and the operator sees it."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from gateway.adapters.outbound import Outbound
from gateway.adapters.standard_webhooks import StandardWebhooksTarget
from gateway.bell import OUTBOX
from gateway.settings import Secret, TargetSettings
from tests.gateway.adapters.http_receiver import NEVER, OK, Receiver, answer, receiver
from tests.gateway.escalation.samples import commit
from tests.gateway.routes.console import Console
from tests.gateway.world import World, world

SECRET = Secret("whsec_" + base64.b64encode(bytes(range(32))).decode())
ATTEMPTS = 10


@dataclass
class Night:
    """A gateway with one webhook, an operator, and an escalation that should wake somebody."""

    gateway: World
    console: Console
    escalation: str

    async def attempt(self, number: int) -> None:
        """Go on to attempt `number` (the first is 1) and wait until the operator can see it."""
        due = await self.gateway.truth.next_due()
        assert due is not None
        self.gateway.time.now = max(self.gateway.time.now, due)
        await self.console.log_in()  # a night is longer than an operator's session
        self.gateway.services.bell.ring(OUTBOX)
        await self.console.until(self.escalation, lambda item: len(attempts(item)) == number)


def attempts(item: dict[str, object]) -> list[dict[str, object]]:
    """The attempts at the only target."""
    deliveries = item["deliveries"]
    assert isinstance(deliveries, list)
    (delivery,) = deliveries
    found = delivery["attempts"]
    assert isinstance(found, list)
    return found


@asynccontextmanager
async def night(port: int, timeout_s: float = 10.0) -> AsyncIterator[Night]:
    outbound = Outbound([f"127.0.0.1:{port}"], timeout_s=timeout_s)
    chosen = TargetSettings("ops", "webhook", f"http://127.0.0.1:{port}/hook", SECRET)
    try:
        async with world(targets={"ops": StandardWebhooksTarget(chosen, outbound)}) as gateway:
            console = Console(gateway)
            await console.log_in()
            yield Night(gateway, console, await commit(gateway.truth))
    finally:
        await outbound.close()


@pytest.mark.parametrize(
    ("said", "outcome", "status"),
    [
        pytest.param(NEVER, "timeout", None, id="slow"),
        pytest.param(b"\r\n\r\n", "unreachable", None, id="garbage"),
        pytest.param(answer(302, "location: /"), "redirected", 302, id="redirecting"),
        pytest.param(answer(401), "rejected", 401, id="refusing"),
        pytest.param(answer(500), "rejected", 500, id="failing"),
    ],
)
async def test_a_webhook_that_never_takes_it_is_tried_ten_times_and_shown(
    said: bytes, outcome: str, status: int | None
) -> None:
    timeout_s = 0.05 if said == NEVER else 10.0
    async with receiver(said) as server, night(server.port, timeout_s) as dark:
        for number in range(1, ATTEMPTS + 1):
            await dark.attempt(number)
        item = await dark.console.one(dark.escalation)
        assert await dark.console.listed("?status=open") == [dark.escalation]
    assert item["status"] == "failed"
    (delivery,) = item["deliveries"]
    assert (delivery["state"], delivery["next_at"]) == ("failed", None)
    seen = [(each["outcome"], each["status"], bool(each["detail"])) for each in attempts(item)]
    assert seen == [(outcome, status, True)] * ATTEMPTS
    assert len({request.headers["webhook-id"] for request in server.received}) == 1


async def test_a_dead_webhook_is_shown_with_its_next_attempt(free_port: int) -> None:
    async with night(free_port) as dark:
        await dark.attempt(1)
        item = await dark.console.one(dark.escalation)
    (delivery,) = item["deliveries"]
    assert (item["status"], delivery["state"]) == ("queued", "pending")
    assert delivery["next_at"] > attempts(item)[0]["at"]
    assert attempts(item)[0]["outcome"] == "unreachable"


async def test_a_webhook_that_recovers_gets_the_same_message() -> None:
    async with receiver(answer(503), answer(503), OK) as server, night(server.port) as dark:
        for number in (1, 2, 3):
            await dark.attempt(number)
        item = await dark.console.one(dark.escalation)
    assert item["status"] == "delivered"
    assert [each["outcome"] for each in attempts(item)] == ["rejected", "rejected", "delivered"]
    first, second, third = server.received
    assert first.body == second.body == third.body
    assert first.headers["webhook-id"] == third.headers["webhook-id"] == f"msg_{dark.escalation}"
    assert first.headers["webhook-timestamp"] != third.headers["webhook-timestamp"]


async def test_retry_after_puts_the_next_attempt_off() -> None:
    busy = answer(429, "retry-after: 600")
    async with receiver(busy) as server, night(server.port) as dark:
        await dark.attempt(1)
        due = await dark.gateway.truth.next_due()
        assert due == dark.gateway.time.now + 600


async def test_a_webhook_that_is_gone_is_disabled_until_an_operator_sends_again() -> None:
    async with receiver(answer(410), OK) as server, night(server.port) as dark:
        await dark.attempt(1)
        gone = await dark.console.one(dark.escalation)
        assert gone["deliveries"][0]["state"] == "disabled"
        assert await dark.gateway.truth.next_due() is None
        await resend(dark, server)
        again = await dark.console.one(dark.escalation)
    assert again["status"] == "delivered"


async def resend(dark: Night, server: Receiver) -> None:
    path = f"/v1/escalations/{dark.escalation}/resend"
    assert (await dark.console.call("POST", path)).status_code == 202
    await dark.console.until(dark.escalation, lambda item: len(attempts(item)) == 2)
    assert len(server.received) == 2
