"""Greetings of a site: the settings that are taken, the flaws of others, what browsers get."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gateway.cli.setup import check
from gateway.configuration import Flaw, parse_settings
from gateway.context import WebFile
from gateway.loader import Loaders, make_loader
from gateway.settings import GreetingSettings, SiteSettings
from gateway.snippets import Choices, Snippets, snippets
from tests.gateway.test_integrity import problem
from tests.gateway.world import GATEWAY, WEB, settings, world

ENVIRON = {"FANLIGHT_OPERATOR_TOKEN": "a-token-that-is-long-enough-1"}
SITE = {
    "key": "site_shop",
    "name": "Shop",
    "origins": ["https://shop.example"],
    "kb": ["kb"],
    "locales": ["en", "he"],
}
HELLO = {"name": "hello", "text": {"en": "Hello"}}
GREETING = GreetingSettings("hello", {"en": "</script>Hello"}, ("/a",), 5, 50, "day")


def parsed(*greetings: object) -> tuple[SiteSettings, list[Flaw]]:
    document = {"sites": [{**SITE, "greetings": list(greetings)}]}
    read, flaws = parse_settings(document, ENVIRON, Path("/srv"))
    return read.sites[0], flaws


def test_a_greeting_needs_a_name_and_a_text() -> None:
    site, flaws = parsed(HELLO)
    assert flaws == []
    assert site.greetings == (GreetingSettings("hello", {"en": "Hello"}, (), 10, 0, "week"),)


def test_a_greeting_is_read_as_it_is_written() -> None:
    pages = ["/pricing", "/docs/*", "!/docs/old", "https://shop.example/sale"]
    text = {"en": " Hello ", "he": "שלום"}
    more = {"pages": pages, "after_s": 30, "scroll": 50, "once": "ever"}
    site, flaws = parsed({**HELLO, "text": text, **more})
    assert flaws == []
    (found,) = site.greetings
    assert found.text == {"en": "Hello", "he": "שלום"}
    assert (found.pages, found.after_s, found.scroll, found.once) == (tuple(pages), 30, 50, "ever")


@pytest.mark.parametrize(
    ("change", "key", "remedy"),
    [
        ({"name": "Hello!"}, "[Hello!].name", "Begin with a small letter"),
        ({"name": ""}, "[#1].name", "Set it."),
        ({"text": {}}, "[hello].text", "Set it."),
        ({"text": "Hello"}, "[hello].text", "Write a table of strings."),
        ({"text": {"en": 7}}, "[hello].text", "Write a table of strings."),
        ({"text": {"es": "Hola"}}, "[hello].text.es", "Its languages: en, he."),
        ({"text": {"en": "  "}}, "[hello].text.en", "Write the text, or take the line out."),
        ({"text": {"en": "a" * 161}}, "[hello].text.en", "at most 160 characters"),
        ({"text": {"en": "a\nb"}}, "[hello].text.en", "Use one line"),
        ({"pages": ["pricing"]}, "[hello].pages", 'such as "/pricing"'),
        ({"pages": ["https://other.example/"]}, "[hello].pages", "one of the site's origins"),
        ({"pages": ["/a b"]}, "[hello].pages", "Write a path"),
        ({"pages": ["/a?b"]}, "[hello].pages", "Write a path"),
        ({"pages": ["!/a#b"]}, "[hello].pages", "Write a path"),
        ({"pages": ["/" + "a" * 200]}, "[hello].pages", "Write a path"),
        ({"after_s": 0}, "[hello].after_s", "from 1 to 3,600"),
        ({"scroll": 101}, "[hello].scroll", "from 0 to 100"),
        ({"once": "hourly"}, "[hello].once", "Known: visit, day, week, ever."),
        ({"onec": "day"}, "[hello].onec", "Did you mean once?"),
    ],
)
def test_a_flaw_names_the_greeting_its_key_and_the_remedy(
    change: dict[str, Any], key: str, remedy: str
) -> None:
    _, flaws = parsed({**HELLO, **change})
    assert [flaw.key for flaw in flaws] == [f"sites[site_shop].greetings{key}"]
    assert remedy in flaws[0].remedy


@pytest.mark.parametrize(
    ("greetings", "key"),
    [
        ((HELLO, HELLO), "sites[site_shop].greetings[hello].name"),
        ([{**HELLO, "name": f"n{n}"} for n in range(21)], "sites[site_shop].greetings"),
        (("hello",), "sites[site_shop].greetings"),
    ],
)
def test_greetings_are_tables_of_different_names_and_not_too_many(
    greetings: tuple[object, ...], key: str
) -> None:
    assert [flaw.key for flaw in parsed(*greetings)[1]] == [key]


def test_check_names_the_flaw_of_a_greeting_with_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    config = tmp_path / "fanlight.toml"
    (tmp_path / "kb.md").write_text("## Open?\n\nYes.\n", encoding="utf-8")
    config.write_text(
        '[[sites]]\nkey = "site_shop"\nname = "Shop"\norigins = ["https://shop.example"]\n'
        'kb = ["kb.md"]\n\n[[sites.greetings]]\nname = "hello"\ntext = { fr = "Bonjour" }\n',
        encoding="utf-8",
    )
    result = CliRunner().invoke(check, ["--config", str(config), "--json"])
    assert result.exit_code == 1
    checks = {row["key"]: row for row in json.loads(result.stdout)["checks"]}
    found = checks["sites[site_shop].greetings[hello].text.fr"]
    assert (found["state"], found["remedy"]) == ("failed", "Its languages: en, es, he.")


def greeting_settings(*keys: str) -> Any:
    made = settings()
    sites = (
        replace(site, greetings=(GREETING,)) if site.key in keys else site for site in made.sites
    )
    return replace(made, sites=tuple(sites))


async def test_the_greeters_document_has_the_sites_greetings() -> None:
    async with world(chosen=greeting_settings("site_demo")) as gateway:
        response = await gateway.client.get(GATEWAY + "/greet/site_demo")
        policy = response.headers["content-security-policy"]
        assert "frame-ancestors http://localhost:8001;" in policy
        assert "unsafe-inline" not in policy
        assert response.headers["cache-control"] == "public, max-age=300"
        block = re.search(r'id="fanlight-config">(.*?)</script>', response.text)
        assert block is not None
        config = json.loads(block.group(1))
        assert config["greetings"] == [
            {
                "name": "hello",
                "text": {"en": "</script>Hello"},
                "pages": ["/a"],
                "after_s": 5,
                "scroll": 50,
                "once": "day",
            }
        ]
        assert config["host_origins"] == ["http://localhost:8001"]
        panel = await gateway.client.get(GATEWAY + "/panel/site_demo")
        assert '"greetings": {"hello": {"en": ' in panel.text


async def test_there_is_no_greeter_of_a_site_that_is_not_there() -> None:
    async with world() as gateway:
        assert problem(await gateway.client.get(GATEWAY + "/greet/site_none")) == "unknown-site"
        bare = await gateway.client.get(GATEWAY + "/greet/site_demo")
        assert '"greetings": []' in bare.text


async def test_without_web_assets_there_is_no_greeter() -> None:
    async with world(web={}) as gateway:
        assert problem(await gateway.client.get(GATEWAY + "/greet/site_demo")) == "unavailable"


async def test_the_loader_names_the_sites_that_greet_and_a_pinned_one_does_not() -> None:
    async with world(chosen=greeting_settings("site_demo")) as gateway:
        served = await gateway.client.get(GATEWAY + "/loader.js")
        assert served.text == f"const gateway='{GATEWAY} site_demo'"
        pinned = make_loader(WEB["loader.js"], GATEWAY)
        assert pinned.content == f"const gateway='{GATEWAY}'".encode()
        assert (await gateway.client.get(f"{GATEWAY}/{pinned.name}")).content == pinned.content


@pytest.mark.parametrize(
    ("sites", "written"),
    [
        ([], "https://chat.example"),
        (["site_a", "site_b"], "https://chat.example site_a site_b"),
        ([f"site_{n}" for n in range(9)], "https://chat.example *"),
    ],
)
def test_too_many_sites_that_greet_are_written_as_all(sites: list[str], written: str) -> None:
    web = {"loader.js": WebFile(b"('__FANLIGHT_GATEWAY__')", "text/javascript")}
    loaders = Loaders(web, "https://chat.example", sites)
    assert loaders.served is not None
    assert loaders.current is not None
    assert loaders.served.content == f"('{written}')".encode()
    assert loaders.current.content == b"('https://chat.example')"


async def test_a_site_that_lets_visitors_speak_says_so_to_their_browsers() -> None:
    made = settings()
    voiced = replace(made, sites=(replace(made.sites[0], voice=True), *made.sites[1:]))
    async with world(chosen=voiced) as gateway:
        speaks, silent = (site.key for site in made.sites[:2])
        for path, allowed in (
            (f"/panel/{speaks}", "microphone=(self)"),
            (f"/chat/{speaks}", "microphone=(self)"),
            (f"/panel/{silent}", "microphone=()"),
            (f"/greet/{speaks}", "microphone=()"),
        ):
            response = await gateway.client.get(GATEWAY + path)
            assert allowed in response.headers["permissions-policy"]
        assert '"voice": true' in (await gateway.client.get(f"{GATEWAY}/panel/{speaks}")).text


def test_a_tag_lets_the_panel_use_the_microphone_only_where_the_site_says_so() -> None:
    site, flaws = parsed()
    assert (site.voice, flaws) == (False, [])
    assert "data-voice" not in tags(site).snippet
    assert " data-voice async>" in tags(replace(site, voice=True)).snippet


def test_only_a_pinned_tag_says_that_the_site_greets() -> None:
    site, _ = parsed(HELLO)
    assert "data-greetings" not in tags(site).snippet
    assert " data-greetings async>" in tags(site).pinned
    assert "data-greetings" not in tags(replace(site, greetings=())).pinned


def test_the_steps_for_wordpress_name_the_switches_that_the_site_needs() -> None:
    site, _ = parsed(HELLO)

    def steps(site: SiteSettings) -> str:
        (guide,) = (guide for guide in tags(site).guides if guide.name == "wordpress")
        return "\n".join(f"{step.text}\n{step.code}" for step in guide.steps)

    assert "Then tick Greetings" in steps(site)
    assert "Voice: ticked" in steps(replace(site, voice=True))
    neither = steps(replace(site, greetings=()))
    assert "tick" not in neither


def tags(site: SiteSettings) -> Snippets:
    return snippets(GATEWAY, site, Choices(), make_loader(WEB["loader.js"], GATEWAY))
