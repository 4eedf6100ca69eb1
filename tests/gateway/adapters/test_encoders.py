"""Servers that embed and rerank: what they are asked, and what of their answers counts."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from core.breaker import RULE
from core.errors import Unavailable
from gateway.adapters.remote_embeddings import AT_ONCE, MOST_TEXT, RemoteEmbedder
from gateway.adapters.remote_reranking import RemoteReranker
from gateway.settings import EmbeddingSettings, RerankSettings, Secret
from tests.congruence.samples import StandingClock

type Handle = Callable[[httpx.Request], httpx.Response]


class Sends(httpx.AsyncByteStream):
    """A body in one chunk."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.body


def says(body: Any, status: int = 200) -> httpx.Response:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.Response(status, stream=Sends(data))


class Server:
    """Answers each question by `answer`, and keeps them."""

    def __init__(self, answer: Callable[[Any], Any]) -> None:
        self.answer = answer
        self.requests: list[httpx.Request] = []
        self.asked: list[Any] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.asked.append(json.loads(request.content))
        found = self.answer(self.asked[-1])
        return found if isinstance(found, httpx.Response) else says(found)


def embedder(
    handle: Handle, clock: StandingClock | None = None, deadline_s: float = 10, **more: Any
) -> RemoteEmbedder:
    given: dict[str, Any] = {
        "url": "https://e.example/v1",
        "model": "m",
        "kind": "openai",
        "key": Secret("k"),
    }
    settings = EmbeddingSettings(**(given | more))
    transport = httpx.MockTransport(handle)
    return RemoteEmbedder(settings, transport, clock or StandingClock(), deadline_s=deadline_s)


def dialect(asked: Any) -> Any:
    """Vectors in OpenAI's dialect, backwards: their index counts."""
    rows = [{"index": at, "embedding": [3, at]} for at, _ in enumerate(asked["input"])]
    return {"data": rows[::-1]}


async def test_openais_dialect_is_asked_and_its_index_counts() -> None:
    server = Server(dialect)
    own = embedder(server, query_prefix="query: ", passage_prefix="passage: ")
    first, second = await own.embed(["a", "b"], "query")
    assert list(first) == [1, 0]
    assert second == pytest.approx([3 / math.sqrt(10), 1 / math.sqrt(10)])
    await own.embed(["c" * 2 * MOST_TEXT], "passage")
    assert str(server.requests[0].url) == "https://e.example/v1/embeddings"
    assert server.requests[0].headers["authorization"] == "Bearer k"
    assert server.asked[0] == {
        "model": "m",
        "input": ["query: a", "query: b"],
        "encoding_format": "float",
    }
    assert server.asked[1]["input"] == ["passage: " + "c" * MOST_TEXT]
    await own.close()


async def test_a_server_of_ours_is_told_what_texts_are_for() -> None:
    server = Server(dialect)
    await embedder(server, kind="fanlight").embed(["a"], "passage")
    assert server.asked[0]["input_type"] == "passage"


async def test_text_embeddings_inference_is_asked_in_its_own_way() -> None:
    server = Server(lambda asked: [[0, 5] for _ in asked["inputs"]])
    own = embedder(server, kind="tei", url="https://e.example", key=Secret(""))
    assert [list(each) for each in await own.embed(["a", "b"], "query")] == [[0, 1], [0, 1]]
    assert str(server.requests[0].url) == "https://e.example/embed"
    assert "authorization" not in server.requests[0].headers
    assert server.asked[0] == {"inputs": ["a", "b"], "truncate": True}


async def test_many_texts_are_asked_in_batches_and_keep_their_order() -> None:
    server = Server(lambda asked: [[1, int(text)] for text in asked["inputs"]])
    own = embedder(server, kind="tei")
    count = 2 * AT_ONCE + 1
    found = await own.embed([str(number) for number in range(count)], "query")
    assert [round(y / x) for x, y in found] == list(range(count))
    assert [len(asked["inputs"]) for asked in server.asked] == [AT_ONCE, AT_ONCE, 1]
    assert await own.embed([], "query") == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"<html>", "another form"),
        ({"data": []}, "0 vectors for 1 texts"),
        ({"data": [{"index": 0}]}, "another form"),
        ({"data": [{"index": 0, "embedding": "AAAA"}]}, "another form"),
        ({"data": [{"index": 0, "embedding": [0, 0]}]}, "without a direction"),
        ({"data": [{"index": 0, "embedding": []}]}, "without a direction"),
        (b'{"data": [{"index": 0, "embedding": [1e999, 1]}]}', "without a direction"),
        (b'{"data": [{"index": 0, "embedding": [NaN, 1]}]}', "without a direction"),
        ({"data": [{"index": 0, "embedding": [1, 2, 3]}]}, "3 dimensions, not 2"),
        (b"[" * 100_000, "another form"),
        (b" " * ((8 << 20) + 1), "too long"),
    ],
)
async def test_what_holds_no_vectors_is_unavailable(answer: Any, reason: str) -> None:
    own = embedder(Server(lambda _: says(answer)), dimensions=2)
    with pytest.raises(Unavailable, match=reason):
        await own.embed(["a"], "query")


