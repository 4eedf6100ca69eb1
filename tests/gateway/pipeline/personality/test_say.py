"""What a model is told: in three languages, in one order, whatever the owner wrote."""

from __future__ import annotations

import pytest

from gateway.adapters.personality_files import phrases
from gateway.pipeline.personality.form import FIELDS, Choice, Flag, Personality, read_personality
from gateway.pipeline.personality.say import say

ANA = read_personality(
    {
        "identity": {"name": "Ana", "role": "guide", "expertise": ["bikes", "repairs"]},
        "communication": {"tone": "direct", "use_examples": True, "use_humor": False},
        "response_behavior": {"show_reasoning": True},
        "memory_usage": {},
        "personality_traits": ["patient"],
        "custom_instructions": 'Say {value} and "{{bike}}".',
    }
)


def test_who_comes_first_then_the_visitor_then_the_owners_word_then_style() -> None:
    lines = say(ANA, phrases(), "en").splitlines()
    assert lines[:4] == [
        "Your name is Ana.",
        "Your role: guide.",
        "You know best: bikes, repairs.",
        phrases()["en"]["visitor"],
    ]
    assert lines[4] == 'Say {value} and "{{bike}}".'
    assert lines[5:] == [
        "Your tone is direct: the answer first.",
        "Give an example where it helps.",
        "No jokes.",
        "Think first, between <think> and </think>, then answer.",
        "You are: patient.",
    ]


@pytest.mark.parametrize("locale", ["en", "es", "he"])
def test_the_pronoun_rule_is_told_of_every_personality(locale: str) -> None:
    least = Personality({"identity.name": "Ana"})
    assert phrases()[locale]["visitor"] in say(least, phrases(), locale).splitlines()


def test_a_language_without_words_is_told_in_english() -> None:
    assert say(ANA, phrases(), "fr") == say(ANA, phrases(), "en")


def test_every_language_has_words_for_every_field_and_choice_that_english_has() -> None:
    for locale, words in phrases().items():
        assert set(words) == set(phrases()["en"]), locale
        for name, kind in FIELDS.items():
            held = words.get(name)
            if isinstance(kind, Choice | Flag):
                known = set(kind.words) if isinstance(kind, Choice) else {"yes", "no"}
                assert held, (locale, name)
                assert set(held) == set(phrases()["en"][name]) <= known, (locale, name)
            else:
                assert "{value}" in held, (locale, name)
