"""What can be asked, listed for a visitor who looks instead of asking."""

import json

import pytest

from core.browse import Topic, topics, topics_json
from kb import Entry, Index, build_index, load_index

ENTRIES = (
    Entry("returns", "en", "How do I return an order?", "Within 30 days."),
    Entry("returns", "es", "¿Cómo devuelvo un pedido?", "En 30 días."),
    Entry("hours", "en", "When are you open?", "Nine to five."),
    Entry("fair", "en", "Are you at the fair?", "In hall 3.", valid_until="2026-12-24"),
    Entry("hello", "en", "hello", "Welcome.", tags=("system:greeting",)),
    Entry("thanks", "en", "Thank you", "You are welcome.", tags=("unlisted",)),
    Entry("place", "en", "place", "Hall 3", tags=("slot:place",)),
)


@pytest.fixture(scope="module")
def index() -> Index:
    return load_index(build_index(ENTRIES))


def test_every_entry_is_listed_once_in_the_visitors_language_where_it_has_it(index: Index) -> None:
    assert topics(index, "es", today="2026-12-25") == (
        Topic("returns", "¿Cómo devuelvo un pedido?", "es"),
        Topic("hours", "When are you open?", "en"),
    )


def test_what_holds_on_the_day_is_listed(index: Index) -> None:
    assert "fair" in {topic.entry_id for topic in topics(index, "en", today="2026-12-24")}


def test_an_index_without_entries_has_an_empty_list() -> None:
    assert topics(load_index(build_index(())), "en") == ()


def test_a_host_that_speaks_json_gets_the_same(index: Index) -> None:
    listed = json.loads(topics_json(index, '{"locale": "en", "today": "2026-12-25"}'))
    assert [topic["entry_id"] for topic in listed] == ["returns", "hours"]


@pytest.mark.parametrize(
    ("request_json", "field"),
    [
        ("[]", "object"),
        ("{}", "locale"),
        ('{"locale": 7}', "locale"),
        ('{"locale": "en", "today": "soon"}', "today"),
        ('{"locale": "en", "today": 7}', "today"),
    ],
)
def test_a_request_that_is_not_of_its_form_is_refused_by_its_field(
    index: Index, request_json: str, field: str
) -> None:
    with pytest.raises(ValueError, match=field):
        topics_json(index, request_json)
