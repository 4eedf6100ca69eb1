"""Texts that nobody wrote."""

from collections import Counter

from models.embed.mixes import LONGEST, SHORTEST, mixes

COUNTS = {"es": {"casa": 5.0, "perro": 1.0}, "en": {"the": 100.0, "house": 5.0, "ibex": 1.0}}


def test_each_word_comes_once_by_itself() -> None:
    words = [(language, text) for kind, language, text in mixes(COUNTS, 10, 1) if kind == "word"]
    assert sorted(words) == sorted((at, word) for at, own in COUNTS.items() for word in own)


def test_each_language_gets_its_part_of_the_mixes() -> None:
    found = [language for kind, language, _ in mixes(COUNTS, 100, 1) if kind == "mix"]
    assert Counter(found) == {"en": 50, "es": 50}


def test_a_mix_is_of_a_few_words_of_its_own_language() -> None:
    for kind, language, text in mixes(COUNTS, 100, 1):
        if kind == "mix":
            assert SHORTEST <= len(text.split()) <= LONGEST
            assert set(text.split()) <= set(COUNTS[language])


def test_common_words_come_up_more_often_but_less_than_they_are_common() -> None:
    drawn = Counter(
        word for kind, at, text in mixes(COUNTS, 2_000, 1) if (kind, at) == ("mix", "en")
        for word in text.split()
    )  # fmt: skip
    assert 8 < drawn["the"] / drawn["ibex"] < 40


def test_the_same_seed_gives_the_same_texts() -> None:
    assert list(mixes(COUNTS, 50, 3)) == list(mixes(COUNTS, 50, 3))
    assert list(mixes(COUNTS, 50, 3)) != list(mixes(COUNTS, 50, 4))


def test_no_word_gives_no_text() -> None:
    assert list(mixes({}, 50, 1)) == []
