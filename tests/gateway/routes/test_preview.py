"""The builder's preview: who may frame it, and that it is the real loader over the real panel."""

from __future__ import annotations

import pytest

from tests.gateway.test_documents import configuration
from tests.gateway.world import CONSOLE, GATEWAY, WEB, World, world

PAGE, PANEL = "/preview/site_demo", "/preview/dark/panel/site_demo"


async def policy_of(gateway: World, address: str) -> dict[str, str]:
    response = await gateway.client.get(address)
    assert response.status_code == 200
    policy = response.headers["content-security-policy"]
    return dict(part.strip().split(" ", 1) for part in policy.split(";"))


@pytest.mark.parametrize(("path", "ancestors"), [(PAGE, CONSOLE), (PANEL, f"'self' {CONSOLE}")])
async def test_only_the_console_may_frame_the_preview(
    gateway: World, path: str, ancestors: str
) -> None:
    policy = await policy_of(gateway, GATEWAY + path)
    assert policy["frame-ancestors"] == ancestors
    assert policy["default-src"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"


async def test_the_console_frames_the_visitors_origin_and_runs_nothing_of_it(
    gateway: World,
) -> None:
    policy = await policy_of(gateway, CONSOLE + "/")
    assert policy["frame-src"] == GATEWAY
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"


async def test_the_visitors_panel_is_framed_as_before(gateway: World) -> None:
    policy = await policy_of(gateway, GATEWAY + "/panel/site_demo")
    assert policy["frame-ancestors"] == "http://localhost:8001"
    assert "frame-src" not in policy
    assert "preview" not in await configuration(gateway)


async def test_the_preview_knows_the_site_and_who_may_say_what_to_show(gateway: World) -> None:
    assert await configuration(gateway, PAGE) == {
        "site_key": "site_demo",
        "console": CONSOLE,
        "locale": "en",
        "theme": "auto",
    }


async def test_its_panel_is_the_sites_in_the_chosen_theme_and_keeps_nothing(gateway: World) -> None:
    usual, shown = await configuration(gateway), await configuration(gateway, PANEL)
    own = {"preview": True, "theme": "dark", "host_origins": [GATEWAY]}
    assert shown == {**usual, **own}


async def test_its_loader_is_todays_over_the_previews_panel(gateway: World) -> None:
    response = await gateway.client.get(f"{GATEWAY}/preview/light/loader.js")
    assert response.text == f"const gateway='{GATEWAY}/preview/light'"
    assert response.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/preview/site_none",
        "/preview/pink/loader.js",
        "/preview/pink/panel/site_demo",
        "/preview/dark/panel/site_none",
    ],
)
async def test_what_is_not_there_is_not_found(gateway: World, path: str) -> None:
    assert (await gateway.client.get(GATEWAY + path)).status_code == 404


async def test_the_preview_does_not_exist_on_the_consoles_origin(gateway: World) -> None:
    for path in (PAGE, PANEL, "/preview/dark/loader.js"):
        assert (await gateway.client.get(CONSOLE + path)).status_code == 404


@pytest.mark.parametrize(
    ("gone", "path"), [("preview.html", PAGE), ("loader.js", "/preview/dark/loader.js")]
)
async def test_without_web_assets_it_says_how_to_build_them(gone: str, path: str) -> None:
    async with world(web={name: file for name, file in WEB.items() if name != gone}) as bare:
        response = await bare.client.get(GATEWAY + path)
        assert response.status_code == 503
        assert "make run" in response.json()["detail"]
