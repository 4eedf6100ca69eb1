import base64
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from core.messages import Consent, MemoryTurn
from core.truth import LeasedDelivery
from gateway.adapters.outbound import Outbound
from gateway.adapters.standard_webhooks import (
    StandardWebhooksTarget,
    retry_after_s,
    signature,
    signing_key,
)
from gateway.settings import Secret, TargetSettings
from tests.gateway.adapters.http_receiver import NEVER, answer, receiver
from tests.gateway.escalation.samples import an_added_turn, an_escalation

KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
NOW = 1_790_000_000.0


def target(url: str, outbound: Outbound) -> StandardWebhooksTarget:
    return StandardWebhooksTarget(TargetSettings("ops", "webhook", url, Secret(SECRET)), outbound)


async def deliver(*answers: bytes, timeout_s: float = 10.0) -> tuple[bool, str, int | None, bool]:
    """What one try comes to at a server that says this."""
    async with receiver(*answers) as server:
        outbound = Outbound([f"127.0.0.1:{server.port}"], timeout_s=timeout_s)
        outcome = await target(f"http://127.0.0.1:{server.port}/", outbound).deliver(
            an_escalation(), NOW
        )
        await outbound.close()
    return outcome.delivered, outcome.outcome, outcome.status, outcome.disable


async def test_the_standardwebhooks_library_accepts_what_is_sent() -> None:
    escalation = an_escalation(question="¿Dónde está? איפה? 😀")
    async with receiver() as server:
        outbound = Outbound([f"127.0.0.1:{server.port}"])
        hook = target(f"http://127.0.0.1:{server.port}/hook", outbound)
        first = await hook.deliver(escalation, time.time())
        second = await hook.deliver(escalation, time.time())
        await outbound.close()
    assert first.delivered
    assert second.delivered
    assert (hook.name, hook.kind) == ("ops", "webhook")
    for request in server.received:
        document = Webhook(SECRET).verify(request.body, request.headers)
        assert document["type"] == "escalation.created"
        assert document["data"]["gateway"] == "site_demo"
        assert document["data"]["question"] == escalation.question
        assert request.headers["webhook-id"] == f"msg_{escalation.id}"
        assert request.headers["content-type"] == "application/json"


async def test_a_later_turn_has_a_message_id_of_its_own() -> None:
    turn = an_added_turn()
    escalation = replace(an_escalation(), added=(turn,))
    async with receiver() as server:
        outbound = Outbound([f"127.0.0.1:{server.port}"])
        hook = target(f"http://127.0.0.1:{server.port}/hook", outbound)
        for about in (turn.id, "e_gone"):
            told = LeasedDelivery(1, "ops", "webhook", escalation, 0, "added", about)
            assert (await hook.follow(told, time.time())).delivered
        await outbound.close()
    [request] = server.received
    document = Webhook(SECRET).verify(request.body, request.headers)
    assert document["type"] == "escalation.turn_added"
    assert document["data"]["escalation_id"] == escalation.id
    assert request.headers["webhook-id"] == f"msg_{turn.id}"


@pytest.mark.parametrize("part", ["webhook-id", "webhook-timestamp", "webhook-signature", "body"])
async def test_the_library_refuses_what_was_altered_on_the_way(part: str) -> None:
    async with receiver() as server:
        outbound = Outbound([f"127.0.0.1:{server.port}"])
        hook = target(f"http://127.0.0.1:{server.port}/", outbound)
        await hook.deliver(an_escalation(), time.time())
        await outbound.close()
    request = server.received[0]
    altered = {
        "webhook-id": "msg_other",
        "webhook-timestamp": str(int(request.headers["webhook-timestamp"]) - 1),
        "webhook-signature": "v1," + base64.b64encode(bytes(32)).decode(),
    }
    headers = {**request.headers, **({part: altered[part]} if part in altered else {})}
    body = request.body if part in altered else request.body.replace(b"parcel", b"Parcel")
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body, headers)


@given(key=st.binary(min_size=24, max_size=64), text=st.text(), seconds=st.integers(0, 2**33))
def test_the_signature_is_the_librarys(key: bytes, text: str, seconds: int) -> None:
    theirs = Webhook(key).sign("msg_e", datetime.fromtimestamp(seconds, UTC), text)
    assert signature(key, "msg_e", seconds, text.encode()) == theirs


