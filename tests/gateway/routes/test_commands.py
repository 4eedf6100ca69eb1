"""`/v1/classify` as a console calls it."""

from collections.abc import AsyncIterator

import pytest

from gateway.adapters.command_head import load_command_head
from gateway.adapters.memory_commands import MemoryCommands
from gateway.adapters.telemetry import HouseTelemetry
from gateway.commands import Classifier, Feedback
from tests.gateway.routes.console import Console, problem
from tests.gateway.world import START, World, world

PATH, FEEDBACK = "/v1/classify", "/v1/classify/feedback"


@pytest.fixture
async def console() -> AsyncIterator[Console]:
    """A console that is logged in, over a gateway that classifies."""
    async with world(commands=Classifier(load_command_head())) as made:
        console = Console(made)
        assert (await console.log_in()).status_code == 204
        yield console


async def test_a_command_is_classified(console: Console) -> None:
    response = await console.call("POST", PATH, {"command": "ls -la"})
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    found = response.json()
    assert found["classification"] == "READ"
    assert 0.5 < found["confidence"] <= 1
    assert found["method"] == "head"
    assert found["reasoning"] == "READ: `ls`."


@pytest.mark.parametrize("command", ["sudo sh -c 'ls; rm -rf /srv'", "SELECT 1; DROP TABLE a"])
async def test_a_compound_command_is_as_bad_as_its_worst_part(
    console: Console, command: str
) -> None:
    response = await console.call("POST", PATH, {"command": command})
    assert response.json()["classification"] == "DELETE"
    assert "worst of 2 parts" in response.json()["reasoning"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "command"),
        ({"command": ""}, "command"),
        ({"command": " \n"}, "command"),
        ({"command": "a" * 4_001}, "command"),
        ({"command": 1}, "command"),
        ({"command": "ls", "run": True}, "run"),
    ],
)
async def test_a_wrong_body_is_refused_by_its_field(
    console: Console, body: dict[str, object], pointer: str
) -> None:
    response = await console.call("POST", PATH, body)
    assert problem(response)[0] == 400
    assert pointer in response.text


async def test_only_operators_may_ask(console: Console) -> None:
    stranger = Console(console.world)
    for method, path in (("POST", PATH), ("POST", FEEDBACK), ("GET", FEEDBACK)):
        response = await stranger.call(method, path, {} if method == "POST" else None)
        assert problem(response)[0] == 401
    response = await console.call("POST", PATH, {"command": "ls"}, **{"x-csrf-token": "no"})
    assert problem(response)[0] == 403


async def test_without_a_classifier_there_is_no_such_address(gateway: World) -> None:
    console = Console(gateway)
    await console.log_in()
    assert (await console.call("POST", PATH, {"command": "ls"})).status_code == 404
    paths = (await console.call("GET", "/openapi.json")).json()["paths"]
    assert PATH not in paths


async def test_what_operators_say_is_kept_and_counted(console: Console) -> None:
    empty = (await console.call("GET", FEEDBACK)).json()
    assert empty == {"days": 30, "accuracy": None, "by_day": []}
    said = {"command": "foo bar", "classification": "CREATE", "expected": "READ"}
    response = await console.call("POST", FEEDBACK, said)
    assert response.status_code == 201
    stored = response.json()
    assert (stored["given"], stored["expected"], stored["author"]) == ("CREATE", "READ", "operator")
    await console.call("POST", FEEDBACK, said | {"expected": "CREATE"})
    told = (await console.call("GET", FEEDBACK)).json()
    assert told["accuracy"] == 0.5
    [day] = told["by_day"]
    assert (day["count"], day["right"]) == (2, 1)


async def test_a_secret_is_not_kept(console: Console) -> None:
    command = "curl -H 'authorization: Bearer sk-proj-aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW' https://x"
    said = {"command": command, "classification": "READ", "expected": "READ"}
    stored = (await console.call("POST", FEEDBACK, said)).json()
    assert "aB3dE5fG7hI9" not in stored["command"]


async def test_accuracy_is_a_figure() -> None:
    telemetry = HouseTelemetry()
    feedback = Feedback(MemoryCommands(), lambda: START, bytes, telemetry)
    await feedback.judge("foo", "CREATE", "READ", "anna")
    figures = telemetry.exposition().decode()
    assert 'fanlight_command_feedback_total{expected="READ",given="CREATE"} 1.0' in figures
    assert "fanlight_command_accuracy_ratio 0.0" in figures


@pytest.mark.parametrize("label", ["READ ", "read", "", None])
async def test_only_the_four_labels_are_taken(console: Console, label: object) -> None:
    said = {"command": "ls", "classification": "READ", "expected": label}
    assert problem(await console.call("POST", FEEDBACK, said))[0] == 400
