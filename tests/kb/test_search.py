import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kb
from kb.codec import decode
from kb.embed import Embedding, load_embedding
from models.head.trainer import SoftmaxTrainer
from tests.small_embedding import small_embedding

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


def test_an_exact_match_of_common_words_is_found_among_many(long: bool) -> None:
    copies = 12 if long else 4
    names = ("alpha", "bravo", "delta", "gamma", "kappa", "omega", "sigma", "theta")
    many = [
        kb.Entry(f"e{n}", "en", f"what is it with {a} and {b} {n}", "A")
        for n, (a, b) in enumerate((a, b) for a in names for b in names for _ in range(copies))
    ]
    index = kb.load_index(kb.build_index([*many, kb.Entry("it", "en", "what is it", "That.")]))
    best = index.search("What is it?")[0]
    assert best.entry.id == "it"
    assert best.confidence >= 0.9
    assert index.search(f"what is it with alpha and bravo {copies + 1}")[0].confidence >= 0.9
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


ACROSS = (
    ("¿Cuáles son los métodos de pago?", "payment"),
    ("¿hay garantía para las máquinas?", "warranty"),
    ("borrar mi cuenta", "account"),
    ("איך אני מוחק את החשבון שלי", "account"),
    ("¿a qué hora abre el taller?", "opening"),
    ("איך מחזירים מוצר", "returns"),
)
"""Questions in a language that the entry is not written in."""


@pytest.mark.parametrize(("question", "entry_id"), ACROSS)
def test_a_question_in_a_language_that_its_entry_lacks_finds_it(
    wise_index: kb.Index, question: str, entry_id: str
) -> None:
    best = wise_index.search(question)[0]
    assert best.entry.id == entry_id
    assert {"meaning", "other_locale"} <= set(best.reasons)


def test_a_language_that_no_entry_has_is_heard_by_its_meaning(
    wise_entries: list[kb.Entry], embedding: Embedding
) -> None:
    english = [entry for entry in wise_entries if entry.locale == "en"]
    index = kb.load_index(kb.build_index(english, embedding=embedding), embedding)
    best = index.search("¿cuánto tarda en llegar el paquete?")[0]
    assert best.entry.id == "shipping-time"
    assert "other_locale" in best.reasons


def test_the_index_of_all_there_is_has_a_head(wise_bytes: bytes, shop_bytes: bytes) -> None:
    assert "head_bias" in decode(wise_bytes)[0]
    assert "head_bias" not in decode(shop_bytes)[0]


def test_without_its_embedding_an_index_still_answers_by_words(
    wise_bytes: bytes, wise_entries: list[kb.Entry]
) -> None:
    index = kb.load_index(wise_bytes)
    for entry in wise_entries[1:]:
        assert index.search(entry.question)[0].entry.id == entry.id
    assert index.search("when does the parcel arrive")[0].entry.id == "shipping-time"
    assert all(hit.confidence < 0.55 for hit in index.search("borrar la cuenta"))


def test_another_embedding_is_left_aside(wise_bytes: bytes) -> None:
    plain = kb.load_index(wise_bytes)
    other = kb.load_index(wise_bytes, load_embedding(small_embedding()))
    assert other.embedding == plain.embedding
    for question in ("when does the parcel arrive", "borrar mi cuenta", "how do I return this"):
        assert other.search(question) == plain.search(question)


def test_an_index_names_the_embedding_that_it_was_built_with(
    wise_index: kb.Index, shop_index: kb.Index, embedding: Embedding
) -> None:
    assert wise_index.embedding == embedding.release
    assert shop_index.embedding is None


def test_building_with_all_there_is_gives_the_same_bytes_twice(
    wise_entries: list[kb.Entry], embedding: Embedding, wise_bytes: bytes
) -> None:
    again = kb.build_index(wise_entries, embedding=embedding, trainer=SoftmaxTrainer())
    assert again == wise_bytes


@given(text=st.text(alphabet=st.characters(exclude_categories=())), limit=st.integers(0, 20))
def test_with_all_senses_search_is_total_and_ordered(
    wise_index: kb.Index, text: str, limit: int
) -> None:
    hits = wise_index.search(text, limit=limit)
    assert len({hit.entry.id for hit in hits}) == len(hits) <= limit
    assert all(a.score >= b.score for a, b in itertools.pairwise(hits))
    assert sum(hit.score for hit in hits) <= 1 + 1e-9


