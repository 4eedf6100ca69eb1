"""The site's own words, declared in its knowledge base."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kb
from kb.bundled import load_bundled
from kb.check import check
from kb.embed import Embedding
from kb.explain import explain
from kb.normalise import words
from kb.wording import Wording, groups


def listed(text: str, locale: str = "en") -> kb.Entry:
    return kb.Entry("own-words", locale, "Our words", text, tags=("system:synonyms",))


OWN = listed("- return = RMA = send back\n- Zephyr Plus = ZP9\n- member = GXC\n")
RETURN = kb.Entry("returns", "en", "How do I start a return?", "Print the label.")
ZEPHYR = kb.Entry("warranty", "en", "Warranty of the Zephyr Plus", "Two years.")
HOURS = kb.Entry("hours", "en", "When do you open?", "At nine. GXC come in at eight.")
KNOWN = (OWN, RETURN, ZEPHYR, HOURS)


@pytest.fixture(scope="module")
def embedding() -> Embedding:
    found = load_bundled()
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("How do I get an RMA?", "how do i get an return"),
        ("I am sending it back", "I am sending it back"),
        ("can I SEND BACK a zp9?", "can i return a zephyr plus"),
        ("Returns of the Zephyr  Plus", "Returns of the Zephyr  Plus"),
        ("", ""),
        ("¿¡!?", "¿¡!?"),
    ],
)
def test_every_way_is_heard_as_the_first(text: str, heard: str) -> None:
    assert Wording(KNOWN).heard(text) == heard


def test_the_longest_way_counts() -> None:
    wording = Wording([listed("bill = invoice\nlate fee = invoice reminder")])
    assert wording.heard("an invoice reminder") == "an late fee"
    assert wording.heard("an invoice") == "an bill"


def test_groups_that_share_a_way_are_one() -> None:
    wording = Wording([listed("sofa = couch"), listed("couch = settee", "es")])
    assert wording.heard("that settee") == "that sofa"


def test_hebrew_prefixes_stay_with_their_word() -> None:
    wording = Wording([listed("החזרה = רמ״א", "he")])
    assert wording.heard("איך מקבלים רמ״א") == "איך מקבלים החזרה"


@given(st.text(max_size=60), st.lists(st.text(max_size=20), max_size=6))
def test_hearing_refuses_nothing(text: str, ways: list[str]) -> None:
    wording = Wording([listed("=".join(ways)), OWN])
    heard = wording.heard(text)
    assert heard == text or set(words(text)) != set(words(heard))


@pytest.mark.parametrize("means", [False, True])
def test_a_visitor_finds_an_entry_by_a_word_that_only_the_list_has(
    embedding: Embedding, *, means: bool
) -> None:
    vectors = embedding if means else None
    without = kb.load_index(kb.build_index(KNOWN[1:], embedding=vectors), vectors)
    index = kb.load_index(kb.build_index(KNOWN, embedding=vectors), vectors)
    for asked, expected in (("RMA", "returns"), ("zp9 warranty", "warranty")):
        hit = index.search(asked)[0]
        assert hit.entry.id == expected
        before = [one for one in without.search(asked) if one.entry.id == expected]
        assert hit.confidence > max((one.confidence for one in before), default=0.0)
    exact = index.search("How do I start a RMA?")[0]
    assert exact.confidence == pytest.approx(0.97)
    assert exact.entry == RETURN  # shown as its owner wrote it
    assert all(hit.entry.id != "own-words" for hit in index.search("our words"))


def test_answers_are_heard_so_too(embedding: Embedding) -> None:
    asked = "are members let in early"
    index = kb.load_index(kb.build_index(KNOWN, embedding=embedding), embedding)
    hit = index.search(asked)[0]
    assert hit.confidence > 0.8
    assert hit.sentence is not None
    assert hit.entry.answer[slice(*hit.sentence)] == "GXC come in at eight."
    without = kb.load_index(kb.build_index(KNOWN[1:], embedding=embedding), embedding)
    assert without.search(asked)[0].confidence < 0.5


def test_a_new_group_is_learned_anew_and_another_one_spares_the_learning() -> None:
    first = kb.build_index(KNOWN, code="1")
    for own in (listed("- return = RMA\n"), listed("returning = x\nbill = invoice")):
        entries = (own, *KNOWN[1:])
        anew = kb.build_index(entries, code="1")
        assert kb.build_index(entries, code="1", earlier=first) == anew


def test_lines_that_say_nothing_are_told() -> None:
    own = listed("RMA = return\n\nhours\nreturn = Returns\n")
    assert groups(own) == ([("rma", "return")], ["hours", "return = Returns"])
    index = kb.load_index(kb.build_index((own, *KNOWN[1:])))
    (found,) = [f for f in check(index, threshold=0.55).findings if f.kind == "idle_synonyms"]
    assert (found.entry_id, found.severity) == ("own-words", "hint")
    assert '"hours"' in found.why


def test_explain_tells_what_was_heard() -> None:
    index = kb.load_index(kb.build_index(KNOWN))
    found = explain(index, "an RMA")
    assert (found.question, found.said) == ("an RMA", "an return")
    assert [word.text for word in found.words] == ["an", "return"]
    assert explain(index, "opening hours").said == "opening hours"
