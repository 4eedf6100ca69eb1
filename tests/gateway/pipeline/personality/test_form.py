"""What a personality may hold: what is refused, what is only told."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.pipeline.personality.form import (
    FIELDS,
    MOST_ITEMS,
    BadPersonality,
    Choice,
    read_personality,
)

LEAST: dict[str, Any] = {"identity": {"name": "Ana"}, "communication": {}}
WHOLE: dict[str, Any] = {**LEAST, "response_behavior": {}, "memory_usage": {}}


def with_(section: str, **values: object) -> dict[str, Any]:
    return {**WHOLE, section: {**WHOLE.get(section, {}), **values}}


def test_a_name_is_enough_and_the_missing_sections_are_told() -> None:
    personality = read_personality(LEAST)
    assert personality.name == "Ana"
    assert [warning.split(":")[0] for warning in personality.warnings] == [
        "response_behavior",
        "memory_usage",
    ]
    assert read_personality(WHOLE).warnings == ()


@pytest.mark.parametrize(
    ("document", "flaw"),
    [
        (None, "it is no mapping"),
        ([], "it is no mapping"),
        ({"communication": {}}, "identity: this section is missing"),
        ({"identity": {"name": "Ana"}}, "communication: this section is missing"),
        ({"identity": {}, "communication": {}}, "identity.name: there is none"),
        ({"identity": {"name": "  "}, "communication": {}}, "identity.name: there is none"),
        ({"identity": {"name": 7}, "communication": {}}, "identity.name: this is no text"),
        ({"identity": "Ana", "communication": {}}, "identity: this is no section"),
        (with_("identity", name="A" * 61), "identity.name: it has 61 letters; keep it to 60"),
        (with_("identity", role="a\nb"), "identity.role: write it on one line"),
        (with_("identity", expertise="bikes"), "identity.expertise: write a list"),
        (with_("identity", expertise=["a", 3]), "identity.expertise[1]: this is no text"),
        (with_("identity", expertise=["a"] * (MOST_ITEMS + 1)), "identity.expertise: it has 13"),
        (with_("communication", use_humor="yes"), "communication.use_humor: write true or false"),
        ({**WHOLE, "custom_instructions": "a" * 2_001}, "custom_instructions: it has 2001"),
        ({**WHOLE, "personality_traits": {"a": 1}}, "personality_traits: write a list"),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_field(document: object, flaw: str) -> None:
    with pytest.raises(BadPersonality) as refused:
        read_personality(document)
    assert flaw in str(refused.value)


def test_all_flaws_come_at_once() -> None:
    with pytest.raises(BadPersonality) as refused:
        read_personality({"identity": {"role": 1, "background": 2}})
    for name in ("communication", "identity.role", "identity.background", "identity.name"):
        assert f"{name}:" in str(refused.value)


@pytest.mark.parametrize(
    ("document", "warning"),
    [
        (with_("communication", tone="grumpy"), "communication.tone: 'grumpy' is left out"),
        (with_("communication", tone=["warm"]), "communication.tone: ['warm'] is left out"),
        (with_("communication", tome="warm"), "did you mean communication.tone?"),
        ({**WHOLE, "formating": {}}, "did you mean formatting?"),
        (dict([*WHOLE.items(), (7, {})]), "7: there is no such field"),
    ],
)
def test_what_nobody_knows_is_left_out_and_told(document: Any, warning: str) -> None:
    personality = read_personality(document)
    assert any(warning in each for each in personality.warnings)
    assert dict(personality.values) == {"identity.name": "Ana"}


def test_every_choice_is_taken() -> None:
    for name, kind in FIELDS.items():
        section, _, key = name.partition(".")
        for word in kind.words if isinstance(kind, Choice) else ():
            assert read_personality(with_(section, **{key: word})).values[name] == word
