"""The builder's API: sites to choose from, and what comes out of the choices."""

from __future__ import annotations

import pytest

from tests.gateway.routes.console import Console, problem
from tests.gateway.world import GATEWAY, World, world

AT = "/v1/embed/site_demo"


@pytest.fixture
async def console(gateway: World) -> Console:
    made = Console(gateway)
    await made.log_in()
    return made


async def test_sites_are_listed_with_what_is_so_where_nothing_is_chosen(console: Console) -> None:
    response = await console.call("GET", "/v1/embed")
    assert response.headers["cache-control"] == "no-store"
    first, second = response.json()["sites"]
    assert first == {
        "site": "site_demo",
        "name": "Shop",
        "locales": ["en", "es", "he"],
        "default_locale": "en",
        "accent": "#1f5fbf",
        "theme": "auto",
        "origins": ["http://localhost:8001"],
        "preview": f"{GATEWAY}/preview/site_demo",
    }
    assert second["site"] == "site_other"


async def test_what_comes_out_names_bytes_that_the_gateway_serves(console: Console) -> None:
    made = (await console.call("GET", f"{AT}?position=left&theme=dark")).json()
    tag = f'<script src="{GATEWAY}/loader.js" data-site="site_demo" data-position="left" async>'
    assert made["snippet"] == f"{tag}</script>"
    assert made["settings"].endswith('theme = "dark"')
    served = await console.world.client.get(made["src"])
    assert served.status_code == 200
    assert made["integrity"] in made["pinned"]
    assert [guide["name"] for guide in made["guides"]] == [
        *("html", "npm", "react", "wordpress", "shopify", "static", "spa")
    ]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("locale=fr", "locale"),
        ("position=top", "position"),
        ("accent=red", "accent"),
        ("accent=%23aabbcc%22%3E%3Cb%3E", "accent"),
        ("theme=pink", "theme"),
        ("page=http://shop.example", "page"),
        ("colour=red", "colour"),
    ],
)
async def test_a_choice_that_cannot_be_is_refused_by_its_name(
    console: Console, query: str, field: str
) -> None:
    assert problem(await console.call("GET", f"{AT}?{query}")) == (400, "invalid-request", field)


async def test_an_unknown_site_is_not_found(console: Console) -> None:
    assert (await console.call("GET", "/v1/embed/site_none")).status_code == 404


async def test_nobody_but_an_operator_reads_it(gateway: World) -> None:
    stranger = Console(gateway)
    for path in ("/v1/embed", AT):
        assert (await stranger.call("GET", path)).status_code == 401
        assert (await gateway.client.get(GATEWAY + path)).status_code == 404


async def test_without_web_assets_it_says_how_to_build_them() -> None:
    async with world(web={}) as bare:
        console = Console(bare)
        await console.log_in()
        response = await console.call("GET", AT)
        assert response.status_code == 503
        assert "make run" in response.json()["detail"]
