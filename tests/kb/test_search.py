import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kb

HOSTILE = [
    "",
    " ",
    "\x00",
    "🙂🙂",
    "?!",
    "\u202eevil\u202c",
    "\ud800",
    "a" * 25_000,
    "how long " * 3_000,
    "ﷺ" * 3_000,
    "' OR 1=1 --",
    "<script>alert(1)</script>",
]


@pytest.mark.parametrize("question", HOSTILE)
def test_no_question_breaks_the_search(shop_index: kb.Index, question: str) -> None:
    for hit in shop_index.search(question):
        assert 0 <= hit.confidence <= 1


@given(text=st.text(alphabet=st.characters(exclude_categories=())), limit=st.integers(-2, 20))
def test_search_is_total_and_ordered(shop_index: kb.Index, text: str, limit: int) -> None:
    hits = shop_index.search(text, locale="es", limit=limit)
    assert len(hits) <= max(0, limit)
    assert len({hit.entry.id for hit in hits}) == len(hits)
    assert all(a.score >= b.score for a, b in itertools.pairwise(hits))
    assert all(a.confidence >= b.confidence for a, b in itertools.pairwise(hits))
    assert sum(hit.confidence for hit in hits[:2]) <= 1 + 1e-9


@given(data=st.data())
def test_an_exact_variant_finds_its_entry(
    shop_index: kb.Index, shop_entries: list[kb.Entry], data: st.DataObject
) -> None:
    entry = data.draw(st.sampled_from(shop_entries[1:]))
    text = data.draw(st.sampled_from([entry.question, *entry.variants]))
    best = shop_index.search(f"  {text.upper()} !")[0]
    assert best.entry.id == entry.id
    assert best.confidence >= 0.9
    assert "exact" in best.reasons


@pytest.mark.parametrize(
    ("question", "entry_id"),
    [
        ("how long is shipping", "shipping-time"),
        ("i want to return this product", "returns"),
        ("do you accpet paypal payments", "payment"),
        ("deleting an account", "account"),
        ("cuando llega el paquete", "shipping-time"),
        ("משלוחים", "shipping-time"),
    ],
)
def test_a_reworded_question_finds_its_entry(
    shop_index: kb.Index, question: str, entry_id: str
) -> None:
    assert shop_index.search(question)[0].entry.id == entry_id


@pytest.mark.parametrize(
    "question",
    ["what is the capital of mongolia", "asdf qwerty", "tell me about black holes", "זזזז גגגג"],
)
def test_what_the_site_does_not_know_has_low_confidence(
    shop_index: kb.Index, question: str
) -> None:
    assert all(hit.confidence < 0.4 for hit in shop_index.search(question))


def test_a_question_in_a_language_the_entry_lacks_is_not_a_confident_answer(
    shop_index: kb.Index,
) -> None:
    assert all(hit.confidence < 0.55 for hit in shop_index.search("האם יש אחריות על המכונות"))


@pytest.mark.parametrize(
    ("question", "locale", "shown", "labelled"),
    [
        ("How long does shipping take?", "es", "en", False),
        ("¿Cuánto tarda el envío?", "en", "es", False),
        ("refund", "es", "es", False),
        ("refund", "es-MX", "es", False),
        ("refund", "he", "en", True),
        ("refund", None, "en", False),
        ("¿dónde está mi PayPal, can I pay with PayPal?", "es", "en", True),
    ],
)
def test_the_answer_is_in_the_questions_language_then_the_pages(
    shop_index: kb.Index, question: str, locale: str | None, shown: str, labelled: bool
) -> None:
    best = shop_index.search(question, locale=locale)[0]
    assert best.entry.locale == shown
    assert ("other_locale" in best.reasons) is labelled


def test_reasons_name_the_phrasing_and_the_words(shop_index: kb.Index) -> None:
    best = shop_index.search("when does my parcel arrive")[0]
    assert best.reasons[0] == "variant:1"
    assert {"word:parcel", "word:arrive"} <= set(best.reasons)
    assert "question" in shop_index.search("how long does shipping")[0].reasons


def test_a_word_matched_by_its_letters_is_said_to_be(shop_index: kb.Index) -> None:
    assert "chars" in shop_index.search("warrantee")[0].reasons


def test_two_entries_with_the_same_question_share_the_confidence() -> None:
    twins = [kb.Entry("a", "en", "Where is it?", "A"), kb.Entry("b", "en", "Where is it?", "B")]
    hits = kb.load_index(kb.build_index(twins)).search("where is it")
    assert {hit.entry.id for hit in hits} == {"a", "b"}
    assert all(hit.confidence < 0.55 for hit in hits)


def test_an_exact_match_of_common_words_is_found_among_many() -> None:
    names = ("alpha", "bravo", "delta", "gamma", "kappa", "omega", "sigma", "theta")
    many = [
        kb.Entry(f"e{n}", "en", f"what is it with {a} and {b} {n}", "A")
        for n, (a, b) in enumerate((a, b) for a in names for b in names for _ in range(12))
    ]
    index = kb.load_index(kb.build_index([*many, kb.Entry("it", "en", "what is it", "That.")]))
    best = index.search("What is it?")[0]
    assert best.entry.id == "it"
    assert best.confidence >= 0.9
    assert index.search("what is it with alpha and bravo 13")[0].score == 1.0
    assert index.search("what is it about kappa")[0].entry.question.count("kappa")


def test_site_texts_are_never_searched(shop_index: kb.Index) -> None:
    assert all(hit.entry.id != "hello" for hit in shop_index.search("Greeting welcome shop"))
    assert len(shop_index) == 10


def test_a_site_text_is_the_sites_own_else_the_default(shop_index: kb.Index) -> None:
    assert shop_index.text("greeting", "en") == "Welcome to the shop."
    assert shop_index.text("greeting", "en-GB") == "Welcome to the shop."
    assert "Hola" in shop_index.text("greeting", "es")
    assert shop_index.text("greeting", "fr") == "Welcome to the shop."
    assert shop_index.text("offline", "fr") == shop_index.text("offline", "en")
    with pytest.raises(ValueError, match="greeting, fallback, offline"):
        shop_index.text("farewell", "en")  # type: ignore[arg-type]


def test_an_entry_is_got_by_id_and_locale(shop_index: kb.Index) -> None:
    found = shop_index.get("returns", "es")
    assert found is not None
    assert found.question == "¿Cómo devuelvo un producto?"
    assert shop_index.get("returns", "he") is None
    assert shop_index.get("nothing", "en") is None


def test_locales_are_in_the_order_of_the_entries(shop_index: kb.Index) -> None:
    assert shop_index.locales == ("en", "es", "he")
