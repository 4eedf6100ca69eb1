"""Vocabularies of GGUF files."""

import struct
from pathlib import Path

import pytest

from models.decoder.tokens import Tokens, gguf_tokens
from models.errors import BadFile
from models.gguf.arrays import read_integers, read_texts
from models.gguf.header import read_header
from tests.models.decoder import tiny
from tests.models.samples import gguf, key, text


def tokens(folder: Path, **changed: bytes) -> Tokens:
    keys = {f"tokenizer.ggml.{name}": each for name, each in changed.items()}
    path = folder / "words.gguf"
    path.write_bytes(gguf(list({**tiny.header(), **keys}.values())))
    return gguf_tokens(path, read_header(path))


@pytest.mark.parametrize("said", ["plain", "naïve ☺ שלום", "\x00\n\t", "12 34", ""])
def test_text_comes_back_as_it_was(tmp_path: Path, said: str) -> None:
    found = tokens(tmp_path)
    assert b"".join(map(found.raw, found.encode(said))).decode() == said


def test_marks_are_one_token_and_say_nothing(tmp_path: Path) -> None:
    found = tokens(tmp_path)
    assert found.encode("<|im_start|>a<mark>") == [256, 97, 258]
    assert found.raw(256) == b""
    assert found.text(258) == "<mark>"
    assert found.ends == {257}
    assert found.count == len(tiny.WORDS)


def test_a_prompt_begins_as_the_file_says_and_what_goes_on_does_not(tmp_path: Path) -> None:
    found = tokens(
        tmp_path,
        bos_token_id=tiny.number("tokenizer.ggml.bos_token_id", 256),
        add_bos_token=key("tokenizer.ggml.add_bos_token", 7, b"\x01"),
    )
    assert found.encode("a") == [256, 97]
    assert found.encode_more("a") == [97]


def test_what_belongs_together_becomes_one_token(tmp_path: Path) -> None:
    words = [*tiny.WORDS[:255], "ab", *tiny.WORDS[256:]]
    found = tokens(
        tmp_path,
        tokens=tiny.texts("tokenizer.ggml.tokens", words),
        merges=tiny.texts("tokenizer.ggml.merges", ["a b"]),
    )
    assert found.encode("abba") == [255, 98, 97]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"model": key("tokenizer.ggml.model", 8, text("llama"))}, "Serve it with llama.cpp"),
        (
            {"tokens": tiny.texts("tokenizer.ggml.tokens", ["a"] * len(tiny.WORDS))},
            "no kind, or two",
        ),
        (
            {"token_type": key("tokenizer.ggml.token_type", 9, struct.pack("<IQi", 5, 1, 1))},
            "no kind, or two",
        ),
        ({"merges": tiny.number("tokenizer.ggml.merges", 1)}, "no array under"),
    ],
)
def test_what_is_no_vocabulary_is_refused(
    tmp_path: Path, changed: dict[str, bytes], reason: str
) -> None:
    with pytest.raises(BadFile, match=reason):
        tokens(tmp_path, **changed)


def test_arrays_of_other_kinds_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "arrays.gguf"
    path.write_bytes(
        gguf(
            [
                key("words", 9, struct.pack("<IQ", 8, 1) + struct.pack("<Q", 1) + b"\xff"),
                key("reals", 9, struct.pack("<IQf", 6, 1, 1.0)),
                key("bytes", 9, struct.pack("<IQ3b", 1, 3, 1, -2, 3)),
            ]
        )
    )
    header = read_header(path)
    assert read_integers(path, header, "bytes") == [1, -2, 3]
    for name in ("words", "reals"):
        with pytest.raises(BadFile, match="no whole numbers"):
            read_integers(path, header, name)
    with pytest.raises(BadFile, match="no texts"):
        read_texts(path, header, "bytes")
    with pytest.raises(BadFile, match="not UTF-8"):
        read_texts(path, header, "words")
