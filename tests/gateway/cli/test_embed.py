"""`fanlight embed`: what it prints is what the gateway serves."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.adapters.web_files import load_web
from gateway.cli.embed import embed
from tests.gateway.world import GATEWAY, settings, world

SETTINGS = """
[gateway]
public_url = "{gateway}"
web_dir = "web"

[[sites]]
key = "site_shop"
name = "The Shop"
origins = ["https://shop.example"]
kb = ["kb.md"]
"""
OTHER = """
[[sites]]
key = "site_help"
name = "Help"
origins = ["https://help.example"]
kb = ["kb.md"]
"""


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in list(os.environ):
        if name.startswith("FANLIGHT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("FANLIGHT_OPERATOR_TOKEN", "a-token-that-is-long-enough-1")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kb.md").write_text("## Open?\n\nYes.\n", encoding="utf-8")
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "loader.js").write_text("start(`__FANLIGHT_GATEWAY__`)", encoding="utf-8")
    (tmp_path / "fanlight.toml").write_text(SETTINGS.format(gateway=GATEWAY), encoding="utf-8")
    return tmp_path


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(embed, arguments)


async def test_the_tag_names_bytes_that_the_gateway_serves(folder: Path) -> None:
    shown = json.loads(invoke("site_shop", "--json").stdout)
    assert shown["snippet"] == (
        f'<script src="{GATEWAY}/loader.js" data-site="site_shop" async></script>'
    )
    assert shown["csp"] == {"script-src": GATEWAY, "frame-src": GATEWAY}
    assert shown["origins"] == ["https://shop.example"]
    for part in (shown["src"], shown["integrity"], 'crossorigin="anonymous"'):
        assert part in shown["pinned"]
    async with world(chosen=settings(), web=load_web(folder / "web")) as gateway:
        served = await gateway.client.get(shown["src"])
        assert served.text == f"start(`{GATEWAY}`)"


def test_people_read_tags_and_policy_to_copy() -> None:
    shown = invoke().stdout
    assert shown.count('data-site="site_shop" async></script>\n') == 2
    assert f"script-src {GATEWAY}\nframe-src {GATEWAY}\n" in shown
    assert "https://shop.example" in shown


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "Name one of: site_shop, site_help."),
        (("site_shap",), "There is no site site_shap. Did you mean site_shop?"),
        (("x",), "Name one of: site_shop, site_help."),
    ],
)
def test_an_unknown_site_is_refused_with_those_there_are(
    folder: Path, arguments: tuple[str, ...], told: str
) -> None:
    with (folder / "fanlight.toml").open("a", encoding="utf-8") as file:
        file.write(OTHER)
    done = invoke(*arguments)
    assert done.exit_code == 1
    assert told in done.output
    assert "Pages of these origins may embed it: https://help.example" in invoke("site_help").stdout


def test_without_web_assets_it_says_how_to_build_them(folder: Path) -> None:
    (folder / "web" / "loader.js").unlink()
    done = invoke("site_shop")
    assert done.exit_code == 1
    assert "npm --prefix web run build" in done.output


def test_flaws_in_the_settings_are_told(folder: Path) -> None:
    (folder / "fanlight.toml").write_text("[[sites]]\n", encoding="utf-8")
    done = invoke("site_shop", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["flaws"]


def test_what_is_chosen_stands_in_both_tags_and_a_setting_among_the_settings() -> None:
    arguments = (
        "--locale",
        "es",
        "--accent",
        "#A00",
        "--theme",
        "dark",
        "--page",
        "help.example/a",
    )
    shown = json.loads(invoke(*arguments, "--json").stdout)
    for tag in (shown["snippet"], shown["pinned"]):
        assert 'data-site="site_shop" data-locale="es" data-accent="#aa0000" async' in tag
    assert shown["settings"].splitlines() == [
        "[[sites]]",
        'key = "site_shop"',
        'origins = ["https://shop.example", "https://help.example"]',
        'theme = "dark"',
    ]
    assert shown["page_allowed"] is False
    assert "In fanlight.toml:\n\n[[sites]]" in invoke(*arguments).stdout
    assert "fanlight.toml" not in invoke().stdout


def test_a_guide_is_printed_step_by_step() -> None:
    shown = invoke("--guide", "shopify", "--position", "left").stdout
    assert shown.startswith("Shopify\n\n1. ")
    assert 'data-site="site_shop" data-position="left" async></script>' in shown
    assert "\n2. " in shown


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--guide", "wix"), "There is no guide wix. Name one of: html, npm, react"),
        (("--position", "top"), "--position: This is no side. Choose left or right."),
        (("--locale", "fr"), "--locale: The site does not speak this. Choose of en, es, he."),
    ],
)
def test_a_choice_that_cannot_be_is_refused_by_its_name(
    arguments: tuple[str, ...], told: str
) -> None:
    done = invoke(*arguments)
    assert done.exit_code == 1
    assert told in done.output
