"""The messages: frozen values and their JSON form."""

import dataclasses
import json

import pytest

from core import messages
from core.messages import Attempt, Citation, Delivery, Escalation, MemoryTurn, Reply, Turn, Usage

VALUES = [
    value
    for value in vars(messages).values()
    if isinstance(value, type) and dataclasses.is_dataclass(value)
]
TURN = Turn("t_1", "c_1", "Yes.", 0.9, False, ("a",), "cloud", "now", usage=Usage(1, 2))
ESCALATION = Escalation(
    "e_1",
    "site_demo",
    "c_1",
    "t_1",
    "Why?",
    "Ask.",
    "requested",
    0.1,
    "client",
    (MemoryTurn("user", "Hi", "kb", 0.5),),
    "en",
    None,
    "queued",
    "now",
    (Delivery("desk", "webhook", "pending", (Attempt("now", "failed", 500),), "later"),),
    (Reply("h_1", "e_1", "t_1", "Dana", "So.", "now"),),
)


@pytest.mark.parametrize("kind", VALUES, ids=lambda kind: kind.__name__)
def test_every_message_is_frozen_and_has_slots(kind: type) -> None:
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert "__slots__" in vars(kind)


def test_a_turn_has_every_field_of_the_wire() -> None:
    turn = dataclasses.replace(TURN, citations=(Citation("A", "https://a.example"),))
    assert json.loads(json.dumps(turn.document())) == {
        "id": "t_1",
        "conversation_id": "c_1",
        "reply": "Yes.",
        "reasoning": None,
        "confidence": 0.9,
        "escalate": False,
        "reasons": ["a"],
        "source": "cloud",
        "model": None,
        "citations": [{"title": "A", "url": "https://a.example"}],
        "choices": [],
        "sentence": None,
        "fallback_text": None,
        "back_at": None,
        "disclaimers": [],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2},
        "memory": None,
        "created_at": "now",
    }


def test_an_escalation_shows_its_tail_deliveries_and_replies() -> None:
    shown = json.loads(json.dumps(ESCALATION.document()))
    assert shown["tail"] == [{"role": "user", "content": "Hi", "source": "kb", "confidence": 0.5}]
    assert shown["deliveries"][0]["attempts"] == [
        {"at": "now", "outcome": "failed", "status": 500, "detail": ""}
    ]
    assert shown["deliveries"][0]["next_at"] == "later"
    assert shown["replies"][0]["content"] == "So."
    assert set(shown) == {field.name for field in dataclasses.fields(Escalation)}
