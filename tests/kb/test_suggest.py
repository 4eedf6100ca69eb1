import pytest

import kb
from kb.calibrate import Correction
from kb.features import text_key
from kb.suggest import CERTAIN, LEAST_GAIN, LONGEST, Suggestion, read_visitors, suggest
from kb.trial import phrasings

ASKED = [
    "when will my lost parcel arrive",
    "When will my lost parcel arrive?",
    "who painted the ceiling of the sistine chapel",
    "",
    "x " * LONGEST,
    "when will my parcel arrive",
]


@pytest.fixture(scope="module")
def doubtful(wise_index: kb.Index) -> kb.Index:
    """The shop's index, less sure than it is: a handful of entries is told apart too easily."""
    return wise_index.corrected(Correction(shift=-2.0, slope=0.3))


@pytest.fixture(scope="module")
def proposed(doubtful: kb.Index) -> tuple[Suggestion, ...]:
    return suggest(doubtful, ASKED)


def test_every_proposal_is_new_is_found_as_its_entry_and_is_not_certain(
    doubtful: kb.Index, proposed: tuple[Suggestion, ...]
) -> None:
    known = {text_key(text) for entry in doubtful.entries for text in phrasings(entry)}
    assert proposed
    for one in proposed:
        hit = doubtful.search(one.text, locale=one.locale)[0]
        assert (hit.entry.id, hit.confidence) == (one.entry_id, one.confidence)
        assert one.confidence < CERTAIN
        assert one.gain >= LEAST_GAIN
        assert text_key(one.text) not in known
    assert len({text_key(one.text) for one in proposed}) == len(proposed)


def test_what_visitors_asked_is_offered_to_the_entry_that_it_is_near(
    doubtful: kb.Index,
) -> None:
    (asked,) = suggest(doubtful, ASKED, sources=["question"])
    assert (asked.entry_id, asked.text) == ("shipping-time", ASKED[0])
    assert asked.why == "visitors asked it 2 times"
    assert asked.gain == pytest.approx(2 * asked.confidence * (1 - asked.confidence))


def test_what_is_known_or_no_entrys_is_not_offered(proposed: tuple[Suggestion, ...]) -> None:
    texts = {one.text for one in proposed}
    assert not texts & set(ASKED[2:])


def test_forms_and_synonyms_say_what_they_come_from(doubtful: kb.Index) -> None:
    found = suggest(doubtful, sources=["form", "synonym"])
    assert {one.source for one in found} == {"form", "synonym"}
    for one in found:
        assert "“" in one.why


def test_an_entry_that_has_enough_gets_none(doubtful: kb.Index) -> None:
    most = max(len(phrasings(entry)) for entry in doubtful.entries)
    fewer = suggest(doubtful, few=most)
    rich = {(one.id, one.locale) for one in doubtful.entries if len(phrasings(one)) == most}
    assert fewer
    assert not rich & {(one.entry_id, one.locale) for one in fewer}
    assert suggest(doubtful, few=1) == ()


@pytest.mark.parametrize("most", [1, 2])
def test_each_entry_gets_so_many_at_most(doubtful: kb.Index, most: int) -> None:
    found = suggest(doubtful, most=most)
    keys = [(one.entry_id, one.locale) for one in found]
    assert max(keys.count(key) for key in keys) == most


def test_the_same_proposals_come_twice_and_in_the_order_of_entries(
    doubtful: kb.Index, proposed: tuple[Suggestion, ...]
) -> None:
    assert suggest(doubtful, ASKED) == proposed
    order = [(entry.id, entry.locale) for entry in doubtful.entries]
    places = [order.index((one.entry_id, one.locale)) for one in proposed]
    assert places == sorted(places)


def test_an_empty_knowledge_base_gets_none() -> None:
    assert suggest(kb.load_index(kb.build_index([])), ["anything"]) == ()


def test_visitors_questions_are_lines_or_json() -> None:
    lines = ["\ufeffwhere is it?\n", "\n", '{"question": "is it open", "n": 3}\n', "  a { b  "]
    assert read_visitors(lines, "q") == ["where is it?", "is it open", "a { b"]


@pytest.mark.parametrize("line", ['{"text": "a"}', '{"question": 3}', "{"])
def test_a_line_of_json_without_a_question_is_named(line: str) -> None:
    with pytest.raises(ValueError, match=r"^q:2: "):
        read_visitors(["a", line], "q")


def test_progress_is_told_in_order(doubtful: kb.Index) -> None:
    told: list[float] = []
    suggest(doubtful, progress=told.append)
    assert told == sorted(told)
    assert 0 <= told[0] <= told[-1] < 1
