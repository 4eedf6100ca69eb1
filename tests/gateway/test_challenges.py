"""Challenges: Turnstile over real HTTP and without it, and proofs that get harder under load."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.responses import JSONResponse, PlainTextResponse, Response

from core.turnstile import action
from gateway.adapters.outbound import Outbound
from gateway.adapters.turnstile import SiteVerify
from gateway.adapters.visitor import Visitor
from gateway.app import create_app
from gateway.challenges import OUTAGE_S, harder_by
from gateway.settings import LimitSettings, Secret, Settings, TurnstileSettings
from tests.gateway.serving import free_port
from tests.gateway.test_configuration import ENVIRON, document, flaws_of
from tests.gateway.test_integrity import problem
from tests.gateway.test_sessions import challenge, opened
from tests.gateway.turnstile_double import SECRET, Double, siteverify
from tests.gateway.world import GATEWAY, World, settings, world

LIMITS = LimitSettings(pow_difficulty=2, pow_difficulty_most=8)
TOKEN = "0.token-that-the-widget-gave"


@pytest.fixture(scope="module")
def service() -> Iterator[Double]:
    with siteverify() as double:
        yield double


@pytest.fixture
def double(service: Double) -> Double:
    """The service, as if it had just started."""
    service.tokens.clear()
    service.asked.clear()
    service.used.clear()
    service.broken = None
    return service


def with_widget(secret: str = SECRET) -> Settings:
    """Settings whose site_demo has a Turnstile widget, and whose site_other has none."""
    demo, other = settings().sites
    widget = TurnstileSettings("0x4AAAAAAA-site", Secret(secret))
    return settings(limits=LIMITS, sites=(replace(demo, turnstile=widget), other))


@asynccontextmanager
async def shop(
    url: str, secret: str = SECRET, timeout_s: float = 5, chosen: Settings | None = None
) -> AsyncIterator[World]:
    """A gateway that asks the service at `url`."""
    outbound = Outbound([urlsplit(url).netloc], timeout_s=timeout_s)
    try:
        async with world(chosen=chosen or with_widget(secret)) as made:
            services = replace(made.services, turnstile=SiteVerify(outbound, url))
            transport = httpx.ASGITransport(create_app(services))
            async with httpx.AsyncClient(transport=transport, timeout=20) as client:
                yield World(services, client, made.time)
    finally:
        await outbound.close()


def given(double: Double, visitor: Visitor, token: str = TOKEN, **changes: str) -> str:
    """A token as the widget gives it for this visitor's browser."""
    double.tokens[token] = {
        "hostname": "localhost",
        "action": "site_demo",
        "cdata": visitor.keyid,
        **changes,
    }
    return token


async def test_a_widgets_token_opens_a_session(double: Double) -> None:
    async with shop(double.url) as gateway:
        visitor = gateway.stranger()
        asked = await challenge(visitor)
        assert (asked["kind"], asked["difficulty"]) == ("turnstile", 0)
        assert asked["turnstile"] == {
            "sitekey": "0x4AAAAAAA-site",
            "action": "site_demo",
            "cdata": visitor.keyid,
        }
        response = await answered(visitor, asked, given(double, visitor))
        assert response.status_code == 201
        assert double.asked == [{"secret": SECRET, "response": TOKEN}]


async def answered(visitor: Visitor, asked: dict[str, Any], token: str) -> httpx.Response:
    return await opened(visitor, {**asked, "difficulty": 0}, solution=token)


FORGED: dict[str, dict[str, str]] = {
    "another host": {"hostname": "evil.example"},
    "a host that ends alike": {"hostname": "evil-localhost"},
    "another site": {"action": "site_other"},
    "no site": {"action": ""},
    "another browser": {"cdata": "A" * 43},
}


@pytest.mark.parametrize("name", FORGED)
async def test_a_token_for_something_else_is_refused(double: Double, name: str) -> None:
    async with shop(double.url) as gateway:
        visitor = gateway.stranger()
        token = given(double, visitor, **FORGED[name])
        response = await answered(visitor, await challenge(visitor), token)
        assert problem(response) == "bad-challenge"
        assert "another host, site or key" in response.json()["detail"]


async def test_a_token_is_used_once_even_where_the_service_forgets(double: Double) -> None:
    async with shop(double.url) as gateway:
        visitor = gateway.stranger()
        token = given(double, visitor)
        assert (await answered(visitor, await challenge(visitor), token)).status_code == 201
        double.used.clear()
        again = await answered(visitor, await challenge(visitor), token)
        assert "has been used" in again.json()["detail"]


