"""What of a reply is sure while it comes."""

import hypothesis
import hypothesis.strategies as st
import pytest

from models.decoder.writing import Writing


@pytest.mark.parametrize(
    ("stops", "parts", "wanted"),
    [
        ((), [b"a", b"b"], ["a", "b", ""]),
        ((), ["é".encode()[:1], "é".encode()[1:]], ["", "é", ""]),
        ((), [b"a\xf0\x9f"], ["a", ""]),
        ((), [b"a\xffb"], ["a\ufffdb", ""]),
        (("END",), [b"one E", b"N", b"D two"], ["one ", "", "", ""]),
        (("END",), [b"one E", b"N"], ["one ", "", "EN"]),
        (("END",), [b"EE", b"ND"], ["E", "", ""]),
        (("b", "ab"), [b"xab"], ["x", ""]),
    ],
)
def test_what_may_be_a_stop_text_is_held_back(
    stops: tuple[str, ...], parts: list[bytes], wanted: list[str]
) -> None:
    writing = Writing(stops)
    found = []
    for part in parts:
        found.append(writing.add(part))
        if writing.stopped:
            break
    assert [*found, writing.end()] == wanted[: len(found)] + wanted[-1:]


@hypothesis.given(st.text("ab☺", max_size=30), st.lists(st.text("ab☺", min_size=1), max_size=3))
def test_the_text_is_that_before_the_first_stop_text_however_it_comes(
    text: str, stops: list[str]
) -> None:
    writing, found = Writing(stops), ""
    for byte in text.encode():
        found += writing.add(bytes([byte]))
        if writing.stopped:
            break
    found += writing.end()
    ends = [at + len(stop) for stop in stops if (at := text.find(stop)) >= 0]
    if not ends:
        assert found == text
    else:
        first = min(ends)
        begins = [first - len(stop) for stop in stops if text[:first].endswith(stop)]
        assert found == text[: min(begins)]
