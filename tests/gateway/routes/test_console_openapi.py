"""The console's `/openapi.json` is whole and true: made-up calls never break server nor schema."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance
from starlette.routing import Mount, Route, Router

from gateway.adapters.command_head import load_command_head
from gateway.adapters.personality_files import PersonalityFiles
from gateway.adapters.workshop import ProcessWorkshop
from gateway.app import ByHost, create_app
from gateway.commands import Classifier
from gateway.routes.console_openapi import (
    COMMANDS,
    KNOWLEDGE,
    OPERATIONS,
    There,
    console_document,
)
from gateway.routes.personality_openapi import PERSONALITIES
from gateway.services import WORKER
from tests.gateway.routes.console import Console
from tests.gateway.routes.workshop import ENTRIES, SITE, desk, on_disk, untraced
from tests.gateway.serving import free_port, served
from tests.gateway.world import OPERATOR_TOKEN, World, make_services
from tests.gateway.world import settings as world_settings

ENDS_SOMETHING = {"DELETE /v1/operator/session", "POST /v1/operator/session", "GET /v1/events"}
TAKES_LONG = {f"POST /v1/knowledge/{{site}}/{name}" for name in ("publish", "findings", "imports")}
DOCUMENT = console_document(world_settings(), There(desk=True, commands=True, personalities=True))
DESCRIBED = schemathesis.openapi.from_dict(DOCUMENT)
CALLS = {
    found.ok().label: found.ok()
    for found in DESCRIBED.get_all_operations()
    if isinstance(found, Ok) and found.ok().label not in ENDS_SOMETHING | TAKES_LONG
}


async def test_every_call_of_the_console_is_described_and_no_other(tmp_path: Path) -> None:
    async with desk(tmp_path) as console:
        document = (await console.call("GET", "/openapi.json")).json()
        described = {
            (method.upper(), re.sub(r"\{\w+\}", "{}", path))
            for path, operations in document["paths"].items()
            for method in operations
        }
        there = {
            (method, re.sub(r"\{\w+\}", "{}", route.path))
            for route in routes(console.world)
            if route.path.startswith("/v1/")
            for method in (route.methods or set()) - {"HEAD"}
        }
    assert described == there
    assert len(described) == sum(map(len, (OPERATIONS, KNOWLEDGE, COMMANDS, PERSONALITIES)))


def routes(world: World) -> list[Route]:
    """The routes of the console's origin."""
    app = create_app(world.services)
    [mount] = [each for each in app.routes if isinstance(each, Mount)]
    assert isinstance(mount.app, ByHost)
    console = mount.app._console
    assert isinstance(console, Router)
    return [route for route in console.routes if isinstance(route, Route)]


async def test_without_a_desk_its_calls_are_not_described(gateway: World) -> None:
    paths = (await Console(gateway).call("GET", "/openapi.json")).json()["paths"]
    assert "/v1/escalations" in paths
    assert not [path for path in paths if "knowledge" in path]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """A real server's console origin, and the headers of an operator's session."""
    port, folder = free_port(), tmp_path_factory.mktemp("desk")
    origin = f"http://127.0.0.1:{port}"
    chosen = on_disk(folder, public_url=f"http://localhost:{port}", console_url=origin)
    services = make_services(chosen, time.time)
    services = replace(
        services,
        workshop=ProcessWorkshop(chosen, WORKER, untraced()),
        commands=Classifier(load_command_head()),
        personalities=PersonalityFiles(None, time.monotonic),
    )
    with served(create_app(services), port) as url, httpx.Client(base_url=url) as client:
        entered = client.post("/v1/operator/session", json={"token": OPERATOR_TOKEN})
        headers = {"cookie": entered.headers["set-cookie"].partition(";")[0]}
        session = client.get("/v1/operator/session", headers=headers)
        yield url, {**headers, "x-csrf-token": session.json()["csrf"]}


@pytest.mark.parametrize("label", CALLS)
def test_made_up_calls_keep_to_the_document(label: str, api: tuple[str, dict[str, str]]) -> None:
    url, headers = api

    @settings(max_examples=25, suppress_health_check=list(HealthCheck))
    @given(case=CALLS[label].as_strategy())
    def keeps(case: Case[Any]) -> None:
        if "site" in case.path_parameters:
            case.path_parameters["site"] = SITE
        if "entry_id" in case.path_parameters and len(case.path_parameters["entry_id"]) % 2:
            case.path_parameters |= {"entry_id": "hours", "locale": "en"}
        if "name" in case.path_parameters and len(case.path_parameters["name"]) % 2:
            case.path_parameters["name"] = "console.ana"
        response = case.call(base_url=url, headers=headers, cookies={})
        case.validate_response(response, excluded_checks=[ignored_auth, positive_data_acceptance])
        assert response.status_code < 500

    keeps()


def test_some_of_those_calls_were_accepted(api: tuple[str, dict[str, str]]) -> None:
    url, headers = api
    with httpx.Client(base_url=url, headers=headers) as client:
        shown = client.get(f"{ENTRIES}/hours/en").json()
        assert shown["history"]
        made = client.get(f"{ENTRIES}?state=unpublished").json()
        assert made["total"] >= 1