async def test_a_token_that_the_service_does_not_know_is_refused(double: Double) -> None:
    async with shop(double.url) as gateway:
        visitor = gateway.stranger()
        response = await answered(visitor, await challenge(visitor), "0.a-made-up-token-of-ours")
        assert problem(response) == "bad-challenge"
        assert "invalid-input-response" in response.json()["detail"]
        assert (await challenge(visitor))["kind"] == "turnstile", "that was no outage"


async def test_a_number_does_not_solve_a_widgets_challenge(double: Double) -> None:
    async with shop(double.url) as gateway:
        visitor = gateway.stranger()
        assert problem(await opened(visitor, await challenge(visitor))) == "bad-challenge"


async def test_a_token_does_not_solve_a_proof_of_work(double: Double) -> None:
    async with shop(double.url) as gateway:
        visitor = gateway.stranger("site_other")
        asked = await challenge(visitor)
        assert asked["kind"] == "pow"
        token = given(double, visitor, action="site_other")
        assert problem(await answered(visitor, asked, token)) == "bad-challenge"


OUTAGES: dict[str, Response] = {
    "an error": PlainTextResponse("no", 503),
    "a page": PlainTextResponse("<!doctype html><title>Sorry</title>"),
    "other JSON": JSONResponse(["success"]),
    "no verdict": JSONResponse({"success": "yes"}),
    "an error of theirs": JSONResponse({"success": False, "error-codes": ["internal-error"]}),
    "elsewhere": Response(status_code=302, headers={"location": "https://example.com/"}),
}


@pytest.mark.parametrize("name", OUTAGES)
async def test_an_outage_locks_nobody_out(double: Double, name: str) -> None:
    double.broken = OUTAGES[name]
    async with shop(double.url) as gateway:
        await falls_back(gateway, double)


async def falls_back(gateway: World, double: Double) -> None:
    """The next challenges are proofs of work, and then the widget is asked for again."""
    visitor = gateway.stranger()
    response = await answered(visitor, await challenge(visitor), given(double, visitor))
    assert problem(response) == "bad-challenge"
    assert "proof of work" in response.json()["detail"]
    asked = await challenge(visitor)
    assert (asked["kind"], asked["difficulty"]) == ("pow", 2)
    assert (await opened(visitor, asked)).status_code == 201
    double.broken = None
    gateway.time.now += OUTAGE_S
    assert (await challenge(visitor))["kind"] == "turnstile"


async def test_a_service_that_is_not_there_locks_nobody_out(double: Double) -> None:
    async with shop(f"http://127.0.0.1:{free_port()}/siteverify") as gateway:
        await falls_back(gateway, double)


async def test_a_wrong_secret_locks_nobody_out_and_is_logged(
    double: Double, caplog: pytest.LogCaptureFixture
) -> None:
    async with shop(double.url, secret="another") as gateway:
        await falls_back(gateway, double)
    assert "invalid-input-secret" in caplog.text
    assert "another" not in caplog.text


async def test_a_sites_wrong_secret_is_no_outage_of_another_site(double: Double) -> None:
    demo, other = with_widget("another").sites
    widget = TurnstileSettings("0x4AAAAAAA-other", Secret(SECRET))
    chosen = settings(limits=LIMITS, sites=(demo, replace(other, turnstile=widget)))
    async with shop(double.url, chosen=chosen) as gateway:
        visitor = gateway.stranger()
        await answered(visitor, await challenge(visitor), given(double, visitor))
        assert (await challenge(gateway.stranger("site_demo")))["kind"] == "pow"
        assert (await challenge(gateway.stranger("site_other")))["kind"] == "turnstile"


async def test_a_browser_without_the_widget_gets_the_hardest_proof(double: Double) -> None:
    async with shop(double.url) as gateway:
        visitor = gateway.stranger()
        asked = await challenge(visitor, without="turnstile")
        assert (asked["kind"], asked["difficulty"]) == ("pow", LIMITS.pow_difficulty_most)
        assert (await opened(visitor, asked)).status_code == 201
        plain = gateway.stranger("site_other")
        assert (await challenge(plain, without="turnstile"))["difficulty"] == 2


async def test_without_anything_to_ask_it_with_challenges_are_proofs_of_work() -> None:
    async with world(chosen=with_widget()) as gateway:
        assert (await challenge(gateway.stranger()))["kind"] == "pow"


