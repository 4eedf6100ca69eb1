"""The model server's application: what it refuses, whom it turns away, and how replies end."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI

from models.engines.kept import KeptModel
from models.engines.protocol import Call, Message, Piece, Sampling
from models.errors import BadRequest, EngineFailed, Overflow, TooLate, UnknownAdapter, UnknownModel
from models.registry.registry import Registry
from models.server.admission import Admission
from models.server.app import MOST_BODY, Limits, Serving, create_app
from tests.gateway.serving import served
from tests.models.samples import WORDS, entry, file_entry, known
from tests.models.server.scripted import END, ScriptedEngine

CHAT = {"model": "small", "messages": [{"role": "user", "content": "Hi"}]}
TEXT = {"model": "small", "prompt": "Hi"}


class World:
    """A server whose one model says what a test has written."""

    def __init__(self, serving: Serving, engine: ScriptedEngine, origin: str) -> None:
        self.serving = serving
        self.engine = engine
        self.client = httpx.Client(base_url=origin, timeout=20, trust_env=False)
        self.url = f"{origin}/v1"

    def chat(self, **more: object) -> httpx.Response:
        return self.client.post("/v1/chat/completions", json={**CHAT, **more})

    def text(self, **more: object) -> httpx.Response:
        return self.client.post("/v1/completions", json={**TEXT, **more})

    def until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not true():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def count(self, status: str) -> float:
        name = "fanlight_model_requests_total"
        figure = self.serving.house.figures._registry.get_sample_value(
            name, {"model": "small", "status": status}
        )
        return figure or 0


type MakeWorld = Callable[..., AbstractContextManager[World]]


@pytest.fixture
def world(registry: Callable[..., Registry], tmp_path: Path) -> MakeWorld:
    (tmp_path / "origin").write_bytes(WORDS)
    made = registry(entry(files=file_entry(**known())))
    made.pull(made.newest("small"))

    @contextmanager
    def make(*script: Any, limits: Limits | None = None, **serving: Any) -> Iterator[World]:
        engine = ScriptedEngine(script) if script else ScriptedEngine()
        kept = KeptModel(made, made.newest("small"), lambda _path, _model: engine, idle_s=60)
        house = Serving(
            {"small": kept}, limits or Limits(), lambda: 1_700_000_000.0, time.monotonic, **serving
        )
        with served(create_app(house)) as origin:
            world = World(house, engine, origin)
            with world.client:
                yield world
        assert not engine.loaded, "its end unloads the models"

    return make


def test_a_reply_says_what_the_engine_said(world: MakeWorld) -> None:
    with world() as small:
        reply = small.chat().json()
        assert reply["choices"][0]["message"]["content"] == "Hello you"
        assert reply["usage"] == {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
        assert reply["created"] == 1_700_000_000
        assert small.text().json()["choices"][0]["text"] == "Hello you"
        assert small.count("ok") == 2


def test_what_is_asked_reaches_the_engine(world: MakeWorld) -> None:
    with world(limits=Limits(temperature=0.3, timeout_s=9)) as small:
        small.chat(
            messages=[
                {"role": "developer", "content": [{"type": "text", "text": "a"}]},
                {"role": "assistant", "content": "b"},
            ],
            max_tokens=7,
            top_p=0.5,
            seed=4,
            stop="x",
            presence_penalty=1,
            frequency_penalty=-1,
            logprobs=True,
            user="somebody",
            top_k=9,
            repetition_penalty=1.5,
            adapters={"mine": 0.5},
        )
        small.text(prompt=["Hi"], temperature=0, stop=["x", "y"])
    messages = (Message("system", "a"), Message("assistant", "b"))
    sampling = Sampling(7, 0.3, 0.5, 4, ("x",), 1, -1, 0, top_k=9, repetition_penalty=1.5)
    assert small.engine.calls == [
        Call(messages, sampling, 9, (("mine", 0.5),)),
        Call("Hi", Sampling(512, 0, stop=("x", "y")), 9),
    ]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"tools": []}, "tools"),
    ({"n": 2}, "n"),
    ({"max_tokens": 0}, "max_tokens"),
    ({"temperature": 3}, "temperature"),
    ({"stop": ["a"] * 5}, "stop"),
    ({"stop": ""}, "stop"),
    ({"messages": []}, "messages"),
    ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role"),
    (
        {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
        "messages.0.content",
    ),
    ({"response_format": {"type": "json_object"}}, "response_format.type"),
    ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
    ({"top_logprobs": 2}, "top_logprobs"),
    ({"adapters": {"mine": 9}}, "adapters.mine"),
    ({"adapters": {str(at): 1 for at in range(9)}}, "adapters"),
    ({"top_k": -1}, "top_k"),
    ({"repetition_penalty": 0}, "repetition_penalty"),
    ({"model": ""}, "model"),
    ({"model": "large"}, "model"),
]


def test_what_is_wrong_is_named(world: MakeWorld) -> None:
    with world() as small:
        for more, param in WRONG:
            refused = small.chat(**more)
            assert refused.status_code == (404 if more.get("model") == "large" else 400), more
            error = refused.json()["error"]
            assert error["param"].startswith(param), more
            assert error["message"]
        assert small.engine.calls == []


def test_an_engine_without_log_probabilities_is_said_by_name(world: MakeWorld) -> None:
    refusal = BadRequest("This engine gives no log-probabilities.", "logprobs")
    with world(refusal) as small:
        error = small.chat(logprobs=True).json()["error"]
        assert (error["param"], error["type"]) == ("logprobs", "invalid_request_error")


def test_bodies_that_are_none_are_refused(world: MakeWorld) -> None:
    json_type = "application/json"
    with world() as small:
        for content, media_type, status in (
            (b"{", json_type, 400),
            (b"[]", json_type, 400),
            (b"{}", "text/plain", 415),
            (b" " * (MOST_BODY + 1), json_type, 413),
        ):
            refused = small.client.post(
                "/v1/chat/completions", content=content, headers={"content-type": media_type}
            )
            assert refused.status_code == status
            assert refused.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Overflow(900, 512), 400, "context_length_exceeded"),
        (TooLate("late"), 504, "timeout"),
        (EngineFailed("no"), 500, None),
        (UnknownModel("gone"), 404, "model_not_found"),
        (UnknownAdapter("not loaded"), 422, "adapter_not_found"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_an_error_before_the_first_word_is_an_answer_with_its_status(
    world: MakeWorld, error: Exception, status: int, code: str | None, stream: bool
) -> None:
    with world(error) as small:
        refused = small.chat(stream=stream)
        assert (refused.status_code, refused.json()["error"]["code"]) == (status, code)
        assert small.count("refused") == 1
        assert small.serving.running() == 0


def test_a_file_that_is_bad_is_told_to_the_operator_alone(
    world: MakeWorld, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "kept" / "small" / "1" / "model.gguf").write_bytes(b"changed")
    with world() as small:
        refused = small.chat()
        assert refused.status_code == 500
        assert str(tmp_path) not in refused.text
        assert "The server's log says why" in refused.text
        assert str(tmp_path) in caplog.text


def test_an_engine_that_says_nothing_is_an_error(world: MakeWorld) -> None:
    with world(*[]) as small:
        small.engine.script = ()
        assert small.chat().status_code == 500
        assert small.serving.running() == 0


def test_an_error_within_a_stream_ends_it_without_its_end(world: MakeWorld) -> None:
    with world(Piece("Half"), TooLate("late")) as small:
        lines = [line for line in small.chat(stream=True).text.splitlines() if line]
        assert '"code": "timeout"' in lines[-1]
        assert "data: [DONE]" not in lines
        with OpenAI(base_url=small.url, api_key="none", max_retries=0) as client:
            stream = client.chat.completions.create(
                model="small", messages=[{"role": "user", "content": "Hi"}], stream=True
            )
            with pytest.raises(openai.APIError, match="late"):
                list(stream)
        assert small.count("failed") == 2


def test_a_whole_reply_that_fails_midway_is_an_error(world: MakeWorld) -> None:
    with world(Piece("Half"), EngineFailed("no")) as small:
        assert small.chat().status_code == 500
        assert small.count("failed") == 1


@pytest.mark.parametrize("script", [(Piece("Half"), None), (None,)])
@pytest.mark.parametrize("stream", [False, True])
def test_a_caller_who_hangs_up_ends_the_work(
    world: MakeWorld, script: tuple[Any, ...], stream: bool
) -> None:
    with world(*script) as small:
        with pytest.raises(httpx.ReadTimeout):
            small.client.post("/v1/chat/completions", json={**CHAT, "stream": stream}, timeout=0.3)
        small.until(lambda: small.engine.ended == 1)
        small.until(lambda: small.serving.running() == 0)
        small.until(lambda: small.count("cut") == 1)


def test_who_finds_the_queue_full_is_told_when_to_come_again(world: MakeWorld) -> None:
    with world(Piece("Half"), None, limits=Limits(at_once=1, queue=1)) as small:
        admission, body = small.serving.house.admissions["small"], {**CHAT, "stream": True}
        with small.client.stream("POST", "/v1/chat/completions", json=body) as running:
            lines = running.iter_lines()
            assert "Half" in next(lines)
            waiter = threading.Thread(target=_hung_up_after, args=(small, body))
            with OpenAI(base_url=small.url, api_key="none", max_retries=0) as client:
                waiter.start()
                small.until(lambda: admission.waiting == 1)
                with pytest.raises(openai.RateLimitError) as raised:
                    client.completions.create(model="small", prompt="Hi")
                assert 1 <= int(raised.value.response.headers["retry-after"]) <= 60
                assert raised.value.code == "queue_full"
            waiter.join()
            small.until(lambda: admission.waiting == 0)
        small.until(lambda: admission.running == 0)
        # The waiting one never reached the engine.
        assert len(small.engine.calls) == 1


def _hung_up_after(small: World, body: dict[str, object], seconds: float = 4) -> None:
    with (
        httpx.Client(base_url=small.url, timeout=seconds) as impatient,
        suppress(httpx.ReadTimeout),
    ):
        impatient.post("chat/completions", json=body)


def test_a_caller_who_does_not_read_gives_its_place_back(world: MakeWorld) -> None:
    much = Piece("x" * (4 << 20))
    with world(much, much, much, END, limits=Limits(at_once=1, timeout_s=0.5)) as small:
        body = {**CHAT, "stream": True}
        with small.client.stream("POST", "/v1/chat/completions", json=body) as slow:
            assert slow.status_code == 200
            small.until(lambda: small.count("cut") == 1)
            assert small.serving.running() == 0
            small.engine.script = (Piece("Hello"), END)
            assert small.chat().status_code == 200


def test_who_waits_too_long_for_a_place_is_told(world: MakeWorld) -> None:
    with world(Piece("Half"), None, limits=Limits(at_once=1, timeout_s=0.5)) as small:
        body = {**CHAT, "stream": True}
        with small.client.stream("POST", "/v1/chat/completions", json=body):
            late = small.chat()
            assert (late.status_code, late.json()["error"]["code"]) == (504, "timeout")
            assert "no place, or no model, within 0.5 s" in late.json()["error"]["message"]


async def test_places_are_given_in_order_and_no_more_than_there_are() -> None:
    admission = Admission(2, 10, time.monotonic)
    order: list[int] = []
    most = 0

    async def want(number: int) -> None:
        nonlocal most
        async with admission.place():
            order.append(number)
            most = max(most, admission.running)
            await asyncio.sleep(0)

    await asyncio.gather(*(want(number) for number in range(8)))
    assert (order, most) == (list(range(8)), 2)
    assert (admission.waiting, admission.running) == (0, 0)


def test_a_server_that_stops_takes_nothing_new(world: MakeWorld) -> None:
    with world() as small:
        assert small.client.get("/health").json()["status"] == "ok"
        small.serving.stop()
        refused = small.chat()
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        health = small.client.get("/health")
        assert (health.status_code, health.json()["status"]) == (503, "stopping")


def test_a_key_is_asked_for_where_one_is_set(world: MakeWorld) -> None:
    with world(key="a-key-that-is-long-enough") as small:
        for path in ("/v1/models", "/metrics"):
            assert small.client.get(path).status_code == 401
        assert small.chat().json()["error"]["code"] == "invalid_api_key"
        small.client.headers["authorization"] = "Bearer a-key-that-is-long-enough"
        assert small.chat().status_code == 200
        assert small.client.get("/v1/models").json()["data"][0]["id"] == "small"


def test_a_name_that_a_browser_was_led_to_is_refused(world: MakeWorld) -> None:
    with world(hosts=("127.0.0.1",)) as small:
        small.client.headers["host"] = "evil.example"
        assert small.client.get("/v1/models").status_code == 400


def test_what_is_not_there_is_said_in_the_dialect(world: MakeWorld) -> None:
    with world() as small:
        missing = small.client.get("/v1/nothing")
        assert (missing.status_code, missing.json()["error"]["message"]) == (
            404,
            "There is no GET /v1/nothing here.",
        )
        wrong = small.client.get("/v1/completions")
        assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")


def test_usage_ends_a_stream_where_it_is_wanted(world: MakeWorld) -> None:
    with world(Piece("Hi"), END) as small:
        lines = small.chat(stream=True, stream_options={"include_usage": True}).text
        assert lines.rstrip().splitlines()[-3].count('"completion_tokens": 2') == 1
        assert "usage" not in small.chat(stream=True).text
