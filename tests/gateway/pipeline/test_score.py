"""How far a reply is believed: grounding, refusals, and what retrieval itself was worth."""

import pytest

from gateway.pipeline.score import score
from kb import Entry, Hit

ENTRY = Entry("delivery", "en", "How long does delivery take?", "Delivery takes two working days.")


def hits(confidence: float) -> list[Hit]:
    """One retrieved passage with this confidence."""
    return [Hit(ENTRY, 1.0, confidence, ())]


def test_a_grounded_reply_is_worth_more_than_an_invented_one() -> None:
    grounded = score("Delivery takes two working days.", "delivery time", hits(0.5))
    half = score("Delivery takes nine purple moons.", "delivery time", hits(0.5))
    invented = score("Bananas orbit engines.", "delivery time", hits(0.5))
    assert grounded > half > invented == 0.0


def test_a_better_retrieval_is_worth_more() -> None:
    reply = "Delivery takes two working days."
    assert score(reply, "q", hits(0.9)) > score(reply, "q", hits(0.1))
    assert 0 <= score(reply, "q", []) <= 1


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "  ",
        "…",
        "I don't know.",
        "I'm not sure about that.",
        "No sé.",
        "אני לא יודע",
        "No puedo ayudar",
    ],
)
def test_a_refusal_is_no_answer(reply: str) -> None:
    assert score(reply, "q", hits(0.9)) == 0.0
