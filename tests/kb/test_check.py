import pytest

import kb
from kb.check import NO_MEANING, UNTRAINED, Report, check
from kb.embed import load_embedding
from kb.entry import Entry, Link
from kb.finding import HINTS, KINDS, Finding, Kind, quoted, worst_first
from kb.odd_texts import locale_gaps, texts_to_mend
from kb.outcome import Risk, risks, shadowed, vague
from kb.trial import COPIES, LEAST_COPIES, Asked, ask_copies, phrasings
from models.head.trainer import SoftmaxTrainer
from tests.small_embedding import small_embedding

EMBEDDING = load_embedding(small_embedding())
ANSWER = "A whole sentence that answers."


def entry(name: str, question: str, *variants: str, locale: str = "en") -> Entry:
    return Entry(name, locale, question, ANSWER, variants)


def checked(*entries: Entry, threshold: float = 0.55, seed: int = 0) -> Report:
    index = kb.load_index(kb.build_index(entries, embedding=EMBEDDING), EMBEDDING)
    return check(index, threshold=threshold, seed=seed)


def only(report: Report, kind: Kind) -> list[Finding]:
    return [finding for finding in report.findings if finding.kind == kind]


@pytest.fixture(scope="module")
def shop(shop_index: kb.Index) -> Report:
    return check(shop_index, threshold=0.55)


def test_one_question_in_two_entries_is_a_duplicate() -> None:
    report = checked(
        entry("refund", "How do I get money back?", "refund please"),
        entry("cost", "What does it cost?", "how do i get MONEY back", "Refund, please!"),
        entry("open", "When are you open?"),
    )
    found = only(report, "duplicate")
    assert [(one.entry_id, one.others) for one in found] == [("refund", ("cost",))]
    assert '"How do I get money back?", "refund please"' in found[0].why
    assert "48% at most" in found[0].why
    assert only(report, "near_duplicate") == []
    assert not any(set(one.others) & {"cost"} for one in only(report, "shadowed"))


def test_translations_are_no_duplicates() -> None:
    report = checked(entry("tv", "TV?"), entry("tv", "TV?", locale="es"))
    assert only(report, "duplicate") == []


def test_two_entries_that_mean_the_same_are_near_duplicates() -> None:
    report = checked(
        entry("return", "How do I return an order?"),
        entry("order", "an order, how do I return?"),
        entry("open", "When are you open?"),
    )
    found = only(report, "near_duplicate")
    assert [(one.entry_id, one.others) for one in found] == [("return", ("order",))]
    assert "cosine 1.00" in found[0].why
    assert found[0].remedy == "Join them: their answers are the same."


def test_near_duplicates_are_sought_within_a_locale_only() -> None:
    report = checked(
        entry("return", "How do I return an order?"),
        entry("order", "an order, how do I return?", locale="es"),
    )
    assert only(report, "near_duplicate") == []


def test_without_an_embedding_it_is_said_that_meanings_were_not_compared(shop: Report) -> None:
    assert shop.notes == (NO_MEANING,)
    assert only(shop, "near_duplicate") == []


def test_an_entry_that_loses_its_own_words_is_shadowed() -> None:
    entries = (
        entry("blue", "blue lamp"),
        entry("lamp", "lamp", "any lamp", "the lamp", "bleu lamp", "blu lamp", "buel lamp"),
        entry("open", "When are you open?", "opening hours", "hours"),
    )
    report = check(kb.load_index(kb.build_index(entries)), threshold=0.0)
    found = [one for one in only(report, "shadowed") if one.entry_id == "blue"]
    assert [one.others for one in found] == [("lamp",)]
    assert '"blue lamp", asked slightly otherwise, goes to lamp in' in found[0].why


PAIR = (entry("a", "one", "two", "three", "six", "seven"), entry("b", "four", "five"))


def asked(first: str | None, confidence: float, source: str = "one", unit: int = 0) -> Asked:
    return Asked(unit, source, f"{source}!", False, first, confidence)


