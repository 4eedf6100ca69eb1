import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.normalise import words
from kb.synonyms import exchanges, groups


def said(text: str, language: str) -> list[str]:
    return [one.text for one in exchanges(text, language)]


@pytest.mark.parametrize(
    ("language", "text", "other"),
    [
        ("en", "Cancel my booking, please", "Cancel my reservation, please"),
        ("en", "I want a refund", "I want my money back"),
        ("en", "I need an invoice", "I need a bill"),
        ("en", "Can I get a bill?", "Can I get an invoice?"),
        ("en", "my parcel is late", "my package is late"),
        ("es", "¿Quiero cancelar la cita?", "¿Quiero anular la cita?"),
        ("he", "אני רוצה לבטל", "אני רוצה להפסיק"),
        ("he", "איפה הקופון?", "איפה השובר?"),
    ],
)
def test_a_word_is_said_otherwise(language: str, text: str, other: str) -> None:
    assert other in said(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "I forgot the Invoice"),  # a name
        ("en", "bill for bill"),  # twice: which one?
        ("en", "the bill or the invoice"),  # the other word is there already
        ("en", "cancelar"),
        ("es", "invoice"),
        ("fr", "facture"),
        ("en", ""),
    ],
)
def test_what_is_a_name_or_not_clear_or_foreign_stays(language: str, text: str) -> None:
    assert said(text, language) == []


@pytest.mark.parametrize("language", ["en", "es", "he"])
def test_the_list_has_ways_to_say_one_thing_each_in_one_group(language: str) -> None:
    every = groups(language)
    assert len(every) > 20
    assert all(len(group) > 1 for group in every)
    keys = [" ".join(words(way)) for group in every for way in group]
    assert len(keys) == len(set(keys))


def test_numbers_and_the_rest_of_a_text_are_kept() -> None:
    assert said("Discount on 3 XL-Lamps (2024)?", "en")[0].endswith("on 3 XL-Lamps (2024)?")


@given(st.text(), st.sampled_from(["en", "es", "he"]))
def test_any_text_can_be_asked(text: str, language: str) -> None:
    for one in exchanges(text, language):
        assert one.text != text
