"""`[[models]]`: more than one model, in order, each with a key of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.configuration import Flaw, parse_settings
from gateway.settings import ModelSettings, Settings

ENVIRON = {"FANLIGHT_OPERATOR_TOKEN": "operator-token-for-tests-0123456789"}
FAST = {"name": "fast", "url": "http://127.0.0.1:8080/v1/", "model": "small"}
CLAUDE = {
    "name": "claude-1", "dialect": "anthropic", "url": "https://api.anthropic.com/v1",
    "model": "claude", "context_tokens": 200_000,
}  # fmt: skip


def read(*models: object, **environ: str) -> tuple[Settings, list[Flaw]]:
    """The settings of a file with these models."""
    site = {"key": "site_a", "name": "A", "origins": ["https://a.example"], "kb": ["kb"]}
    gateway = {"public_url": "https://a.example", "private_endpoints": ["127.0.0.1:8080"]}
    document = {"gateway": gateway, "sites": [site], "models": list(models)}
    return parse_settings(document, {**ENVIRON, **environ}, Path("/srv"))


def test_models_come_in_their_order_with_their_keys() -> None:
    settings, flaws = read(FAST, CLAUDE, FANLIGHT_MODEL_CLAUDE_1_KEY="sk-1")
    assert flaws == []
    fast, claude = settings.models
    assert (fast.name, fast.url, fast.dialect) == ("fast", "http://127.0.0.1:8080/v1", "openai")
    assert (fast.key.reveal(), fast.context_tokens) == ("", 8_192)
    assert (claude.name, claude.dialect, claude.key.reveal()) == ("claude-1", "anthropic", "sk-1")
    assert claude.context_tokens == 200_000


def test_the_one_of_the_environment_comes_first() -> None:
    settings, flaws = read(
        CLAUDE, FANLIGHT_LLM_URL="http://127.0.0.1:8080/v1", FANLIGHT_LLM_MODEL="own"
    )
    assert flaws == []
    assert [model.model for model in settings.models] == ["own", "claude"]
    assert isinstance(settings.model, ModelSettings)


def test_without_any_there_are_none() -> None:
    assert read()[0].models == ()


FLAWED = {
    "no url": ({**FAST, "url": ""}, ".url"),
    "no path": ({**FAST, "url": "https://models.example"}, ".url"),
    "not listed": ({**FAST, "url": "http://127.0.0.1:9/v1"}, ".url"),
    "another dialect": ({**FAST, "dialect": "gemini"}, ".dialect"),
    "a key in the file": ({**FAST, "key": "sk-1"}, ".key"),
    "no model": ({"name": "fast", "url": FAST["url"]}, ".model"),
    "a window too small": ({**FAST, "context_tokens": 3}, ".context_tokens"),
}


@pytest.mark.parametrize(("table", "key"), FLAWED.values(), ids=FLAWED)
def test_a_flaw_is_named_with_its_key(table: dict[str, object], key: str) -> None:
    assert [flaw.key for flaw in read(table)[1]] == [f"models[fast]{key}"]


def test_two_of_a_name_are_refused() -> None:
    assert [flaw.key for flaw in read(FAST, FAST)[1]] == ["models[fast].name"]
