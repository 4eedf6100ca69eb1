"""The staged Worker under Pyodide in Node: a visitor's and an operator's calls, end to end."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from core.digest import sha256_hex
from kb import build_index, load_index
from kb.embed import load_embedding
from tests.edge.staging import BUILD, platform_sdk, run_node, staged_worker
from tests.gateway.world import ENTRIES
from tests.small_embedding import release_of, small_embedding

QUESTION = "return policy"
ANSWER = "Send it back within **30 days**; the label is in the box."

pytestmark = [pytest.mark.needs("node"), pytest.mark.timeout(400)]


@cache
def life(node: Path) -> dict[str, Any]:
    worker, sdk = staged_worker(), platform_sdk()
    packed = small_embedding()
    made = build_index(ENTRIES, embedding=load_embedding(packed))
    index, embedding = BUILD / "worker-test.idx", BUILD / "worker-test.bin"
    index.write_bytes(made)
    embedding.write_bytes(packed)
    told = {
        "worker": str(worker),
        "sdk": str(sdk),
        "index": str(index),
        "release": load_index(made).release,
        "embedding": str(embedding),
        "embeddingRelease": release_of(packed),
        "question": QUESTION,
    }
    return run_node(node, "run_worker.mjs", told)


@pytest.fixture
def lived(node_path: Path) -> dict[str, Any]:
    """All that came back from one life of the Worker."""
    return life(node_path)


def events(body: str) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for block in filter(None, body.split("\n\n")):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if line[0] != ":")
        if fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


@pytest.mark.parametrize(
    ("case", "named"),
    [
        ("unset", "FANLIGHT_SITES"),
        ("keyless", "FANLIGHT_SIGNING_JWK"),
        ("unknown_truth", "FANLIGHT_TRUTH"),
        ("mixed_key", "FANLIGHT_SIGNING_JWK"),
        ("no_index", "KB[site_demo.idx]"),
        ("broken_index", "KB[site_demo.idx]"),
        ("broken_embedding", "KB[embedding.bin]"),
        ("kv_down", "KB"),
    ],
)
def test_a_worker_that_cannot_start_says_why(lived: dict[str, Any], case: str, named: str) -> None:
    refused = lived["refused"][case]
    assert (refused["status"], refused["type"]) == (503, "application/problem+json")
    assert refused["body"]["type"] == "https://fanlight.dev/problems/not-configured"
    assert named in refused["body"]["detail"]


def test_requests_that_come_at_once_are_all_answered(lived: dict[str, Any]) -> None:
    assert [health["status"] for health in lived["healths"]] == [200, 200]
    assert {health["body"]["status"] for health in lived["healths"]} == {"ok"}


def test_a_session_opens_by_proof_of_work_and_of_the_key(lived: dict[str, Any]) -> None:
    assert lived["session"]["status"] == 201
    assert lived["session"]["body"]["subject"].startswith("anon:")
    assert lived["renewed"]["status"] == 200
    assert lived["renewed"]["body"]["sid"] == lived["session"]["body"]["sid"]


def test_a_question_is_answered_from_the_knowledge_base(lived: dict[str, Any]) -> None:
    assert lived["chat"]["status"] == 200
    turn = lived["chat"]["body"]
    assert (turn["reply"], turn["source"], turn["escalate"]) == (ANSWER, "kb", False)


def test_an_answer_is_streamed(lived: dict[str, Any]) -> None:
    assert lived["streamed"]["type"].startswith("text/event-stream")
    (_, _), (delta, piece), (meta, _), (done, last) = events(lived["streamed"]["body"])
    assert meta == "meta"
    assert (delta, piece) == ("delta", {"text": ANSWER})
    assert (done, last["turn"]["reply"]) == ("done", ANSWER)
    assert last["receipt"].count(".") == 2


def test_an_escalation_is_acknowledged(lived: dict[str, Any]) -> None:
    assert lived["escalated"]["status"] == 202
    assert lived["escalated"]["body"]["status"] == "queued"


def test_receipts_hold_under_the_published_key_and_form_a_chain(lived: dict[str, Any]) -> None:
    answered, escalated = lived["receipts"]
    assert answered["question_sha256"] == sha256_hex(QUESTION)
    assert answered["answer_sha256"] == sha256_hex(ANSWER)
    assert (answered["provenance"], answered["prev"]) == ("server", None)
    assert (escalated["provenance"], escalated["escalate"]) == ("client", True)
    assert escalated["prev"] is not None


@pytest.mark.parametrize(
    ("call", "problem"), [("replayed", "replayed-request"), ("tampered", "bad-signature")]
)
def test_a_call_that_is_not_its_senders_is_refused(
    lived: dict[str, Any], call: str, problem: str
) -> None:
    assert lived[call]["status"] == 401
    assert lived[call]["body"]["type"].endswith(problem)


def test_an_operator_sees_the_escalation_and_replies(lived: dict[str, Any]) -> None:
    operated = lived["operated"]
    assert operated["logged"] == 204
    (item,) = operated["listed"]["body"]["items"]
    assert item["id"] == lived["escalated"]["body"]["escalation_id"]
    assert (operated["resent"]["status"], operated["replied"]["status"]) == (202, 201)


def test_the_reply_reaches_the_visitors_stream(lived: dict[str, Any]) -> None:
    told = events(lived["events"]["body"])
    assert [name for name, _ in told] == ["escalation_status", "human_reply", "escalation_status"]
    assert told[1][1]["content"] == "Of course. Dana here."


def test_no_address_needs_a_thread(lived: dict[str, Any]) -> None:
    # A Worker has no web assets of its own: they are the platform's to serve.
    assert lived["looked"] == {
        "/.well-known/fanlight-keys.json": 200,
        "/openapi.json": 200,
        "/kb/site_demo/release.idx": 200,
        "/kb/embedding/release.bin": 200,
        "/loader.js": 503,
        "/panel/site_demo": 503,
        "/chat/site_demo": 503,
        "/sw.js": 404,
        "/assets/none.js": 404,
        "/nowhere": 404,
    }


def test_each_address_has_its_own_limit(lived: dict[str, Any]) -> None:
    assert lived["limited"] == {"crowded": 429, "another": 200}


def test_nothing_outlives_its_request(lived: dict[str, Any]) -> None:
    assert lived["unfinished"] == 0
