"""An answer from the knowledge base alone, as the browser and the gateway both ask for it."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.respond import (
    MAX_QUESTION,
    SUGGESTIONS,
    document,
    marked_sentence,
    respond,
    respond_json,
)
from kb import Entry, Hit, Index, Link, build_index, load_index

ENTRIES = (
    Entry(
        "returns",
        "en",
        "How do I return an order?",
        "Send it back within **30 days**.",
        variants=("return policy", "can I send my order back?"),
        links=(Link("Returns", "https://shop.example/returns"),),
    ),
    Entry("returns", "es", "¿Cómo devuelvo un pedido?", "Devuélvelo en **30 días**."),
    Entry("returns", "he", "איך מחזירים הזמנה?", "מחזירים אותה תוך **30 יום**."),
    Entry("hours", "en", "When are you open?", "Monday to Friday, 9 to 17."),
    Entry("hours", "es", "¿Cuándo abrís?", "De lunes a viernes, de 9 a 17."),
    Entry("legal", "en", "I want to make a legal complaint", "A person reads it.", escalate=True),
    Entry("ship", "en", "How long does shipping of an order take?", "Two days."),
    Entry("cancel", "en", "How do I cancel an order?", "In your account."),
    Entry("offline", "en", "offline", "You are offline; I keep it.", tags=("system:offline",)),
)


@pytest.fixture(scope="module")
def index() -> Index:
    return load_index(build_index(ENTRIES))


def ask(index: Index, question: str, **asked: object) -> dict[str, object]:
    made: dict[str, object] = json.loads(
        respond_json(index, json.dumps({"question": question, **asked}))
    )
    return made


@pytest.mark.parametrize(
    ("question", "locale", "answer"),
    [
        ("How do I return an order?", "en", "Send it back within **30 days**."),
        ("¿Cómo devuelvo un pedido?", "en", "Devuélvelo en **30 días**."),
        ("איך מחזירים הזמנה?", "en", "מחזירים אותה תוך **30 יום**."),
    ],
)
def test_the_questions_language_decides_the_answers(
    index: Index, question: str, locale: str, answer: str
) -> None:
    said = ask(index, question, locale=locale)
    assert isinstance(said["answer"], dict)
    assert said["answer"]["text"] == answer
    assert said["route"] == "kb"
    assert said["escalate"] is False


def test_a_known_language_goes_before_the_detected_one(index: Index) -> None:
    response = respond(index, "¿Cuándo abrís?", locale="he", question_locale="en")
    assert response.locale == "en"


@pytest.mark.parametrize(("locale", "shown"), [("he", "he"), (None, "en")])
def test_the_visitors_language_counts_where_the_question_has_none(
    index: Index, locale: str | None, shown: str
) -> None:
    assert respond(index, "12345", locale=locale).locale == shown


def test_an_index_without_entries_still_speaks() -> None:
    empty = load_index(build_index(()))
    response = respond(empty, "12345")
    assert response.locale == "en"
    assert response.fallback_text
    assert document(response, empty)["gate"] == {
        "entry_id": None,
        "confidence": 0.0,
        "index_release": empty.release,
    }


def test_an_answer_carries_its_links_and_its_method(index: Index) -> None:
    answer = ask(index, "How do I return an order?")["answer"]
    assert isinstance(answer, dict)
    assert answer["citations"] == [{"title": "Returns", "url": "https://shop.example/returns"}]
    assert answer["source"] == "kb"
    assert "exact" in answer["method"].split(",")
    assert 0.55 <= answer["confidence"] <= 1


def test_an_entry_marked_always_is_shown_and_escalated(index: Index) -> None:
    said = ask(index, "I want to make a legal complaint")
    assert said["route"] == "kb"
    assert said["escalate"] is True
    assert said["reasons"] == ["always"]
    assert said["answer"] is not None


def test_an_unknown_question_goes_to_the_cloud_or_waits(index: Index) -> None:
    online = ask(index, "zebra xylophone quantum?", locale="en")
    assert (online["route"], online["answer"], online["escalate"]) == ("cloud", None, True)
    offline = ask(index, "zebra xylophone quantum?", locale="en", online=False)
    assert offline["route"] == "escalate"
    assert offline["fallback"] == {
        "text": "You are offline; I keep it.",
        "locale": "en",
        "suggestions": [],
    }


def test_near_questions_are_suggested(index: Index) -> None:
    said = ask(index, "order", locale="en", threshold=1)
    assert isinstance(said["fallback"], dict)
    suggestions = said["fallback"]["suggestions"]
    assert 1 <= len(suggestions) <= SUGGESTIONS
    known = {(entry.id, entry.question) for entry in ENTRIES}
    assert {(near["entry_id"], near["question"]) for near in suggestions} <= known


def test_the_threshold_is_the_callers(index: Index) -> None:
    assert ask(index, "How do I return an order?", threshold=0)["route"] == "kb"
    assert ask(index, "How do I return an order?", threshold=1)["route"] == "cloud"


def test_a_question_is_searched_up_to_its_cap(index: Index) -> None:
    padded = "How do I return an order? " + " " * MAX_QUESTION
    assert ask(index, padded + "zebra")["answer"] == ask(index, padded)["answer"]


BAD_REQUESTS = {
    "not JSON": "{",
    "not an object": "[]",
    "null": "null",
    "no question": "{}",
    "a question that is null": '{"question": null}',
    "a question that is a number": '{"question": 1}',
    "a locale that is a number": '{"question": "a", "locale": 1}',
    "a question's locale that is a list": '{"question": "a", "question_locale": []}',
    "a threshold that is null": '{"question": "a", "threshold": null}',
    "a threshold that is text": '{"question": "a", "threshold": "0.5"}',
    "a threshold that is true": '{"question": "a", "threshold": true}',
    "a threshold that is no number": '{"question": "a", "threshold": NaN}',
    "a threshold above one": '{"question": "a", "threshold": 1.5}',
    "online that is a number": '{"question": "a", "online": 0}',
}


@pytest.mark.parametrize("request_json", BAD_REQUESTS.values(), ids=BAD_REQUESTS)
def test_a_request_of_another_form_is_refused(index: Index, request_json: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - a JSON error or ours, both say where
        respond_json(index, request_json)


@given(st.text())
def test_any_text_is_a_question(question: str) -> None:
    said = ask(INDEX, question)
    assert (said["answer"] is None) == (said["route"] != "kb")


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "question",
                "locale",
                "question_locale",
                "threshold",
                "online",
                "may_clarify",
                "history",
                "today",
                "device",
                "risk_topics",
            ]
        ),
        st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.lists(st.none()),
    )
)
def test_arbitrary_requests_raise_nothing_else(asked: dict[str, object]) -> None:
    with suppress(ValueError):
        respond_json(INDEX, json.dumps(asked))


INDEX = load_index(build_index(ENTRIES))


def test_who_meant_none_of_the_choices_is_not_offered_them_again(index: Index) -> None:
    asked = respond(index, "order")
    declined = respond(index, "order", may_clarify=False)
    assert asked.verdict.choices
    assert declined.verdict.choices == ()
    fallbacks = [document(one, index)["fallback"] for one in (asked, declined)]
    offered = [fallback["suggestions"] for fallback in fallbacks if isinstance(fallback, dict)]
    assert offered[0]
    assert offered[1] == []


def test_a_question_between_entries_is_asked_back_in_its_language(index: Index) -> None:
    said = ask(index, "order", locale="en")
    clarify = said["clarify"]
    assert said["route"] == "clarify"
    assert said["escalate"] is False
    assert isinstance(clarify, dict)
    assert clarify["text"] == "Which of these do you mean?"
    assert [choice["entry_id"] for choice in clarify["choices"]] == ["cancel", "returns"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("history", "text"),
        ("history", [3]),
        ("today", "tomorrow"),
        ("today", 3),
        ("may_clarify", 1),
        ("device", [1]),
        ("network", {"network": "fast"}),
        ("engine", {"engine": 3}),
        ("battery", {"battery": 1.5}),
        ("data_saver", {"data_saver": "yes"}),
        ("site", {"site": "always"}),
        ("cloud", {"cloud": None}),
    ],
)
def test_a_field_that_is_not_of_its_form_is_named(index: Index, field: str, value: object) -> None:
    name = "device" if isinstance(value, dict) else field
    with pytest.raises(ValueError, match=field):
        ask(index, "order", **{name: value})


def test_a_place_in_a_text_is_told_as_javascript_counts(index: Index) -> None:
    entry = Entry("a", "en", "Q", "🙂 One. Two.")
    assert marked_sentence(Hit(entry, 1.0, 1.0, (), (7, 11))) == (8, 12)
    assert marked_sentence(Hit(entry, 1.0, 1.0, ())) is None


NEAR = {"kb": 0.5, "near": 11.0, "languages": ["en"]}


def test_what_an_encoder_says_orders_the_hits(index: Index) -> None:
    question = "my order"
    plain = ask(index, question)["gate"]
    cosines = {"ship": 0.9, "cancel": 0.1, "returns": 0.1}
    told = ask(index, question, near={**NEAR, "cosines": cosines})["gate"]
    assert isinstance(plain, dict)
    assert isinstance(told, dict)
    assert told["entry_id"] == "ship" != plain["entry_id"]


@pytest.mark.parametrize(
    ("near", "said"),
    [
        ({**NEAR}, "cosines"),
        ({**NEAR, "cosines": {"a": 7}}, "between -1 and 1"),
        ({**NEAR, "cosines": {"a": "b"}}, "between -1 and 1"),
        ({"cosines": {}, "near": 1.0}, "kb"),
        ({"cosines": {}, "near": float("inf"), "kb": 1}, "finite"),
        ({**NEAR, "cosines": {}, "languages": [1]}, "languages"),
        ([], "near"),
    ],
)
def test_what_no_encoder_says_is_refused(index: Index, near: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ask(index, "anything", near=near)


def test_an_encoder_is_not_heard_where_the_knowledge_base_is_sure(index: Index) -> None:
    question = "When are you open tomorrow?"
    plain = ask(index, question, threshold=0.1)
    assert plain["answer"] is not None
    told = {**NEAR, "cosines": {"ship": 0.9, "hours": 0.1}}
    assert ask(index, question, threshold=0.1, near=told) == plain