async def test_the_first_answer_says_how_many_dimensions_there_are() -> None:
    sizes = iter([2, 2, 3])
    own = embedder(Server(lambda _: [[1] * next(sizes)]), kind="tei")
    await own.embed(["a"], "query")
    await own.embed(["b"], "query")
    with pytest.raises(Unavailable, match="3 dimensions, not 2"):
        await own.embed(["c"], "query")


async def test_a_refusal_is_told_with_the_servers_reason() -> None:
    refused = {"error": {"message": "input is too long"}}
    own = embedder(Server(lambda _: says(refused, 413)))
    with pytest.raises(Unavailable, match="answered 413: input is too long"):
        await own.embed(["a"], "query")


@pytest.mark.parametrize(
    ("answer", "calls"),
    [
        (lambda _: says({}, 500), RULE.failures),
        (lambda _: says(b"no"), RULE.failures),
        (lambda _: says({}, 401), RULE.failures),
        (lambda _: says({}, 422), 3 * RULE.failures),
    ],
)
async def test_a_server_that_fails_is_left_alone_but_not_for_a_wrong_question(
    answer: Callable[[Any], Any], calls: int
) -> None:
    server, clock = Server(answer), StandingClock()
    own = embedder(server, clock)
    for _ in range(3 * RULE.failures):
        with pytest.raises(Unavailable):
            await own.embed(["a"], "query")
    assert len(server.asked) == calls
    clock.now += RULE.rest_s
    server.answer = dialect
    assert len(await own.embed(["a"], "query")) == 1


class Silent(httpx.AsyncBaseTransport):
    """Never answers."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError


async def test_a_server_that_says_nothing_is_not_waited_for() -> None:
    given = EmbeddingSettings("https://e.example/v1", "m", "openai", Secret(""))
    own = RemoteEmbedder(given, Silent(), StandingClock(), deadline_s=0.02)
    with pytest.raises(Unavailable, match=r"no answer within 0\.02 s"):
        await own.embed(["a"], "query")
    rerank = RerankSettings("https://e.example", "m", "tei", Secret(""))
    with pytest.raises(Unavailable, match=r"0\.02 s"):
        await RemoteReranker(rerank, Silent(), StandingClock(), deadline_s=0.02).rerank("q", ["a"])


def reranker(handle: Handle, kind: str) -> RemoteReranker:
    settings = RerankSettings("https://r.example", "m", kind, Secret("k"))
    return RemoteReranker(settings, httpx.MockTransport(handle), StandingClock())


async def test_passages_are_reranked_in_both_dialects() -> None:
    tei = Server(
        lambda asked: [{"index": at, "score": int(x)} for at, x in enumerate(asked["texts"])][::-1]
    )
    passages = [str(number) for number in range(AT_ONCE + 2)]
    own = reranker(tei, "tei")
    assert await own.rerank("q", passages) == list(range(AT_ONCE + 2))
    assert str(tei.requests[0].url) == "https://r.example/rerank"
    assert tei.asked[1] == {"query": "q", "texts": passages[AT_ONCE:], "truncate": True}
    assert await own.rerank("q", []) == []
    await own.close()
    cohere = Server(lambda _: {"results": [{"index": 1, "relevance_score": 0.5},
                                           {"index": 0, "relevance_score": 0.1}]})  # fmt: skip
    assert await reranker(cohere, "cohere").rerank("q", ["a", "b"]) == [0.1, 0.5]
    assert cohere.asked == [{"model": "m", "query": "q", "documents": ["a", "b"]}]


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {"results": []},
        [{"index": 0, "score": 1}, {"index": 0, "score": 1}],
        [{"index": 0, "score": 1}, {"index": 2, "score": 1}],
        [{"index": 0, "score": "x"}, {"index": 1, "score": 1}],
        b'[{"index": 0, "score": NaN}, {"index": 1, "score": 1}]',
    ],
)
async def test_what_does_not_score_each_passage_is_unavailable(answer: Any) -> None:
    with pytest.raises(Unavailable, match="the model server's answer"):
        await reranker(Server(lambda _: says(answer)), "tei").rerank("q", ["a", "b"])
