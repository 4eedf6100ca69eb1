"""The gateway's classifier with likelihoods of the real SmolLM2-135M, by the real model server."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from core.commands.labels import LABELS
from core.commands.parts import parts_of
from core.commands.prompt import prompt_of, shares_of
from gateway.adapters.command_head import load_command_head
from gateway.adapters.first_tokens import OpenAiFirstTokens
from gateway.commands import Classifier
from gateway.settings import ModelSettings, Secret
from models.commands.examples import Example
from models.commands.likelihoods import likelihoods_of
from tests.models.server.test_openai_client import MODEL, STOPPED_S, start

pytestmark = pytest.mark.needs("weights")


@pytest.fixture(scope="module")
def url(weights: Path) -> Iterator[str]:
    process, address = start(weights, MODEL, "--context", "512", "--warm")
    yield address
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=STOPPED_S)


def adapter(url: str) -> OpenAiFirstTokens:
    settings = ModelSettings(url, MODEL, Secret(""))
    return OpenAiFirstTokens(settings, httpx.AsyncHTTPTransport(), time.time, read_s=60)


async def test_the_first_token_names_the_labels(url: str) -> None:
    [part] = parts_of("pulumi frobnicate")
    model = adapter(url)
    first = await model.first_tokens(prompt_of(part))
    await model.close()
    shares = shares_of(first)
    assert shares is not None
    assert set(shares) == set(LABELS)
    assert sum(shares.values()) == pytest.approx(1)


async def test_a_model_is_heard_where_head_and_rules_are_unsure(url: str) -> None:
    model = adapter(url)
    found = await Classifier(load_command_head(), model, limit_s=60).classify("pulumi destroy dev")
    await model.close()
    assert (found.label, found.method) == ("DELETE", "ensemble")


def test_the_fit_asks_the_same_question(url: str) -> None:
    with httpx.Client(base_url=f"{url}/") as client:
        found = likelihoods_of([Example("pulumi frobnicate", "CREATE", "x")], client, MODEL)
    assert set(found) == {"pulumi frobnicate"}