async def test_a_contact_has_a_message_id_of_its_own_and_another_one_another() -> None:
    consent = Consent("Write to me.", "2026-11-21T09:07:00.000Z")
    async with receiver() as server:
        outbound = Outbound([f"127.0.0.1:{server.port}"])
        hook = target(f"http://127.0.0.1:{server.port}/hook", outbound)
        for contact in ("a@example.com", "a@example.com", "b@example.com", None):
            escalation = replace(an_escalation(), contact=contact, contact_consent=consent)
            told = LeasedDelivery(1, "ops", "webhook", escalation, 0, "contact", escalation.id)
            assert (await hook.follow(told, time.time())).delivered
        await outbound.close()
    first, again, other = server.received
    document = Webhook(SECRET).verify(first.body, first.headers)
    assert (document["type"], document["data"]["contact"]) == (
        "escalation.contact_left",
        "a@example.com",
    )
    ids = [request.headers["webhook-id"] for request in (first, again, other)]
    assert ids[0] == ids[1] != ids[2]
    assert ids[0].startswith(f"msg_{an_escalation().id}_")


async def test_a_long_escalation_is_sent_shortened() -> None:
    tail = tuple(MemoryTurn("user", "x" * 8_000) for _ in range(6))
    async with receiver() as server:
        outbound = Outbound([f"127.0.0.1:{server.port}"])
        hook = target(f"http://127.0.0.1:{server.port}/", outbound)
        await hook.deliver(replace(an_escalation(), tail=tail), NOW)
        await outbound.close()
    assert len(server.received[0].body) < 20_000


ENDLESS = b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nbegun"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (answer(200), (True, "delivered", 200, False)),
        (answer(204), (True, "delivered", 204, False)),
        (ENDLESS, (True, "delivered", 200, False)),
        (answer(301, "location: http://127.0.0.1:1/"), (False, "redirected", 301, False)),
        (answer(307, "location: /"), (False, "redirected", 307, False)),
        (answer(400), (False, "rejected", 400, False)),
        (answer(404), (False, "rejected", 404, False)),
        (answer(410), (False, "gone", 410, True)),
        (answer(500), (False, "rejected", 500, False)),
        (b"garbage\r\n\r\n", (False, "unreachable", None, False)),
    ],
)
async def test_what_an_answer_means(
    said: bytes, expected: tuple[bool, str, int | None, bool]
) -> None:
    assert await deliver(said) == expected


async def test_no_answer_in_time_is_a_timeout() -> None:
    assert await deliver(NEVER, timeout_s=0.1) == (False, "timeout", None, False)


@pytest.mark.parametrize(
    ("url", "outcome"),
    [
        ("http://127.0.0.1:1/", "unreachable"),
        ("http://127.0.0.1:2/", "refused_address"),
        ("https://10.0.0.1/", "refused_address"),
        ("https://exa mple/", "unreachable"),
    ],
)
async def test_a_target_that_cannot_be_reached_says_why(url: str, outcome: str) -> None:
    outbound = Outbound(["127.0.0.1:1"])
    got = await target(url, outbound).deliver(an_escalation(), NOW)
    await outbound.close()
    assert (got.delivered, got.outcome, got.status) == (False, outcome, None)
    assert got.detail
    assert SECRET not in got.detail


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Mon, 21 Sep 2026 15:00:00 GMT", 2_800.0),
        ("Mon, 21 Sep 2026 15:00:00 -0000", 2_800.0),
        ("Mon, 21 Sep 2020 12:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("١٢", None),
        ("", None),
        ("Fri, 31 Dec 99999999999999999999 00:00:00 GMT", None),
        ("Fri, 31 Dec 2099 00:00:00 +99999999999999999999", None),
        ("9" * 400, float("inf")),
    ],
)
def test_retry_after_is_read_in_both_its_forms(value: str | None, seconds: float | None) -> None:
    assert retry_after_s(value, NOW) == seconds


@given(
    value=st.text()
    | st.builds("Mon, {} Sep {} {}:00:00 {}".format, *[st.integers(-1, 10**25)] * 3, st.integers())
)
def test_any_retry_after_is_read_or_ignored(value: str) -> None:
    seconds = retry_after_s(value, NOW)
    assert seconds is None or seconds >= 0


async def test_retry_after_reaches_the_schedule() -> None:
    async with receiver(answer(429, "retry-after: 77")) as server:
        outbound = Outbound([f"127.0.0.1:{server.port}"])
        hook = target(f"http://127.0.0.1:{server.port}/", outbound)
        outcome = await hook.deliver(an_escalation(), NOW)
        await outbound.close()
    assert (outcome.outcome, outcome.retry_after_s) == ("rejected", 77.0)


@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        ("", "begins with whsec_"),
        (base64.b64encode(KEY).decode(), "begins with whsec_"),
        ("whsec_###", "base64"),
        ("whsec_" + base64.b64encode(bytes(23)).decode(), "24 to 64 bytes"),
        ("whsec_" + base64.b64encode(bytes(65)).decode(), "24 to 64 bytes"),
    ],
)
def test_a_secret_that_cannot_sign_is_refused(secret: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        signing_key(secret)
