"""`fanlight route explain`: the same steps as the gateway's, from the settings alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from core.errors import Unavailable
from core.ports import Prompt
from gateway.cli.route import NeverAsked, route_group

TOML = """
[[models]]
name = "small"
url = "https://models.example/v1"
model = "small-1"
[[models]]
name = "large"
url = "https://models.example/v1"
model = "large-1"
read_usd = 3.0
written_usd = 15.0
[[tiers]]
name = "cheap"
models = ["small"]
high = 0.5
[[tiers]]
name = "dear"
models = ["large"]
low = 0.02
[routing]
mode = "tiered"
[permissions.users."https://id.example|7"]
level = 2
[[sites]]
key = "site_demo"
name = "Shop"
origins = ["http://localhost:8001"]
kb = ["kb"]
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "kb").mkdir()
    (tmp_path / "kb" / "a.csv").write_text(
        "id,locale,question,answer\nhours,en,When are you open?,Monday to Friday.\n"
    )
    (tmp_path / "fanlight.toml").write_text(TOML)
    monkeypatch.setenv("FANLIGHT_OPERATOR_TOKEN", "operator-token-for-tests-0123456789")
    return tmp_path / "fanlight.toml"


def explain(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(route_group, ["explain", "--config", str(config), *arguments])


def test_each_caller_is_told_their_own_model_and_nothing_is_written(config: Path) -> None:
    before = sorted(config.parent.rglob("*"))
    question = "Compare both warranties and explain why the longer one costs more"
    chosen = {}
    for who in ((), ("--channel", "console"), ("--user", "https://id.example|7")):
        result = explain(config, "--json", *who, question)
        assert result.exit_code == 0, result.output
        found = json.loads(result.stdout)
        chosen[who] = (found["models"][0], found["tier"])
    assert list(chosen.values()) == [("small", "cheap"), ("large", "dear"), ("large", "dear")]
    assert sorted(config.parent.rglob("*")) == before


def test_the_steps_are_read_line_by_line(config: Path) -> None:
    shown = explain(config, "--channel", "console", "zxqv unknown thing").stdout
    for step in ("knowledge base", "caller", "tiers", "complexity", "budget", "model", "cost"):
        assert any(line.startswith(step) for line in shown.splitlines()), shown
    assert "large of the tier dear" in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--site", "site_dem", "x"), "Did you mean site_demo?"),
        (("--channel", "api", "--user", "a|b", "x"), "--user goes with"),
        ((" ",), "empty"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    config: Path, arguments: tuple[str, ...], said: str
) -> None:
    result = explain(config, *arguments)
    assert result.exit_code != 0
    assert said in result.output


def test_flawed_settings_are_named(config: Path) -> None:
    config.write_text(TOML.replace('"tiered"', '"clever"'))
    result = explain(config, "--json", "x")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["flaws"][0]["key"] == "routing.mode"


async def test_its_models_refuse_to_be_asked() -> None:
    model = NeverAsked("small-1")
    with pytest.raises(Unavailable, match="small-1"):
        async for _ in model.stream(Prompt([], 1)):
            pass
    await model.close()
