"""The model server with the real SmolLM2-135M, asked by OpenAI's own client."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import openai
import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam

pytestmark = pytest.mark.needs("weights")

MODEL = "smollm2-135m"
STARTED_S = 60
STOPPED_S = 30
CAPITAL: list[ChatCompletionMessageParam] = [
    {"role": "user", "content": "What is the capital of France?"}
]
STORY: list[ChatCompletionMessageParam] = [
    {"role": "user", "content": "Tell me a long story about a fox."}
]


def start(weights: Path, *arguments: str, **environ: str) -> tuple[subprocess.Popen[str], str]:
    """The server as people start it, and its address."""
    code = "import sys; from gateway.cli.entry import main; sys.exit(main())"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "models", "serve", "--port", "0", "--json", *arguments],
        env={**os.environ, "FANLIGHT_MODELS_DIR": str(weights), **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate(timeout=STOPPED_S)[1]
    return process, json.loads(line)["url"]


@pytest.fixture(scope="module")
def url(weights: Path) -> Iterator[str]:
    process, address = start(weights, MODEL, "--context", "512", "--warm")
    yield address
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=STOPPED_S)
    assert (process.returncode, errors) == (0, "Stopped.\n")


@pytest.fixture
def client(url: str) -> Iterator[OpenAI]:
    with OpenAI(base_url=url, api_key="none", max_retries=0, timeout=60) as made:
        yield made


def test_it_knows_the_capital_of_france(client: OpenAI) -> None:
    reply = client.chat.completions.create(model=MODEL, messages=CAPITAL, temperature=0)
    assert reply.choices[0].message.content == "The capital of France is Paris."
    assert reply.choices[0].finish_reason == "stop"
    assert reply.model == MODEL
    assert reply.usage is not None
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens


def test_it_streams_the_same(client: OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model=MODEL,
            messages=CAPITAL,
            temperature=0,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    texts = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(texts) == "The capital of France is Paris."
    assert len([text for text in texts if text]) > 3
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 8


def test_stop_seed_and_length_are_kept_to(client: OpenAI) -> None:
    create = client.chat.completions.create
    stopped = create(model=MODEL, messages=CAPITAL, temperature=0, stop=[" France", "!"])
    assert stopped.choices[0].message.content == "The capital of"
    replies = [
        create(model=MODEL, messages=STORY, temperature=1.5, seed=seed, max_tokens=12)
        for seed in (7, 7, 8)
    ]
    texts = [reply.choices[0].message.content for reply in replies]
    assert texts[0] == texts[1] != texts[2]
    assert replies[0].choices[0].finish_reason == "length"
    newer = create(model=MODEL, messages=CAPITAL, max_completion_tokens=2)
    assert newer.usage is not None
    assert newer.usage.completion_tokens == 2


def test_log_probabilities_come_with_every_token(client: OpenAI) -> None:
    reply = client.chat.completions.create(
        model=MODEL, messages=CAPITAL, temperature=0, logprobs=True, top_logprobs=2
    )
    found = reply.choices[0].logprobs
    assert found is not None
    assert found.content is not None
    assert "".join(each.token for each in found.content) == reply.choices[0].message.content
    assert all(each.logprob <= 0 and len(each.top_logprobs) == 2 for each in found.content)
    streamed = client.chat.completions.create(
        model=MODEL, messages=CAPITAL, temperature=0, logprobs=True, stream=True
    )
    rows = [
        row
        for chunk in streamed
        if chunk.choices[0].logprobs
        for row in chunk.choices[0].logprobs.content or ()
    ]
    assert [row.token for row in rows] == [each.token for each in found.content]


def test_text_is_continued_too(client: OpenAI) -> None:
    reply = client.completions.create(
        model=MODEL, prompt="The capital of France is", temperature=0, max_tokens=3, logprobs=2
    )
    assert reply.choices[0].text.startswith(" Paris.")
    found = reply.choices[0].logprobs
    assert found is not None
    assert found.tokens is not None
    assert found.tokens[:2] == [" Paris", "."]
    assert found.text_offset is not None
    assert found.text_offset[:2] == [0, 6]
    streamed = client.completions.create(
        model=MODEL, prompt=["The capital of France is"], temperature=0, max_tokens=3, stream=True
    )
    assert "".join(chunk.choices[0].text for chunk in streamed) == reply.choices[0].text


def test_what_is_served_is_listed(client: OpenAI) -> None:
    assert [each.id for each in client.models.list()] == [MODEL]


def test_a_prompt_that_is_too_long_is_told_in_numbers(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as raised:
        client.completions.create(model=MODEL, prompt="word " * 600)
    assert "601 tokens and the context holds 512" in str(raised.value)
    assert raised.value.code == "context_length_exceeded"
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "word " * 600}], stream=True
        )


def test_another_model_is_not_found(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match=f"Served: {MODEL}"):
        client.chat.completions.create(model="gpt-x", messages=CAPITAL)


def test_what_cannot_be_done_is_refused_by_name(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="tools is not supported") as raised:
        client.chat.completions.create(
            model=MODEL,
            messages=CAPITAL,
            tools=[{"type": "function", "function": {"name": "f"}}],
        )
    assert raised.value.param == "tools"


def test_figures_are_given_and_hold_no_words(client: OpenAI, url: str) -> None:
    client.chat.completions.create(model=MODEL, messages=CAPITAL, max_tokens=3)
    text = httpx.get(url.removesuffix("/v1") + "/metrics").text
    for wanted in (
        'fanlight_model_requests_total{model="smollm2-135m",status="ok"}',
        'fanlight_model_first_token_seconds_count{model="smollm2-135m"}',
        'fanlight_model_tokens_total{kind="completion",model="smollm2-135m"}',
        'fanlight_model_loaded{model="smollm2-135m"} 1.0',
        "fanlight_model_waiting 0.0",
    ):
        assert wanted in text
    assert "France" not in text


def test_a_stop_lets_a_reply_end_and_takes_nothing_new(weights: Path) -> None:
    process, url = start(weights, MODEL, "--context", "512")
    body = {"model": MODEL, "messages": STORY, "max_tokens": 40, "stream": True}
    try:
        with (
            httpx.Client(base_url=url, timeout=60) as http,
            http.stream("POST", "chat/completions", json=body) as running,
        ):
            lines = running.iter_lines()
            next(lines)
            process.send_signal(signal.SIGINT)
            rest = [line for line in lines if line]
        assert rest[-1] == "data: [DONE]"
        assert process.wait(timeout=STOPPED_S) == 0
    finally:
        process.kill()
        process.communicate(timeout=STOPPED_S)


def test_it_ends_with_the_process_that_started_it(weights: Path) -> None:
    code = "import sys; from gateway.cli.entry import main; sys.exit(main())"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "models", "serve", "--port", "0", "--json", "--with-parent"],
        env={**os.environ, "FANLIGHT_MODELS_DIR": str(weights)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert json.loads(process.stdout.readline())["models"] == [{"id": MODEL, "version": "1"}]
    process.stdin.close()
    assert process.wait(timeout=STOPPED_S) == 0
    process.stdout.close()
