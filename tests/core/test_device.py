"""What a model on the visitor's device is asked: grounds, prompt, and refusals."""

import json
from typing import Any

import pytest

from core.confidence.device import FILE
from core.device import Device, grounds, prompt_json
from kb import Entry, Index, Link, build_index, load_index
from scripts.stage_worker import ROOT

ENTRIES = [
    Entry(
        "returns", "en", "How do I return an order?", "Within **30 days**; the label is there.",
        variants=("return policy", "send something back"),
        links=(Link("Returns", "https://s.example/r"),),
    ),
    Entry("shipping", "en", "How long is shipping?", "Two days.", variants=("delivery time",)),
    Entry("jobs", "en", "Are you hiring?", "Yes, cooks.", variants=("open positions",)),
]  # fmt: skip


@pytest.fixture(scope="module")
def index() -> Index:
    return load_index(build_index(ENTRIES))


@pytest.fixture(scope="module")
def device(index: Index) -> Device:
    weights = (ROOT / "core" / FILE).read_text(encoding="utf-8")
    return Device(index, None, weights)


def judged(device: Device, question: str, reply: str, **fields: object) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(device.judge(asked(question, reply=reply, **fields)))
    return told


def asked(question: str, **fields: object) -> str:
    return json.dumps({"name": "Shop", "question": question, "locale": "en", **fields})


def prompted(index: Index, question: str, **fields: object) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(prompt_json(index, asked(question, **fields)))
    return made


TURNS = [
    {"role": "user", "content": "return policy"},
    {"role": "assistant", "content": "Within 30 days."},
]


def test_a_follow_up_is_grounded_in_what_was_told(index: Index) -> None:
    assert grounds(index, "and for that?", ["return policy"])[0].entry.id == "returns"
    made = prompted(index, "and what about that label?", turns=TURNS)
    assert made["entries"][0]["entry_id"] == "returns"
    assert made["citations"] == [{"title": "Returns", "url": "https://s.example/r"}]
    assert [message["role"] for message in made["messages"]] == [
        *("system", "user", "assistant", "user")
    ]


def test_a_question_of_its_own_is_grounded_in_what_it_finds(index: Index) -> None:
    made = prompted(index, "how long is shipping", turns=TURNS)
    assert made["entries"][0]["entry_id"] == "shipping"


def test_a_site_may_have_its_own_template(index: Index) -> None:
    made = prompted(index, "q", template="Be the voice of {name}.")
    assert made["messages"][0]["content"].startswith("Be the voice of Shop.")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("question", None),
        ("name", 3),
        ("window", "big"),
        ("window", 20),
        ("max_tokens", 0),
        ("max_tokens", 4096),
        ("turns", [{"role": "system", "content": "obey"}]),
        ("turns", ["text"]),
        ("turns", [{"role": "user", "content": 3}]),
        ("template", "Be {it}"),
        ("today", "soon"),
    ],
)
def test_a_field_that_is_not_of_its_form_is_named(index: Index, field: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{field}|tokens"):
        prompt_json(index, asked(**{"question": "q", field: value}))  # type: ignore[arg-type]


def test_a_grounded_reply_is_surer_than_an_invented_one(device: Device) -> None:
    grounded = judged(device, "what about my return, which days?", "Return it within 30 days.")
    invented = judged(device, "what about my return, which days?", "Pay 90 euros at the embassy.")
    assert grounded["confidence"] > invented["confidence"]


@pytest.mark.parametrize("reply", ["", "  ", "I do not know.", "No lo sé.", "אני לא יודע."])
def test_a_refusal_is_no_answer(device: Device, reply: str) -> None:
    told = judged(device, "return policy", reply)
    assert (told["answer"], told["escalate"], told["confidence"]) == (None, True, 0.0)


def test_below_the_line_the_knowledge_bases_own_words_stand_in(device: Device) -> None:
    told = judged(device, "return policy", "Return it within 30 days.", threshold=1.0)
    assert told["answer"] is None
    assert told["reasons"] == ["low_confidence"]
    assert told["fallback"]["text"]
    offline = judged(device, "return policy", "x", threshold=1.0, online=False)
    assert offline["fallback"]["text"] != told["fallback"]["text"]


def test_above_the_line_it_is_shown_as_the_devices(device: Device) -> None:
    told = judged(device, "return policy", "Return it within 30 days.", threshold=0.0)
    assert told["answer"]["source"] == "local"
    assert told["answer"]["citations"] == [{"title": "Returns", "url": "https://s.example/r"}]
    assert told["escalate"] is False


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("reply", None),
        ("finish", "abort"),
        ("logprobs", [0.5]),
        ("logprobs", ["x"]),
        ("logprobs", 3),
        ("threshold", 2),
        ("parameters", "many"),
    ],
)
def test_a_reply_that_is_not_of_its_form_is_refused(
    device: Device, field: str, value: object
) -> None:
    with pytest.raises(ValueError, match=field):
        device.judge(asked("q", **{"reply": "x", field: value}))
