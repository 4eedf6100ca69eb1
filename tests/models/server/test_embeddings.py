"""Embeddings over HTTP, from a small encoder, as OpenAI's own client asks for them."""

import asyncio
import base64
import json
import struct
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI

from core.ports import Purpose
from models.engines.kept import KeptModel
from models.engines.onnx import OnnxEngine, OnnxSettings
from models.engines.protocol import Embedded, Engine
from models.registry.model import Model
from models.registry.registry import Registry
from models.server.app import Limits, Serving, create_app
from tests.gateway.serving import served
from tests.models.encoder.packed import WIDTH
from tests.models.server.scripted import ScriptedEngine


def onnx(path: Path, model: Model) -> Engine:
    assert model.embedding is not None
    return OnnxEngine(path, OnnxSettings(model.embedding, model.context))


@pytest.fixture
def url(small_encoders: Registry) -> Iterator[str]:
    kept = KeptModel(small_encoders, small_encoders.newest("small"), onnx, idle_s=60)
    serving = Serving({"small": kept}, Limits(), time.time, time.monotonic)
    with served(create_app(serving)) as origin:
        yield f"{origin}/v1"


@pytest.fixture
def client(url: str) -> Iterator[OpenAI]:
    with OpenAI(base_url=url, api_key="none", max_retries=0, timeout=30) as made:
        yield made


def test_both_encodings_carry_the_same_vectors(client: OpenAI) -> None:
    texts = ["word7 word8", "word9"]
    packed = client.embeddings.create(model="small", input=texts)
    numbers = client.embeddings.create(model="small", input=texts, encoding_format="float")
    assert [each.index for each in packed.data] == [0, 1]
    for one, other in zip(packed.data, numbers.data, strict=True):
        assert one.embedding == pytest.approx(other.embedding, abs=1e-7)
        assert len(one.embedding) == WIDTH
    assert (packed.model, packed.usage.prompt_tokens, packed.usage.total_tokens) == ("small", 9, 9)


def test_one_text_is_one_vector_of_32_bit_floats(url: str) -> None:
    body = {"model": "small", "input": "word7", "encoding_format": "base64", "dimensions": WIDTH}
    found = httpx.post(f"{url}/embeddings", json=body).json()
    assert found["object"] == "list"
    (row,) = found["data"]
    vector = struct.unpack(f"<{WIDTH}f", base64.b64decode(row["embedding"]))
    assert sum(x * x for x in vector) == pytest.approx(1, abs=1e-5)


def test_what_a_text_is_for_changes_its_vector(client: OpenAI) -> None:
    def vector(**more: Any) -> list[float]:
        found = client.embeddings.create(model="small", input="word7", **more)
        return found.data[0].embedding

    assert vector() == vector(extra_body={"input_type": "query"})
    assert vector() != vector(extra_body={"input_type": "passage"})


@pytest.mark.parametrize(
    ("asked", "param", "reason"),
    [
        ({"input": [[1, 2], [3]]}, "input", "send text"),
        ({"input": [1, 2]}, "input", "send text"),
        ({"input": ["word", " "]}, "input", "a text is empty"),
        ({"input": ""}, "input", "a text is empty"),
        ({"input": []}, "input", "at least 1 item"),
        ({"input": 7}, "input", "a valid array"),
        ({"dimensions": 16}, "dimensions", "vectors of 32 dimensions, no others"),
        ({"extra_body": {"truncate": "END"}}, "truncate", "not supported here"),
    ],
)
def test_what_is_not_done_is_refused_by_name(
    client: OpenAI, asked: dict[str, Any], param: str, reason: str
) -> None:
    with pytest.raises(openai.BadRequestError, match=reason) as raised:
        client.embeddings.create(**{"model": "small", "input": "word", **asked})
    assert raised.value.param == param


def test_more_texts_than_one_request_may_have_are_refused(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="at most 2048"):
        client.embeddings.create(model="small", input=["word"] * 2_049)


def test_a_model_that_embeds_is_not_asked_to_write(client: OpenAI, url: str) -> None:
    with pytest.raises(openai.BadRequestError, match="ask it at /v1/embeddings"):
        client.completions.create(model="small", prompt="word")
    (row,) = httpx.get(f"{url}/models").json()["data"]
    assert (row["id"], row["kind"]) == ("small", "embed")


def test_figures_count_texts_and_tokens(client: OpenAI, url: str) -> None:
    client.embeddings.create(model="small", input=["word7", "word8"])
    with pytest.raises(openai.BadRequestError):
        client.embeddings.create(model="small", input=[""])
    text = httpx.get(url.removesuffix("/v1") + "/metrics").text
    for wanted in (
        'fanlight_model_requests_total{model="small",status="ok"} 1.0',
        'fanlight_model_requests_total{model="small",status="refused"} 1.0',
        'fanlight_model_embedded_texts_total{model="small"} 2.0',
        'fanlight_model_tokens_total{kind="prompt",model="small"} 8.0',
        'fanlight_model_embedding_seconds_count{model="small"} 1.0',
    ):
        assert wanted in text
    assert "word7" not in text


class Slow(ScriptedEngine):
    """Embeds nothing until it is ended."""

    async def embed(self, texts: Sequence[str], purpose: Purpose = "query") -> Embedded:
        self.running += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.running -= 1
            self.ended += 1
        return Embedded([], 0)


def test_a_call_that_takes_too_long_is_ended(small_encoders: Registry) -> None:
    engine = Slow()
    model = small_encoders.newest("small")
    kept = KeptModel(small_encoders, model, lambda _path, _model: engine, idle_s=60)
    serving = Serving({"small": kept}, Limits(timeout_s=0.2), time.time, time.monotonic)
    with served(create_app(serving)) as origin:
        body = {"model": "small", "input": "word"}
        reply = httpx.post(f"{origin}/v1/embeddings", json=body)
        assert reply.status_code == 504
        assert json.loads(reply.text)["error"]["code"] == "timeout"
        assert (engine.ended, engine.running) == (1, 0)
        serving.stop()
        assert httpx.post(f"{origin}/v1/embeddings", json=body).status_code == 503