@pytest.mark.parametrize(
    ("copies", "kinds"),
    [
        ([("b", 0.9), ("b", 0.2), ("a", 0.9), ("a", 0.9)], ["shadowed"]),
        ([("b", 0.3), ("b", 0.2), ("a", 0.9), ("a", 0.9)], ["outranked"]),
        ([("b", 0.9), ("b", 0.9), ("a", 0.9), ("a", 0.9), ("a", 0.9)], []),
        ([("b", 0.9)], []),
        ([(None, 0.0), (None, 0.0)], []),
    ],
)
def test_half_of_a_phrasings_copies_must_be_lost(
    copies: list[tuple[str | None, float]], kinds: list[Kind]
) -> None:
    found = list(shadowed(PAIR, [asked(*one) for one in copies], set(), 0.55))
    assert [one.kind for one in found] == kinds
    assert list(shadowed(PAIR, [asked(*one) for one in copies], {frozenset("ab")}, 0.55)) == []


def test_a_shadow_says_who_wins_how_often_and_that_the_wrong_answer_is_shown() -> None:
    copies = [asked("b", 0.9), asked("b", 0.8), asked("b", 0.1), asked("b", 0.9, "two")]
    why = next(shadowed(PAIR, [*copies, asked("b", 0.9, "two")], set(), 0.55)).why
    assert why.startswith('"one", asked slightly otherwise, goes to b in 3 of 3 copies')
    assert "Its wrong answer is shown 4 times. The same goes for 1 more of its ways to ask." in why


@pytest.mark.parametrize(
    ("unit", "ends", "kind", "said"),
    [
        (0, [("a", 0.2), ("b", 0.9), ("a", 0.9)], "vague", "finds b"),
        (0, [("a", 0.2), ("a", 0.3), ("a", 0.9)], "vague", "finds it with 0.20, below 0.55"),
        (1, [(None, 0.0), ("b", 0.2)], "few_phrasings", "finds nothing"),
        (0, [("a", 0.2), ("a", 0.9)], None, ""),
    ],
)
def test_an_entry_that_most_of_its_own_phrasings_miss_is_vague(
    unit: int, ends: list[tuple[str | None, float]], kind: Kind | None, said: str
) -> None:
    found = list(vague(PAIR, [asked(*end, unit=unit) for end in ends], 0.55))
    assert [one.kind for one in found] == ([kind] if kind else [])
    assert all(said in one.why for one in found)


def test_an_entry_whose_phrasings_share_no_word_is_vague() -> None:
    report = checked(
        entry("misc", "zxqv", "wkjp", "bfgh", "mmtt", "ggll"),
        entry("return", "How do I return an order?", "return my order", "return the order"),
        entry("open", "When are you open?", "when do you open", "are you open"),
    )
    assert "misc" in {one.entry_id for one in only(report, "vague")}
    assert "return" not in {one.entry_id for one in only(report, "vague")}


def test_risk_is_the_share_that_is_unsure_or_elsewhere() -> None:
    ends = [("a", 0.9), ("a", 0.3), ("b", 0.9), (None, 0.0)]
    found = risks(PAIR, [asked(*end) for end in ends], 0.55)
    assert found == (Risk("a", "en", 4, unsure=1, elsewhere=2), Risk("b", "en", 0, 0, 0))
    assert [one.share for one in found] == [0.75, 0.0]


def test_every_entry_has_a_risk_and_the_riskiest_is_first(
    shop: Report, shop_index: kb.Index
) -> None:
    assert {(one.entry_id, one.locale) for one in shop.risks} == {
        (one.id, one.locale) for one in shop_index.entries
    }
    assert all(one.asked >= LEAST_COPIES and 0 <= one.share <= 1 for one in shop.risks)
    assert [one.share for one in shop.risks] == sorted((r.share for r in shop.risks), reverse=True)


