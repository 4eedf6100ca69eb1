"""What an owner pastes: what is chosen stands in it, what is not does not, pages agree."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import Problem
from gateway.loader import Loader
from gateway.settings import SiteSettings
from gateway.snippets import Choices, Snippets, snippets

ROOT = Path(__file__).resolve().parents[2]
SHOP = "https://shop.example"
GATEWAY = "https://chat.example.com"
SITE = SiteSettings(
    "site_shop",
    "The Shop",
    ("https://shop.example", "https://www.shop.example"),
    kb=(),
    accent="#aa3300",
    theme="dark",
)
LOADER = Loader(b"start()")


def made(**choices: str) -> Snippets:
    return snippets(GATEWAY, SITE, Choices(**choices), LOADER)


def code(found: Snippets, name: str) -> str:
    """All that one guide has to paste."""
    (guide,) = [guide for guide in found.guides if guide.name == name]
    return "\n".join(step.code for step in guide.steps)


@pytest.mark.parametrize(
    ("choices", "attributes"),
    [
        ({}, ""),
        ({"locale": "he"}, ' data-locale="he"'),
        ({"position": "left", "accent": "#123456"}, ' data-position="left" data-accent="#123456"'),
        ({"accent": "#ABC"}, ' data-accent="#aabbcc"'),
        ({"accent": "#A30"}, ""),
        ({"accent": "#AA3300"}, ""),
        ({"theme": "light", "page": "https://else.example"}, ""),
    ],
    ids=["nothing", "locale", "both", "short", "own, short", "own", "settings"],
)
def test_the_tag_says_what_differs_from_the_site(choices: dict[str, str], attributes: str) -> None:
    found = made(**choices)
    assert found.snippet == (
        f'<script src="{GATEWAY}/loader.js" data-site="site_shop"{attributes} async></script>'
    )
    assert f'data-site="site_shop"{attributes} async' in found.pinned
    assert LOADER.integrity in found.pinned


@pytest.mark.parametrize(
    ("choices", "lines"),
    [
        ({}, []),
        ({"theme": "dark"}, []),
        ({"theme": "contrast"}, ['theme = "contrast"']),
        ({"page": "https://shop.example/basket?x#y"}, []),
        (
            {"page": "HTTPS://Blog.Shop.example:443/"},
            [f'origins = ["{SHOP}", "https://www.shop.example", "https://blog.shop.example"]'],
        ),
    ],
    ids=["nothing", "as it is", "theme", "a page that may", "a page that may not"],
)
def test_settings_are_lines_of_the_file_where_they_change(
    choices: dict[str, str], lines: list[str]
) -> None:
    wanted = "\n".join(["[[sites]]", 'key = "site_shop"', *lines]) if lines else ""
    assert made(**choices).settings == wanted


@pytest.mark.parametrize(
    ("page", "allowed"),
    [
        ("", None),
        ("  ", None),
        ("shop.example", True),
        ("https://www.shop.example/a", True),
        ("https://evil.example", False),
        ("http://localhost:8000/x", False),
    ],
)
def test_a_page_is_told_whether_it_may(page: str, allowed: bool | None) -> None:
    assert made(page=page).page_allowed is allowed


@pytest.mark.parametrize(
    ("choices", "field"),
    [
        ({"locale": "fr"}, "locale"),
        ({"position": "top"}, "position"),
        ({"accent": "red"}, "accent"),
        ({"accent": '#aabbcc"><script>'}, "accent"),
        ({"page": "http://shop.example"}, "page"),
        ({"page": "https://*.shop.example"}, "page"),
        ({"page": "file:///home/page.html"}, "page"),
        ({"page": "https://[::1"}, "page"),
        ({"page": "https://a:b@shop.example"}, "page"),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(choices: dict[str, str], field: str) -> None:
    with pytest.raises(Problem) as refused:
        made(**choices)
    assert (refused.value.field, refused.value.status) == (field, 400)
    assert refused.value.remedy


def test_every_guide_says_what_was_chosen() -> None:
    found = made(locale="es", position="left", accent="#123456")
    for guide in found.guides:
        text = code(found, guide.name)
        assert "site_shop" in text
        assert GATEWAY in text
        for value in ("left", "#123456"):
            assert value in text, guide.name
        assert guide.title
        assert (ROOT / "docs" / "embed" / guide.page).is_file()
        # The plugin follows the page, and says so.
        assert ("es" in re.findall(r"\w+", text)) or guide.name == "wordpress"
    assert "speaks the language of the page" in json.dumps(found.document())


def test_lines_for_generators_are_what_those_read() -> None:
    text = code(made(position="left"), "static")
    (head,) = re.findall(r"^head: (.*)$", text, re.MULTILINE)
    (scripts,) = re.findall(r"^scripts: (.*)$", text, re.MULTILINE)
    named = {"src": f"{GATEWAY}/loader.js", "data-site": "site_shop", "data-position": "left"}
    assert json.loads(head) == [["script", {**named, "async": ""}]]
    assert json.loads(scripts) == [{**named, "async": True}]


def test_a_site_without_origins_gets_the_page_as_its_first() -> None:
    page = Choices(page="https://new.example")
    found = snippets(GATEWAY, replace(SITE, origins=()), page, LOADER)
    assert 'origins = ["https://new.example"]' in found.settings


def test_the_pages_say_what_the_guides_do() -> None:
    found = made()
    for guide in found.guides:
        page = (ROOT / "docs" / "embed" / guide.page).read_text(encoding="utf-8")
        there = {line.strip() for line in page.splitlines()}
        steps = [step.code for step in guide.steps if step.code != LOADER.integrity]
        lines = [line.strip() for step in steps for line in step.splitlines()]
        assert lines, guide.name
        missing = [line for line in lines if line and not any(line in one for one in there)]
        assert missing == [], guide.page
