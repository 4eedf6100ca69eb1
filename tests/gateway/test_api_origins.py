"""Whose pages may use a site's API key: exact origins, and only on the API's own paths."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from gateway.configuration import parse_settings
from gateway.settings import Secret, Settings
from tests.gateway.test_completions import ASKED, KEY
from tests.gateway.world import GATEWAY, World, settings, world

PAGE = "https://app.shop.example"
OTHER = "https://other.example"
OTHER_KEY = KEY[::-1]
ALLOW = "access-control-allow-origin"


def chosen() -> Settings:
    """Two sites, each with a key and an origin of its own."""
    made = settings()
    first, second = made.sites
    return replace(
        made,
        sites=(
            replace(first, api_key=Secret(KEY), api_origins=(PAGE,)),
            replace(second, api_key=Secret(OTHER_KEY), api_origins=(OTHER,)),
        ),
    )


async def preflight(
    gateway: World, origin: str, path: str = "/v1/chat/completions"
) -> httpx.Response:
    fields = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,x-stainless-os,x-evil",
    }
    return await gateway.client.options(GATEWAY + path, headers=fields)


async def call(
    gateway: World, origin: str | None, key: str = KEY, **more: object
) -> httpx.Response:
    fields = {"authorization": f"Bearer {key}"} | ({"origin": origin} if origin else {})
    url = f"{GATEWAY}/v1/chat/completions"
    return await gateway.client.post(url, json={**ASKED, **more}, headers=fields)


async def test_a_page_that_is_named_may_call() -> None:
    async with world(chosen=chosen()) as gateway:
        before = await preflight(gateway, PAGE)
        answer = await call(gateway, PAGE)
        streamed = await call(gateway, PAGE, stream=True)
    assert (before.status_code, before.headers[ALLOW], before.headers["vary"]) == (
        204, PAGE, "origin",
    )  # fmt: skip
    told = before.headers["access-control-allow-headers"]
    assert told == "authorization, content-type, accept, x-stainless-os"
    assert "access-control-allow-credentials" not in before.headers
    for each in (answer, streamed):
        assert (each.status_code, each.headers[ALLOW]) == (200, PAGE)


REFUSED = {
    "nobody's": "https://evil.example",
    "a part of one": "https://shop.example",
    "below one": "https://x.app.shop.example",
    "another port": f"{PAGE}:8443",
    "without TLS": "http://app.shop.example",
    "none": "null",
}


@pytest.mark.parametrize("origin", REFUSED.values(), ids=REFUSED)
async def test_any_other_page_may_not(origin: str) -> None:
    async with world(chosen=chosen()) as gateway:
        before, answer = await preflight(gateway, origin), await call(gateway, origin)
    for each in (before, answer):
        assert each.status_code == 403
        assert ALLOW not in each.headers


async def test_a_page_may_not_use_the_key_of_another_site() -> None:
    async with world(chosen=chosen()) as gateway:
        answer = await call(gateway, OTHER)
        fits = await call(gateway, OTHER, OTHER_KEY)
    assert (answer.status_code, answer.json()["type"].rsplit("/")[-1]) == (403, "wrong-origin")
    assert fits.status_code == 200


async def test_a_page_reads_why_it_is_refused() -> None:
    async with world(chosen=chosen()) as gateway:
        wrong_key = await call(gateway, PAGE, "wrong")
        wrong_body = await call(gateway, PAGE, tools=[])
    assert [each.status_code for each in (wrong_key, wrong_body)] == [401, 400]
    assert wrong_key.headers[ALLOW] == wrong_body.headers[ALLOW] == PAGE


@pytest.mark.parametrize("path", ["/v1/chat", "/v1/session", "/v1/feedback", "/v1/escalate"])
async def test_no_other_path_is_opened(path: str) -> None:
    async with world(chosen=chosen()) as gateway:
        before = await preflight(gateway, PAGE, path)
        answer = await gateway.client.post(GATEWAY + path, json={}, headers={"origin": PAGE})
    for each in (before, answer):
        assert each.status_code == 403
        assert ALLOW not in each.headers


async def test_it_is_off_where_no_site_names_an_origin() -> None:
    made = chosen()
    off = replace(made, sites=tuple(replace(site, api_origins=()) for site in made.sites))
    async with world(chosen=off) as gateway:
        before, answer = await preflight(gateway, PAGE), await call(gateway, PAGE)
        server = await call(gateway, None)
    assert [each.status_code for each in (before, answer, server)] == [403, 403, 200]
    assert "vary" not in server.headers


def read(**site: object) -> tuple[Settings, list[str]]:
    table = {"key": "site_a", "name": "A", "origins": ["https://a.example"], "kb": ["kb"], **site}
    document = {"gateway": {"public_url": "https://chat.example"}, "sites": [table]}
    environ = {"FANLIGHT_OPERATOR_TOKEN": KEY}
    if not site.get("without_key"):
        environ["FANLIGHT_SITE_SITE_A_API_KEY"] = KEY
    table.pop("without_key", None)
    found, flaws = parse_settings(document, environ, Path("/srv"), tools=("desk.look",))
    return found, [f"{flaw.key}: {flaw.detail}" for flaw in flaws]


FLAWS: dict[str, tuple[dict[str, object], str]] = {
    "no key": ({"api_origins": [PAGE], "without_key": True}, "sites[site_a].api_origins: The site"),
    "every origin": ({"api_origins": ["*"]}, "sites[site_a].api_origins: "),
    "a path": ({"api_origins": [f"{PAGE}/x"]}, "sites[site_a].api_origins: "),
    "no such tool": ({"tools": ["kb.serch"]}, "sites[site_a].tools: There is no tool 'kb.serch'."),
}


@pytest.mark.parametrize(("site", "flaw"), FLAWS.values(), ids=FLAWS)
def test_what_is_wrong_in_the_settings_is_told(site: dict[str, object], flaw: str) -> None:
    _, flaws = read(**site)
    assert len(flaws) == 1
    assert flaws[0].startswith(flaw)


def test_the_settings_of_a_site_are_read() -> None:
    found, flaws = read(api_origins=[PAGE], tools=["kb.search", "desk.look", "kb.search"])
    assert flaws == []
    assert (found.sites[0].api_origins, found.sites[0].tools) == (
        (PAGE,),
        ("kb.search", "desk.look"),
    )
