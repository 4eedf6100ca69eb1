"""Halves of characters in a stream."""

from hypothesis import given, strategies

from gateway.pipeline.characters import WholeCharacters


def fed(*pieces: str) -> str:
    """What comes out of these pieces."""
    characters = WholeCharacters()
    return "".join(characters.feed(piece) for piece in pieces) + characters.end()


def test_two_halves_make_one_character() -> None:
    assert fed("a\ud83d", "\ude00b") == "a😀b"
    assert fed("a\ud83d\ude00b") == "a😀b"


def test_a_half_alone_is_replaced() -> None:
    assert fed("a\ud83d", "b") == "a�b"
    assert fed("\ude00") == "�"
    assert fed("a\ud83d") == "a�"
    assert fed("a\ud83d", "") == "a�"


@given(strategies.lists(strategies.text(strategies.characters(codec=None))))
def test_what_comes_out_can_always_be_encoded(pieces: list[str]) -> None:
    fed(*pieces).encode()


@given(strategies.text(), strategies.integers(0, 50))
def test_whole_text_is_untouched_wherever_it_is_cut(text: str, place: int) -> None:
    assert fed(text[:place], text[place:]) == text