@given(data=st.data())
def test_no_question_is_surer_than_it_may_be(
    wise_index: kb.Index, wise_entries: list[kb.Entry], data: st.DataObject
) -> None:
    texts = [text for entry in wise_entries[1:] for text in (entry.question, *entry.variants)]
    question = data.draw(st.lists(st.sampled_from(texts), min_size=1, max_size=3).map(" ".join))
    assert all(0.001 <= hit.confidence <= 0.995 for hit in wise_index.search(question))


def rank(index: kb.Index, text: str, entry_id: str) -> int:
    ids = [hit.entry.id for hit in index.search(text, limit=20)]
    return ids.index(entry_id) if entry_id in ids else len(ids)


@settings(max_examples=settings().max_examples // 50)  # each builds an index with its head
@given(data=st.data())
def test_a_new_variant_never_lowers_its_entry_for_that_text(
    wise_entries: list[kb.Entry], wise_index: kb.Index, embedding: Embedding, data: st.DataObject
) -> None:
    at = data.draw(st.integers(1, len(wise_entries) - 1))
    variant = data.draw(
        st.sampled_from(
            [
                "what is this thing", "my parcel and my refund", "quiero pagar la factura",
                "החזר כספי", "close the workshop", "PDF", "can I pay when you are open",
            ]
        )
    )  # fmt: skip
    changed = list(wise_entries)
    changed[at] = replace(changed[at], variants=(*changed[at].variants, variant))
    data_with = kb.build_index(changed, embedding=embedding, trainer=SoftmaxTrainer())
    index, own = kb.load_index(data_with, embedding), changed[at].id
    assert rank(index, variant, own) <= rank(wise_index, variant, own)
    nearly = f"{variant} please"
    assert rank(index, nearly, own) <= rank(wise_index, nearly, own)


@pytest.mark.parametrize(
    "invisible", ["\u200b", "\u200d", "\u2060", "\ufeff", "\u202e", "\u2066", "\u00ad"]
)
@pytest.mark.parametrize("question", ["when does my parcel arrive", "borrar mi cuenta"])
def test_invisible_characters_change_nothing(
    wise_index: kb.Index, question: str, invisible: str
) -> None:
    hidden = invisible + invisible.join(question) + invisible
    plain = wise_index.search(question)
    assert wise_index.search(hidden) == plain


@pytest.mark.parametrize("question", HOSTILE)
def test_with_all_senses_no_question_breaks_the_search(wise_index: kb.Index, question: str) -> None:
    for hit in wise_index.search(question):
        assert 0 <= hit.confidence <= 0.995


def test_what_follows_the_first_part_of_a_long_question_changes_nothing(
    wise_index: kb.Index,
) -> None:
    start = "when does my parcel arrive " * 100
    assert wise_index.search((start + "x" * 25_000)[:25_000]) == wise_index.search(start[:2_000])


def test_fifty_entries_that_contradict_each_other_share_the_confidence(
    embedding: Embedding,
) -> None:
    entries = [kb.Entry(f"e{n}", "en", "Can I return it?", f"Within {n} days.") for n in range(50)]
    index = kb.load_index(kb.build_index(entries, embedding=embedding), embedding)
    for question in ("can i return it", "may I return this"):
        hits = index.search(question, limit=60)
        assert len(hits) > 1
        assert all(hit.confidence < 0.55 for hit in hits)


def test_entries_with_the_very_question_stay_before_all_others(embedding: Embedding) -> None:
    same = [kb.Entry(f"e{n}", "en", "Can I return it?", f"Within {n} days.") for n in range(50)]
    index = kb.load_index(
        kb.build_index([*same, kb.Entry("x", "en", "Can I return it to a shop?", "Yes.")])
    )
    hits = index.search("can i return it", limit=60)
    assert len(hits) >= 50
    assert all("exact" in hit.reasons for hit in hits[:50])
    assert all(a.score >= b.score for a, b in itertools.pairwise(hits))


@pytest.mark.parametrize("count", [0, 1])
def test_one_entry_or_none_builds_with_all_there_is(
    wise_entries: list[kb.Entry], embedding: Embedding, count: int
) -> None:
    few = wise_entries[1 : 1 + count]
    data = kb.build_index(few, embedding=embedding, trainer=SoftmaxTrainer())
    hits = kb.load_index(data, embedding).search("how long does it take to ship")
    assert [hit.entry.id for hit in hits] == [entry.id for entry in few]