def test_each_phrasing_is_asked_as_often_and_the_same_for_a_seed(shop_index: kb.Index) -> None:
    first, again, other = (ask_copies(shop_index, seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert len(first) == COPIES * sum(len(phrasings(one)) for one in shop_index.entries)


def test_the_same_seed_gives_the_same_report(shop: Report, shop_index: kb.Index) -> None:
    assert check(shop_index, threshold=0.55) == shop


def test_what_misses_in_a_locale_is_a_gap(shop: Report) -> None:
    found = {one.entry_id: one for one in only(shop, "locale_gap")}
    assert set(found) == {"returns", "payment", "warranty", "opening", "invoice", "account"}
    assert "into he" in found["returns"].remedy
    assert found["invoice"].locale == "es"


def test_an_entry_in_a_language_serves_its_regions() -> None:
    entries = [entry("a", "q", locale="es"), entry("b", "q", locale="es-MX")]
    assert [one.entry_id for one in locale_gaps(entries, ("es", "es-MX"))] == ["b"]


@pytest.mark.parametrize(
    ("answer", "kinds"),
    [
        (" ", ["empty_answer"]),
        ("Yes.", ["short_answer"]),
        ("x" * 4_000, []),
        ("x" * 4_001, ["long_answer"]),
        ("Read [this](http://a.example/b).", ["insecure_link"]),
        ("Read https://a.example or mail us.", []),
        ("Open `http://a.example` on your side.", []),
        ("Open http://localhost:8000 or http://127.0.0.1/ here.", []),
    ],
)
def test_odd_answers_are_found(answer: str, kinds: list[Kind]) -> None:
    found = texts_to_mend(Entry("a", "en", "q", answer, ("r",)))
    assert [one.kind for one in found] == kinds


def test_links_are_looked_at_once_each() -> None:
    urls = ("http://a.example/x", "https://a.example", "mailto:a@a.example")
    links = tuple(Link("x", url) for url in urls)
    one = Entry("a", "en", "q", "See http://a.example/x for all of it.", ("r",), links)
    (found,) = texts_to_mend(one)
    assert found.why == "It links to http://a.example/x without https."


def test_an_entry_without_variants_is_a_hint() -> None:
    (found,) = texts_to_mend(entry("a", "q"))
    assert (found.kind, found.severity) == ("single_phrasing", "hint")


def test_problems_come_before_hints_and_the_heavier_first() -> None:
    assert all(kind in HINTS for kind in KINDS[KINDS.index("unknown_slot") :])
    assert not HINTS & set(KINDS[: KINDS.index("unknown_slot")])
    rows: list[tuple[Kind, str, float]] = [
        ("short_answer", "a", 9.0), ("vague", "b", 0.1), ("vague", "c", 0.9),
        ("duplicate", "e", 0.0), ("duplicate", "d", 0.0),
    ]  # fmt: skip
    made = [Finding(kind, name, "en", "", "", weight=weight) for kind, name, weight in rows]
    assert [one.entry_id for one in worst_first(made)] == ["d", "e", "c", "b", "a"]


def test_long_texts_are_quoted_short() -> None:
    assert quoted("a\n b") == '"a b"'
    assert len(quoted("x" * 200)) == 82


def test_a_trained_index_without_its_trainer_is_looked_at_as_far_as_it_goes() -> None:
    entries = [
        entry("return", "return", "return it", "how do i return", "return an order"),
        entry("open", "open", "are you open", "when open", "you open"),
    ]
    trainer = SoftmaxTrainer()
    data = kb.build_index(entries, embedding=EMBEDDING, trainer=trainer)
    index = kb.load_index(data, EMBEDDING)
    without, with_it = (check(index, threshold=0.55, trainer=own) for own in (None, trainer))
    assert without.notes == (UNTRAINED,)
    assert only(without, "vague") == []
    assert with_it.notes == ()
    assert sum(one.asked for one in with_it.risks) == sum(r.asked for r in without.risks) + 8


def test_progress_is_told_in_order() -> None:
    told: list[tuple[str, float]] = []
    index = kb.load_index(kb.build_index(PAIR))
    check(index, threshold=0.5, progress=lambda step, share: told.append((step, share)))
    assert list(dict.fromkeys(step for step, _ in told)) == ["reading", "asking", "holding out"]
    assert all(0 <= share <= 1 for _, share in told)


def test_an_empty_index_has_nothing_to_mend() -> None:
    report = check(kb.load_index(kb.build_index([])), threshold=0.5)
    assert report.findings == ()
    assert report.risks == ()
