"""A crafted index, whose checksum is right, is refused at load or answers every question."""

import json
from array import array
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kb
from kb.codec import Section, decode, encode
from kb.embed import Embedding

QUESTIONS = (
    "how long does shipping take", "¿cuánto tarda el envío de un paquete?", "shiping tiem",
    "a parcel for the workshop on sundays", "כמה זמן לוקח המשלוח", "",
)  # fmt: skip


def changed(section: Section, draw: st.DataObject) -> Section:
    """One part as an attacker might write it: cut, longer, or with another number in it."""
    if isinstance(section, str):
        at = draw.draw(st.integers(0, len(section)))
        return section[:at] + draw.draw(st.sampled_from(["", "\n", "x", "\n\n\n"]))
    made = array(section.typecode, section)
    kind = draw.draw(st.sampled_from(["cut", "grow", "set"]))
    if kind == "cut" or not made:
        return made[: draw.draw(st.integers(0, len(made)))]
    if made.typecode in "fd":
        number: float = draw.draw(st.sampled_from([0.0, -1.0, 1e300, float("nan"), float("inf")]))
    else:
        number = draw.draw(st.sampled_from([0, 1, 100, 127]))
        number = number if made.typecode in "bB" else number * draw.draw(st.integers(1, 10_000))
    with suppress(OverflowError):
        if kind == "grow":
            made.append(number)
        else:
            made[draw.draw(st.integers(0, len(made) - 1))] = number
    return made


@settings(max_examples=150)
@given(st.data())
def test_no_question_fails_on_a_crafted_index(
    wise_bytes: bytes, embedding: Embedding, data: st.DataObject
) -> None:
    sections, _ = decode(wise_bytes)
    name = data.draw(st.sampled_from(sorted(sections)))
    crafted = {**sections, name: changed(sections[name], data)}
    try:
        index = kb.load_index(encode(crafted), embedding)
    except kb.IndexFormatError:
        return
    for question in QUESTIONS:
        index.search(question)
        kb.follow_up(index, question, index.search(question), QUESTIONS)


def test_a_whole_index_is_not_refused(wise_bytes: bytes, embedding: Embedding) -> None:
    assert kb.load_index(wise_bytes, embedding).search(QUESTIONS[0])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("told_units", array("d", [0.0])),
        ("key_phrasings", array("d", [0.0])),
        ("told_sentences", array("I", [0, 2])),
    ],
)
def test_a_part_of_another_kind_is_refused(
    wise_bytes: bytes, embedding: Embedding, name: str, value: Section
) -> None:
    sections, _ = decode(wise_bytes)
    if name == "told_sentences":
        counts = sections[name]
        assert not isinstance(counts, str)
        value = array("I", [0, int(counts[0] + counts[1]), *map(int, counts[2:])])
    else:
        value = array("d", map(float, sections[name]))
    with pytest.raises(kb.IndexFormatError):
        kb.load_index(encode({**sections, name: value}), embedding)


@pytest.mark.parametrize("place", [0, 1, 2, 3, 8, 9])
def test_an_entry_that_is_not_text_is_refused(wise_bytes: bytes, place: int) -> None:
    sections, _ = decode(wise_bytes)
    rows = json.loads(str(sections["entries"]))
    rows[0][place] = 5
    with pytest.raises(kb.IndexFormatError):
        kb.load_index(encode({**sections, "entries": json.dumps(rows)}))
