"""The PagerDuty target against an account that answers as PagerDuty documents."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import JSONResponse, PlainTextResponse, Response

from core.messages import MemoryTurn
from core.ports import Outcome
from core.truth import LeasedDelivery
from gateway.adapters.outbound import Outbound
from gateway.adapters.pagerduty import PagerDutyTarget
from gateway.escalation import pagerduty_event
from gateway.escalation.severity import SEVERITIES, parse_rule
from gateway.settings import Secret, TargetSettings
from tests.gateway.escalation.samples import an_added_turn, an_escalation
from tests.gateway.vendors.pagerduty import BODY_LIMIT, EVENT, KEY, Account, account, invalid

NOW = 1_790_000_000.0
CONSOLE = "https://console.example"


@asynccontextmanager
async def target(url: str, key: str = KEY, listed: str = "") -> AsyncIterator[PagerDutyTarget]:
    outbound = Outbound([listed or urlsplit(url).netloc], timeout_s=5)
    settings = TargetSettings("pager", "pagerduty", url, Secret(""), token=Secret(key))
    try:
        yield PagerDutyTarget(
            settings,
            outbound,
            site_names={"site_demo": "The Shop"},
            severity={"site_demo": [parse_rule("about parcel = critical")]},
            console_url=CONSOLE,
        )
    finally:
        await outbound.close()


def closing() -> LeasedDelivery:
    return LeasedDelivery(2, "pager", "pagerduty", an_escalation(), 0, "resolve")


async def deliver(*refusals: Response, key: str = KEY) -> tuple[Outcome, Account]:
    with account(*refusals) as pager:
        async with target(pager.url, key) as hook:
            return await hook.deliver(an_escalation(), NOW), pager


async def test_an_escalation_opens_one_incident_and_its_end_closes_it() -> None:
    with account() as pager:
        async with target(pager.url) as hook:
            for _ in range(3):
                assert (await hook.deliver(an_escalation(), NOW)).delivered
            assert (pager.pages, len(pager.open)) == (1, 1)
            assert (await hook.follow(closing(), NOW)).delivered
            assert pager.open == set()
            assert (await hook.follow(closing(), NOW)).delivered
    first, *_, last = pager.events
    assert first["dedup_key"] == last["dedup_key"] == f"esc:site_demo:{an_escalation().id}"
    assert first["payload"]["severity"] == "critical"
    assert first["payload"]["summary"] == "The Shop: Where is my parcel?"
    assert first["client_url"] == f"{CONSOLE}/#{an_escalation().id}"
    assert "payload" not in last


async def test_what_is_asked_after_an_answer_pages_again_in_its_own_words() -> None:
    asked = an_added_turn()
    case = replace(an_escalation(), added=(asked,))
    again = LeasedDelivery(3, "pager", "pagerduty", case, 0, "added", asked.id)
    with account() as pager:
        async with target(pager.url) as hook:
            assert (await hook.deliver(case, NOW)).delivered
            # Nobody has answered yet: the same incident, and nobody is paged.
            assert (await hook.follow(again, NOW)).delivered
            assert (pager.pages, len(pager.open)) == (1, 1)
            await hook.follow(closing(), NOW)
            assert (await hook.follow(again, NOW)).delivered
            assert (pager.pages, len(pager.open)) == (2, 1)
    event = pager.events[-1]
    assert event["dedup_key"] == f"esc:site_demo:{case.id}"
    assert event["payload"]["summary"] == "The Shop: And my <!here> refund?"
    assert event["payload"]["class"] == "empty"


@pytest.mark.parametrize(
    ("said", "outcome", "status", "give_up", "retry_after_s"),
    [
        (invalid("'severity' is invalid"), "refused", 400, True, None),
        (JSONResponse({}, 429), "rate_limited", 429, False, 60.0),
        (JSONResponse({}, 429, {"retry-after": "7"}), "rate_limited", 429, False, 7.0),
        (PlainTextResponse("", 500), "rejected", 500, False, None),
        (PlainTextResponse("", 503, {"retry-after": "9"}), "rejected", 503, False, 9.0),
        (PlainTextResponse("", 200), "rejected", 200, False, None),
        (PlainTextResponse("", 403), "rejected", 403, False, None),
        (PlainTextResponse("", 301, {"location": "http://e"}), "redirected", 301, False, None),
    ],
)
async def test_what_an_answer_means(
    said: Response, outcome: str, status: int, give_up: bool, retry_after_s: float | None
) -> None:
    got, _ = await deliver(said)
    assert (got.delivered, got.outcome, got.status) == (False, outcome, status)
    assert (got.give_up, got.retry_after_s) == (give_up, retry_after_s)


async def test_a_wrong_key_is_given_up_and_not_repeated_in_words() -> None:
    wrong = "0123456789abcdef0123456789abcdef"
    got, _ = await deliver(key=wrong)
    assert got.give_up
    assert "'routing_key' is unknown" in got.detail
    assert "FANLIGHT_TARGET_PAGER_TOKEN" in got.detail
    said, _ = await deliver(invalid(f"no integration has {wrong}\n\x1b[31m"), key=wrong)
    assert wrong not in said.detail
    assert said.detail.isprintable()


@pytest.mark.parametrize("said", [b"", b"[", b"[]", b'{"errors": "x"}', b'{"errors": []}'])
async def test_a_refusal_without_reasons_is_one_all_the_same(said: bytes) -> None:
    got, _ = await deliver(Response(said, 400))
    assert got.give_up
    assert got.detail.startswith("PagerDuty refused the event. Set ")


async def test_an_account_that_cannot_be_reached_says_why() -> None:
    async with target("http://127.0.0.1:1") as hook:
        assert (await hook.deliver(an_escalation(), NOW)).outcome == "unreachable"
    async with target("https://10.0.0.1", listed="127.0.0.1:1") as hook:
        assert (await hook.deliver(an_escalation(), NOW)).outcome == "refused_address"


ANY_TEXT = st.text(max_size=8_000) | st.text(alphabet='\x00\ud800\n"\\é😀', max_size=4_000)
TAILS = st.lists(
    st.builds(MemoryTurn, st.sampled_from(["user", "assistant"]), ANY_TEXT), max_size=6
)


@given(
    question=ANY_TEXT,
    tail=TAILS,
    contact=st.none() | st.text(max_size=200),
    severity=st.sampled_from(SEVERITIES),
    name=st.text(min_size=1, max_size=60),
)
def test_every_event_fits_pagerdutys_schema_and_size(
    question: str, tail: list[MemoryTurn], contact: str | None, severity: str, name: str
) -> None:
    asked = replace(an_escalation(question, question, tuple(tail)), contact=contact)
    opening = pagerduty_event.trigger(asked, severity, KEY, name, CONSOLE)  # type: ignore[arg-type]
    for event in (opening, pagerduty_event.resolve(asked, KEY)):
        packed = json.dumps(event, ensure_ascii=False).encode("utf-8", "strict")
        assert len(packed) <= BODY_LIMIT
        EVENT.validate(json.loads(packed))


def test_the_largest_event_fits() -> None:
    tail = tuple(MemoryTurn("user", "\x01" * 8_000) for _ in range(6))
    asked = replace(an_escalation("\x01" * 8_000, "\x01" * 8_000, tail), contact="c" * 200)
    event = pagerduty_event.trigger(asked, "info", KEY, "n" * 60, CONSOLE)
    assert len(json.dumps(event, ensure_ascii=False).encode()) <= BODY_LIMIT
    EVENT.validate(event)


def test_the_key_of_the_longest_site_fits() -> None:
    asked = replace(an_escalation(), site="site_" + "a" * 56)
    assert pagerduty_event.dedup_key(asked).endswith(asked.id)
