"""Thoughts split off a reply, wherever the stream cuts their marks."""

import pytest
from hypothesis import given, strategies

from gateway.pipeline.thinking import Thinking


def fed(*pieces: str) -> tuple[str, str]:
    """What is said and what is thought in these pieces."""
    thinking = Thinking()
    parts = [thinking.feed(piece) for piece in pieces] + [thinking.end()]
    return "".join(said for said, _ in parts), "".join(thought for _, thought in parts)


CASES = {
    "none": ("Noon.", ("Noon.", "")),
    "thoughts first": ("<think>Hm.</think>Noon.", ("Noon.", "Hm.")),
    "white space around": ("\n<think>\nHm.\n</think>\n\nNoon.\n", ("Noon.\n", "\nHm.\n")),
    "another mark": ("<thinking>Hm.</thinking> Noon.", ("Noon.", "Hm.")),
    "thoughts without end": ("<think>Hm. </thin", ("", "Hm. </thin")),
    "no thought": ("<think></think>Noon.", ("Noon.", "")),
    "the mark spoken of": ("Write <think>x</think>.", ("Write <think>x</think>.", "")),
    "a second one": ("<think>a</think>b<think>c</think>", ("b<think>c</think>", "a")),
    "the beginning of a mark": ("<thi", ("<thi", "")),
    "another element": ("<b>Noon</b>", ("<b>Noon</b>", "")),
    "nothing": ("", ("", "")),
}


@pytest.mark.parametrize(("text", "split"), CASES.values(), ids=CASES)
def test_thoughts_are_told_from_the_answer(text: str, split: tuple[str, str]) -> None:
    assert fed(text) == split
    assert fed(*text) == split


@given(
    strategies.lists(
        strategies.sampled_from(["<think>", "</think>", "<", "/", "a", " ", "think>"])
    ),
    strategies.data(),
)
def test_however_it_is_cut_it_is_split_alike(parts: list[str], data: strategies.DataObject) -> None:
    text = "".join(parts)
    at = data.draw(strategies.integers(0, len(text)))
    assert fed(text[:at], text[at:]) == fed(text) == fed(*text)
