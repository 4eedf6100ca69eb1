"""What was published in the console is served again after a restart of `fanlight run`."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kb import Index, load_index
from tests.gateway.cli.test_run import (  # noqa: F401 - fixtures
    TOKEN,
    Started,
    built,
    config,
    ports,
    start,
)

PUBLISHED_S = 60


class Operator:
    """A console of a running gateway; by its host the gateway knows that it is one."""

    def __init__(self, client: httpx.Client, port: int) -> None:
        self._client = client
        self._host = f"localhost:{port}"
        client.headers["host"] = f"console.{self._host}"
        entered = self.call("POST", "/v1/operator/session", {"token": TOKEN})
        # The client keeps no cookie that is for https alone.
        self._client.headers["cookie"] = entered.headers["set-cookie"].partition(";")[0]
        self._client.headers["x-csrf-token"] = self.call("GET", "/v1/operator/session").json()[
            "csrf"
        ]

    def call(self, method: str, path: str, body: object = None) -> httpx.Response:
        response = self._client.request(method, path, json=body)
        assert response.is_success, response.text
        return response

    def site(self) -> dict[str, Any]:
        [site] = self.call("GET", "/v1/knowledge").json()["sites"]
        assert isinstance(site, dict)
        return site

    def publish(self) -> dict[str, Any]:
        self.call("POST", "/v1/knowledge/site_shop/publish")
        ends = time.monotonic() + PUBLISHED_S
        while (site := self.site())["building"] is not None:
            assert time.monotonic() < ends
            time.sleep(0.1)
        assert site["failed"] is None
        return site

    def served(self, release: str) -> Index:
        host = {"host": self._host}
        return load_index(self._client.get(f"/kb/site_shop/{release}.idx", headers=host).content)


@pytest.fixture
def operator(ports: tuple[int, int]) -> Iterator[Callable[[], Operator]]:  # noqa: F811
    """Logs in at the gateway that runs now."""
    clients: list[httpx.Client] = []

    def log_in() -> Operator:
        clients.append(httpx.Client(base_url=f"http://127.0.0.1:{ports[0]}", timeout=30))
        return Operator(clients[-1], ports[0])

    yield log_in
    for client in clients:
        client.close()


@pytest.mark.timeout(240)
def test_published_knowledge_outlives_a_restart_and_a_change_of_the_files(
    start: Callable[..., Started],  # noqa: F811
    config: Path,  # noqa: F811
    operator: Callable[[], Operator],
    tmp_path: Path,
) -> None:
    arguments = ("--config", str(config))
    running = start(*arguments, FANLIGHT_OPERATOR_TOKEN=TOKEN)
    console = operator()
    entries = "/v1/knowledge/site_shop/entries"
    moon = {"locale": "en", "question": "What is the moon?", "answer": "Far."}
    console.call("POST", entries, moon)
    first = console.publish()
    console.call("POST", entries, {**moon, "question": "Not published yet?"})
    assert running.stop()[0] == 0

    running = start(*arguments, FANLIGHT_OPERATOR_TOKEN=TOKEN)
    console = operator()
    again = console.site()
    assert (again["release"], again["published_at"]) == (first["release"], first["published_at"])
    assert again["changes"] == 1, "the draft is kept, and is not live"
    assert console.served(again["release"]).get("what-is-the-moon", "en") is not None
    status, errors = running.stop()
    assert status == 0
    assert "building" not in errors, "the published index was found"

    with (tmp_path / "faq.md").open("a", encoding="utf-8") as file:
        file.write("Good.\n\n## Where are you? {#where}\n\nHere.\n")
    start(*arguments, FANLIGHT_OPERATOR_TOKEN=TOKEN)
    console = operator()
    site = console.site()
    assert site["release"] != first["release"]
    assert site["changes"] == 1
    index = console.served(site["release"])
    assert {entry.id for entry in index.entries} == {"hours", "bad", "where", "what-is-the-moon"}


@pytest.mark.timeout(240)
def test_a_gateway_that_is_killed_while_it_publishes_serves_what_was_live(
    start: Callable[..., Started],  # noqa: F811
    config: Path,  # noqa: F811
    operator: Callable[[], Operator],
) -> None:
    arguments = ("--config", str(config))
    running = start(*arguments, FANLIGHT_OPERATOR_TOKEN=TOKEN)
    console = operator()
    before = console.site()
    moon = {"locale": "en", "question": "What is the moon?", "answer": "Far."}
    console.call("POST", "/v1/knowledge/site_shop/entries", moon)
    console.call("POST", "/v1/knowledge/site_shop/publish")
    running.process.kill()
    # The worker has the gateway's stderr too: all of it is gone when that has an end.
    running.process.communicate(timeout=PUBLISHED_S)

    start(*arguments, FANLIGHT_OPERATOR_TOKEN=TOKEN)
    console = operator()
    after = console.site()
    told = {"changes": 1, "unpublished": True, "entries": before["entries"] + 1}
    assert after == {**before, **told}
    assert console.publish()["changes"] == 0
