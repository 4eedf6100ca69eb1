"""What edits amount to: which personality stands, which one is chosen, what each is called."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.personalities import EditKind, PersonalityEdit
from gateway.personality.layer import MOST_LETTERS, Layer


def document(called: str) -> dict[str, object]:
    return {"identity": {"name": called}, "communication": {}}


def layer(*steps: tuple[EditKind, str | None, object]) -> Layer:
    """A layer of edits: a `set` brings what the chat is called, an `undo` the number it undoes."""
    edits = []
    for number, (kind, name, more) in enumerate(steps, start=1):
        edit = PersonalityEdit("site_a", kind, "operator", float(number), name, number=number)
        if kind == "set":
            edit = replace(edit, document=document(str(more)))
        if isinstance(more, int):
            edit = replace(edit, takes_back=more)
        edits.append(edit)
    return Layer(edits)


ANA, EVA = "console.ana", "console.eva"


def test_the_newest_edit_that_was_not_taken_back_stands() -> None:
    made = layer(("set", ANA, "Ana"), ("set", ANA, "Anna"), ("set", EVA, "Eva"))
    assert {name: own.personality.name for name, own in made.own.items()} == {
        ANA: "Anna",
        EVA: "Eva",
    }
    back = Layer((*made.edits, replace(made.edits[1], kind="undo", takes_back=2, number=4)))
    assert back.own[ANA].personality.name == "Ana"
    assert back.own[ANA].edit.number == 1
    assert back.number == 4


def test_what_was_removed_is_not_there_until_that_is_taken_back() -> None:
    gone = layer(("set", ANA, "Ana"), ("remove", ANA, None))
    assert gone.own == {}
    assert gone.known(ANA)
    back = layer(("set", ANA, "Ana"), ("remove", ANA, None), ("undo", ANA, 2))
    assert list(back.own) == [ANA]
    assert [action for _, action in back.history(ANA)] == ["restored", "removed", "created"]


def test_a_new_word_after_a_removal_restores() -> None:
    made = layer(("set", ANA, "Ana"), ("remove", ANA, None), ("set", ANA, "Ana"))
    assert [action for _, action in made.history(ANA)] == ["restored", "removed", "created"]


@pytest.mark.parametrize(
    ("steps", "chosen"),
    [
        ((), ()),
        ((("use", ANA, None),), (ANA,)),
        ((("use", ANA, None), ("use", None, None)), (None,)),
        ((("use", ANA, None), ("use", "teacher", None)), ("teacher",)),
        ((("use", ANA, None), ("reset", None, None)), ()),
        ((("reset", None, None), ("use", ANA, None)), (ANA,)),
    ],
)
def test_the_newest_choice_holds_until_it_is_reset(
    steps: tuple[tuple[EditKind, str | None, object], ...], chosen: tuple[str | None, ...]
) -> None:
    choice = layer(*steps).choice
    assert (() if choice is None else (choice.name,)) == chosen


@pytest.mark.parametrize(
    ("called", "name"),
    [
        ("Ana", "console.ana-2"),
        ("José María", "console.jose-maria"),
        ("עננה", "console.own"),
        ("../x", "console.x"),
        ("x" * 60, "console." + "x" * MOST_LETTERS),
    ],
)
def test_a_name_is_made_of_what_the_chat_is_called_and_is_nobody_elses(
    called: str, name: str
) -> None:
    assert layer(("set", ANA, "Ana"), ("remove", ANA, None)).free(called) == name


def test_what_this_release_does_not_know_is_left_out() -> None:
    edit = PersonalityEdit(
        "site_a", "set", "operator", 1.0, ANA, {**document("Ana"), "mood": {"a": 1}}, number=1
    )
    assert layer().own == {}
    assert Layer([edit]).own[ANA].personality.name == "Ana"
