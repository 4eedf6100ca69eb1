import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kb.features import grams, stems, text_digest, text_key
from kb.language import detect_language
from kb.normalise import MAX_WORDS, normalise, stem, words


@given(st.text(alphabet=st.characters(exclude_categories=())))
@example("İ")
@example("\u0345")
@example("ﷺ" * 20)
@example("\ud800")
@example("ǰ\u0331")
def test_normalising_is_idempotent_and_total(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_every_text_has_words_stems_and_a_language(text: str) -> None:
    assert len(words(text)) <= MAX_WORDS
    assert all(stems(text))
    assert detect_language(text) in {"en", "es", "he", None}
    assert text_key(text) == text_key(normalise(text).upper()) or not text.isascii()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("  Hello\tWORLD ", "hello world"),
        ("¿Cuánto?", "¿cuanto?"),
        ("שָׁלוֹם", "שלום"),
        ("ｆｕｌｌ　width", "full width"),
        ("zero\u200bwidth\u202e", "zerowidth"),
        ("a\x00b", "a b"),
        ("ﬁne", "fine"),
    ],
)
def test_forms_of_one_text_are_one(one: str, other: str) -> None:
    assert normalise(one) == other


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What's new?", ["what", "new"]),
        ("I can't, won\u2019t", ["i", "ca", "not", "wo", "not"]),
        ("see https://example.com/x?y now", ["see", "url", "now"]),
        ('צה"ל', ["צהל"]),
        ("snake_case", ["snake", "case"]),
        ("🙂 !!!", []),
    ],
)
def test_words_are_what_a_reader_calls_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    "family",
    [
        ("order", "orders", "ordering", "ordered"),
        ("cancel", "canceling"),
        ("close", "closes", "closing", "closed"),
        ("stop", "stopping", "stopped"),
        ("reply", "replies"),
        ("factura", "facturas"),
        ("pedido", "pedida", "pedidos"),
        ("cancelacion", "cancelaciones"),
        ("הזמנה", "ההזמנה", "הזמנות", "ההזמנות"),
        ("משלוח", "המשלוח", "למשלוח", "משלוחים"),
        ("קוד", "הקוד"),
    ],
)
def test_inflections_of_a_word_share_a_stem(family: tuple[str, ...]) -> None:
    assert len({stem(word) for word in family}) == 1


@pytest.mark.parametrize("word", ["bus", "the", "is", "123", "a1b2c3", "glass", "שם"])
def test_short_and_odd_words_stay_whole(word: str) -> None:
    assert stem(word) in {word, word.translate(str.maketrans("םן", "מנ"))}


def test_a_long_text_is_read_only_so_far() -> None:
    assert len(words("word " * 10_000)) == MAX_WORDS


def test_exact_keys_ignore_case_and_punctuation_but_not_words() -> None:
    assert text_digest("How long?") == text_digest("  how LONG")
    assert text_digest("How long?") != text_digest("How short?")
    assert text_digest("?!") is None


def test_grams_mark_the_edges_of_a_word() -> None:
    assert grams("ab") == {"<ab", "ab>", "<ab>"}


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How do I cancel my order?", "en"),
        ("¿Cómo cancelo mi pedido?", "es"),
        ("quiero hablar con una persona", "es"),
        ("איך מבטלים הזמנה", "he"),
        ("Fanlight זה חינם", "he"),
        ("refund", None),
        ("1234", None),
        ("", None),
        ("a", None),
    ],
)
def test_a_language_is_told_by_script_and_function_words(text: str, language: str | None) -> None:
    assert detect_language(text) == language
