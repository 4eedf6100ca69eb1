"""MemoryMeta v1: every document that is made is one of the schema's."""

import json
from dataclasses import replace
from importlib.resources import files

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.bank import Recalled
from core.memory_meta import FILE, MOST, TIERS, Looked, Used, kept, memory_meta
from kb import Entry, Hit, Link

SCHEMA = json.loads((files("core") / FILE).read_text(encoding="utf-8"))
VALIDATOR = jsonschema_rs.Draft202012Validator(SCHEMA)


def a_hit(number: int, confidence: float = 0.6, answer: str = "Within 30 days.") -> Hit:
    links = (Link("Returns", "https://shop.example/returns"),)
    entry = Entry(f"e{number}", "en", "How do I return it?", answer, links=links)
    return Hit(entry, confidence, confidence, ("question",))


def looked(*hits: Hit) -> Looked:
    return Looked("c_1", "t_1", "2026-12-01T00:00:00Z", "How?", hits, 0.55, {"gate": 1.5}, True)


def test_the_schema_is_ours_and_has_the_five_tiers() -> None:
    assert SCHEMA["$id"] == "https://fanlight.dev/schemas/memory_meta.v1.json"
    assert tuple(SCHEMA["$defs"]["tier"]["enum"]) == TIERS


HITS = st.lists(
    st.builds(a_hit, st.integers(0, 30), st.floats(0, 1), st.text(max_size=400)), max_size=20
)


RECALLED = st.lists(
    st.builds(
        Recalled,
        st.integers(0, 30).map(lambda number: f"b_{number:032x}"),
        st.text(max_size=400),
        st.sampled_from(("person", "model")),
        st.floats(0.7, 1),
    ),
    max_size=4,
)


@given(HITS, HITS, HITS, RECALLED, st.booleans())
def test_any_turn_makes_a_document_of_the_schema(
    hits: list[Hit], given_: list[Hit], cited: list[Hit], recalled: list[Recalled], answered: bool
) -> None:
    used = Used(tuple(given_), tuple(cited), answered, (), "chat")
    whole = memory_meta(replace(looked(*hits), recalled=recalled), used)
    for document in (memory_meta(looked(*hits)), whole, kept(whole)):
        VALIDATOR.validate(json.loads(json.dumps(document)))
        assert len(document["known_context"]["known_context_items"]) <= MOST
        assert document["context_insights"]["active_concepts"] == []


@pytest.mark.parametrize(
    ("confidence", "expected"), [(None, "low"), (0.1, "low"), (0.4, "medium"), (0.55, "high")]
)
def test_the_retrieval_is_as_sure_as_its_best_hit(confidence: float | None, expected: str) -> None:
    hits = () if confidence is None else (a_hit(1, confidence),)
    assert memory_meta(looked(*hits))["debug"]["retrieval_confidence"] == expected


def test_what_others_were_answered_is_named_and_neither_told_nor_kept() -> None:
    found = Recalled("b_1", "By ship, in eight days.", "person", 0.81234)
    used = Used((a_hit(1),), (a_hit(1),), answered=True)
    document = memory_meta(replace(looked(a_hit(1)), recalled=[found]), used)
    entry, item = document["known_context"]["known_context_items"]
    assert (item["tier"], item["memory_id"], item["content"], item["score_summary"]) == (
        "patterns", "bank:b_1", "", {"similarity": 0.8123},
    )  # fmt: skip
    assert document["retrieval"]["tiers_used"] == ["patterns", "books"]
    assert document["feedback"]["default_related_positions"] == [1]
    stored = kept(document)
    assert stored["known_context"] == document["known_context"]
    assert document["known_context"]["known_context_text"] == entry["content"]
    assert "ship" not in json.dumps(document)
    assert stored["retrieval"]["query"] == ""


def test_a_document_with_a_field_too_many_is_refused() -> None:
    with pytest.raises(jsonschema_rs.ValidationError):
        VALIDATOR.validate({**memory_meta(looked()), "more": 1})