async def test_only_the_sites_own_panel_lets_the_widget_in(double: Double) -> None:
    async with shop(double.url) as gateway:
        policies = {}
        for site in ("site_demo", "site_other"):
            response = await gateway.client.get(f"{GATEWAY}/panel/{site}")
            policies[site] = response.headers["content-security-policy"]
    script = "script-src 'self' 'wasm-unsafe-eval' https://challenges.cloudflare.com;"
    assert script in policies["site_demo"]
    assert "frame-src https://challenges.cloudflare.com;" in policies["site_demo"]
    assert "cloudflare" not in policies["site_other"]
    assert "frame-src" not in policies["site_other"]


def test_an_action_is_what_turnstile_takes_and_two_sites_have_two() -> None:
    long_ones = [f"site_{'x' * 40}{end}" for end in "ab"]
    actions = [action(key) for key in ("site_shop", *long_ones)]
    assert actions[0] == "site_shop"
    assert len(set(actions)) == 3
    assert all(len(one) <= 32 and one.replace("_", "").isalnum() for one in actions)


@pytest.mark.parametrize(
    ("line", "environ", "key"),
    [
        ({"turnstile_site_key": "0x4"}, {}, "FANLIGHT_TURNSTILE_SITE_SHOP_SECRET"),
        ({}, {"FANLIGHT_TURNSTILE_SITE_SHOP_SECRET": "s"}, "sites[site_shop].turnstile_site_key"),
    ],
)
def test_half_a_widget_is_a_flaw(line: dict[str, str], environ: dict[str, str], key: str) -> None:
    assert [flaw.key for flaw in flaws_of(document(**line), environ)] == [key]
    whole = {**ENVIRON, "FANLIGHT_TURNSTILE_SITE_SHOP_SECRET": "s"}
    assert flaws_of(document(turnstile_site_key="0x4"), whole) == []


# Proofs of work under load.


async def test_the_proof_gets_harder_with_the_sessions_of_an_address_and_falls_again() -> None:
    limits = replace(LIMITS, sessions_per_address_per_minute=16)
    async with world(chosen=settings(limits=limits)) as gateway:
        seen = []
        for _ in range(9):
            visitor = gateway.stranger()
            asked = await challenge(visitor)
            seen.append(asked["difficulty"])
            assert (await opened(visitor, asked)).status_code == 201
        assert seen == [2, 2, 4, 4, 6, 6, 6, 6, 8]
        gateway.time.now += 61
        assert (await challenge(gateway.stranger()))["difficulty"] == 2


async def test_a_busy_site_makes_proofs_harder_and_another_site_does_not() -> None:
    limits = replace(LIMITS, sessions_per_site_per_minute=16, sessions_per_address_per_minute=1_000)
    async with world(chosen=settings(limits=limits)) as gateway:
        for _ in range(4):
            await gateway.visitor()
        assert (await challenge(gateway.stranger()))["difficulty"] == 6
        assert (await challenge(gateway.stranger("site_other")))["difficulty"] == 2


async def test_challenges_that_nobody_solves_make_nothing_harder() -> None:
    async with world(chosen=settings(limits=LIMITS)) as gateway:
        seen = [(await challenge(gateway.stranger()))["difficulty"] for _ in range(20)]
    assert set(seen) == {2}


async def test_a_sites_sessions_have_a_limit_that_unsolved_tries_do_not_touch() -> None:
    limits = replace(LIMITS, sessions_per_site_per_minute=2, pow_difficulty_most=2)
    async with world(chosen=settings(limits=limits)) as gateway:
        for _ in range(5):
            visitor = gateway.stranger()
            asked = await challenge(visitor)
            wrong = {**asked, "challenge": asked["challenge"][:-1]}
            assert problem(await opened(visitor, wrong)) == "bad-challenge"
        for _ in range(2):
            await gateway.visitor()
        visitor = gateway.stranger()
        refused = await opened(visitor, await challenge(visitor))
        assert problem(refused) == "too-many-requests"
        assert '"site";r=0' in refused.headers["ratelimit"]
        await gateway.visitor("site_other")


@pytest.mark.parametrize(
    ("load", "harder"), [(0, 0), (1, 0), (10, 0), (12, 2), (13, 2), (25, 4), (50, 6), (100, 8)]
)
def test_each_doubling_makes_it_harder_by_two_bits(load: int, harder: int) -> None:
    assert harder_by(load, 100) == (harder if load != 12 else 0)


def test_the_wire_knows_both_kinds() -> None:
    from gateway.routes.openapi import document as openapi

    text = json.dumps(openapi(settings()))
    assert '"enum": ["pow", "turnstile"]' in text
