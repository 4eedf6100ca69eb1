"""A command is classified within the limit, whatever a model does."""

import asyncio
import time
from collections.abc import Mapping

import pytest

from core.commands.head import Head, Mixing
from core.errors import Unavailable
from gateway.adapters import command_head
from gateway.adapters.command_head import load_command_head
from gateway.adapters.telemetry import HouseTelemetry
from gateway.commands import MOST_ASKED, Classifier

MIXING = Mixing(1.0, 2.0, 3.0, 0.2)
UNSURE = Head({}, (0.0, 0.0, 0.0, 0.0), MIXING, MIXING)
SAYS_DELETE = {" DEL": -0.01, " READ": -5.0}


class Model:
    """A model that says the same of everything, after so many seconds."""

    def __init__(self, first: Mapping[str, float] | None, after_s: float = 0.0) -> None:
        self.first = first
        self.after_s = after_s
        self.asked: list[str] = []

    async def first_tokens(self, prompt: str) -> Mapping[str, float]:
        self.asked.append(prompt)
        await asyncio.sleep(self.after_s)
        if self.first is None:
            raise Unavailable("not now")
        return self.first


async def test_a_model_is_asked_where_nobody_is_sure() -> None:
    model = Model(SAYS_DELETE)
    found = await Classifier(UNSURE, model).classify("frobnicate all")
    assert (found.label, found.method) == ("DELETE", "ensemble")
    assert model.asked[0].endswith("Command: frobnicate all\nEffect:")


async def test_no_model_is_asked_where_head_and_rules_are_sure() -> None:
    model = Model(SAYS_DELETE)
    found = await Classifier(load_command_head(), model).classify("ls -la")
    assert (found.label, found.method, model.asked) == ("READ", "head", [])


async def test_a_late_model_is_done_without() -> None:
    started = time.perf_counter()
    late = Classifier(UNSURE, Model(SAYS_DELETE, after_s=60), limit_s=0.3)
    found = await late.classify("frobnicate all")
    assert found.method in {"head", "default"}
    assert time.perf_counter() - started < 2.0


@pytest.mark.parametrize("first", [None, {" The": -0.1}])
async def test_a_model_that_fails_or_says_something_else_is_done_without(
    first: Mapping[str, float] | None,
) -> None:
    found = await Classifier(UNSURE, Model(first)).classify("frobnicate all")
    assert found.method in {"head", "default"}


async def test_a_long_command_asks_about_a_few_parts_only() -> None:
    model = Model(SAYS_DELETE)
    await Classifier(UNSURE, model).classify("; ".join(f"tool{n} go" for n in range(20)))
    assert len(model.asked) == MOST_ASKED


async def test_what_looks_like_a_secret_is_not_sent_to_a_model() -> None:
    model = Model(SAYS_DELETE)
    await Classifier(UNSURE, model).classify("tool go sk-proj-aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW")
    assert "aB3dE5fG7hI9" not in model.asked[0]


async def test_a_head_without_use_for_a_model_asks_none() -> None:
    deaf = Mixing(1.0, 2.0, 0.0, 0.2)
    model = Model(SAYS_DELETE)
    await Classifier(Head({}, (0.0,) * 4, deaf, deaf), model).classify("frobnicate all")
    assert model.asked == []


async def test_classifications_are_counted() -> None:
    telemetry = HouseTelemetry()
    await Classifier(None, telemetry=telemetry).classify("ls")
    figures = telemetry.exposition().decode()
    assert 'fanlight_commands_total{classification="READ",method="keywords"} 1.0' in figures
    assert "fanlight_command_seconds_count 1.0" in figures


def test_a_damaged_file_leaves_the_keywords(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(command_head, "WEIGHTS", "command_head.py")
    assert load_command_head() is None
    assert "by keywords alone" in caplog.text


async def test_a_classification_takes_a_moment() -> None:
    classifier = Classifier(load_command_head())
    started = time.perf_counter()
    for _ in range(50):
        await classifier.classify("git fetch && git rebase main; docker compose up -d | tee log")
    assert (time.perf_counter() - started) / 50 < 0.02
