import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.messages import Consent, MemoryTurn
from gateway.escalation.payload import LIMIT_BYTES, NOTE, contact_left, created, turn_added
from tests.gateway.escalation.samples import an_added_turn, an_escalation


def read(body: bytes) -> dict[str, Any]:
    document = json.loads(body.decode("utf-8"))
    assert isinstance(document, dict)
    return document


def test_the_body_is_the_wires() -> None:
    escalation = an_escalation(tail=(MemoryTurn("user", "¿Hola?", "kb", 0.9),))
    document = read(created(escalation))
    assert document["type"] == "escalation.created"
    assert document["timestamp"] == escalation.created_at
    assert document["data"] == {
        "gateway": "site_demo",
        "escalation_id": escalation.id,
        "conversation_id": escalation.conversation_id,
        "turn_id": escalation.turn_id,
        "question": "Where is my parcel?",
        "fallback_text": "A person will answer here.",
        "reason": "low_confidence",
        "confidence": 0.31,
        "conversation_tail": [{"role": "user", "content": "¿Hola?"}],
        "locale": "es",
        "contact": None,
        "contact_consent": None,
    }


def test_a_later_turn_is_told_with_the_escalations_id() -> None:
    escalation, turn = an_escalation(), an_added_turn()
    document = read(turn_added(escalation, turn))
    assert (document["type"], document["timestamp"]) == ("escalation.turn_added", turn.created_at)
    data = document["data"]
    assert (data["escalation_id"], data["turn_id"]) == (escalation.id, turn.turn_id)
    assert (data["question"], data["reason"], data["locale"]) == (turn.question, "empty", "en")
    assert data["conversation_tail"] == [{"role": "user", "content": "Where is my parcel?"}]
    long = replace(turn, question="¿" * 30_000)
    assert len(turn_added(escalation, long)) < LIMIT_BYTES


def test_a_contact_is_told_with_what_the_visitor_agreed_to() -> None:
    consent = Consent("Write to me.", "2026-11-21T09:07:00.000Z")
    escalation = an_escalation()
    turn = replace(an_added_turn(), contact="a@example.com", contact_consent=consent)
    agreed = {"wording": "Write to me.", "at": "2026-11-21T09:07:00.000Z"}
    assert read(contact_left(escalation, turn)) == {
        "type": "escalation.contact_left",
        "timestamp": "2026-11-21T09:07:00.000Z",
        "data": {
            "gateway": "site_demo",
            "escalation_id": escalation.id,
            "conversation_id": escalation.conversation_id,
            "turn_id": turn.turn_id,
            "contact": "a@example.com",
            "contact_consent": agreed,
        },
    }
    assert read(turn_added(escalation, turn))["data"]["contact_consent"] == agreed
    old = replace(escalation, contact="a@example.com")
    assert read(contact_left(old, old))["data"]["contact_consent"] is None


def test_the_same_escalation_gives_the_same_bytes() -> None:
    delivered = replace(an_escalation(), status="delivered")
    assert created(an_escalation()) == created(delivered)


def test_the_oldest_turns_go_first() -> None:
    tail = tuple(MemoryTurn("user", f"{number} " + "שלום " * 700) for number in range(6))
    data = read(created(an_escalation(tail=tail)))["data"]
    kept = [turn["content"][0] for turn in data["conversation_tail"]]
    assert kept == ["3", "4", "5"]
    assert data["question"] == "Where is my parcel?"
    assert data["note"] == NOTE


@pytest.mark.parametrize("char", ["a", "é", "ש", "😀", "\x00", '"', "\ud800"])
def test_texts_are_cut_only_when_the_tail_is_gone(char: str) -> None:
    question = char * 20_000
    data = read(created(an_escalation(question=question, tail=(MemoryTurn("user", "Hello"),))))[
        "data"
    ]
    assert data["conversation_tail"] == []
    assert data["question"].endswith("…")
    assert len(data["question"]) > 2_000
    assert data["fallback_text"] == "A person will answer here."
    assert data["note"] == NOTE


@given(
    question=st.text(max_size=50).map(lambda text: text * 200),
    fallback_text=st.text(max_size=50).map(lambda text: text * 200),
    tail=st.lists(st.text(max_size=40).map(lambda text: text * 200), max_size=6),
    limit=st.integers(1_000, LIMIT_BYTES),
)
def test_any_escalation_fits_and_is_utf8_json(
    question: str, fallback_text: str, tail: list[str], limit: int
) -> None:
    turns = tuple(MemoryTurn("user", text) for text in tail)
    escalation = an_escalation(question, fallback_text, turns)
    body = created(escalation, limit)
    assert len(body) < limit
    data = read(body)["data"]
    whole = data["question"] == question and len(data["conversation_tail"]) == len(tail)
    assert whole or data["note"] == NOTE
    assert question.startswith(data["question"].removesuffix("…"))
