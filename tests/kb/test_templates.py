import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.features import text_key
from kb.language import STOP_WORDS
from kb.templates import FORMS, MOST_WORDS, other_forms

CASES = [
    ("en", "How do I return an order?", "i want to return an order"),
    ("en", "I'd like to return an order", "how do i return an order"),
    ("en", "what's my order number", "i have a question about my order number"),
    ("en", "Where can I see Order 66B?", "see Order 66B"),
    ("es", "¿Cómo puedo devolver un pedido?", "quiero devolver un pedido"),
    ("es", "quiero darme de alta", "cómo puedo darme de alta"),
    ("es", "¿Cuál es el plazo?", "información sobre el plazo"),
    ("he", "איך אפשר להחזיר הזמנה?", "אני רוצה להחזיר הזמנה"),
    ("he", "מהו זמן האספקה", "מידע על זמן האספקה"),
]
LEFT_ALONE = [
    ("en", "how do you do"),
    ("en", "what is going on"),
    ("en", "what is this"),
    ("en", "can I with something else"),
    ("en", "what is the key for"),
    ("en", "order"),
    ("en", "how do i"),
    ("en", "how do i " + "very " * MOST_WORDS + "well"),
    ("es", "cómo estás"),
    ("es", "quiero un lugar"),
    ("he", "איך קוראים לך"),
    ("fr", "comment puis-je payer"),
    ("en", ""),
]


@pytest.mark.parametrize(("language", "text", "form"), CASES)
def test_a_request_is_put_in_another_form(language: str, text: str, form: str) -> None:
    assert form in list(other_forms(text, language))


@pytest.mark.parametrize(("language", "text"), LEFT_ALONE)
def test_what_is_not_understood_is_left_alone(language: str, text: str) -> None:
    assert list(other_forms(text, language)) == []


@pytest.mark.parametrize("language", FORMS)
def test_a_form_is_never_the_text_itself(language: str) -> None:
    for _, text, _ in (case for case in CASES if case[0] == language):
        for form in other_forms(text, language):
            assert text_key(form) != text_key(text)


def test_no_form_is_written_in_another_language() -> None:
    for language, every in FORMS.items():
        foreign = set().union(*(own for name, own in STOP_WORDS.items() if name != language))
        said = {word for forms in every for text in forms.written for word in text.split()}
        assert not (said & foreign) - STOP_WORDS[language]


@given(st.text(), st.sampled_from(["en", "es", "he", "xx"]))
def test_any_text_has_forms_or_none(text: str, language: str) -> None:
    assert all(isinstance(form, str) for form in other_forms(text, language))
