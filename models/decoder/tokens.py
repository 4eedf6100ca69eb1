"""Text to tokens and back, with a GGUF file's own vocabulary, by the library `tokenizers`.

Decides which kinds are run: byte-level BPE, cut as GPT-2 or SmolLM cut text. Another kind is
refused by name: its text would be cut otherwise than the model learnt it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from models.errors import BadFile
from models.gguf.arrays import read_integers, read_texts
from models.gguf.header import Header

CUTS: Final = ("gpt-2", "smollm")
"""Values of `tokenizer.ggml.pre`; the second cuts numbers into digits."""

_CONTROL: Final = 3
_USER_DEFINED: Final = 4
_ENDS: Final = ("<|endoftext|>", "<|im_end|>", "<|eot_id|>", "<|end_of_text|>", "</s>")
"""Control tokens that end a reply wherever a vocabulary has them, as in llama.cpp."""


class Tokens:
    """A vocabulary; `ends` are the tokens after which a reply is over."""

    def __init__(
        self, tokenizer: Any, kinds: Sequence[int], ends: frozenset[int], start: int | None
    ) -> None:
        self.ends = ends
        self.count = len(kinds)
        self.start = start
        """The token that every prompt begins with, where there is one."""
        self._tokenizer = tokenizer
        self._raw = [
            b"" if kind == _CONTROL else _bytes(tokenizer.id_to_token(number), kind)
            for number, kind in enumerate(kinds)
        ]

    def encode(self, text: str) -> list[int]:
        """A prompt's tokens; control tokens are taken where the text has them."""
        found = self._tokenizer.encode(text, add_special_tokens=False).ids
        return [self.start, *found] if self.start is not None else list(found)

    def document(self) -> str:
        """The vocabulary as tokenizer.json, which says nothing of the token to begin with."""
        text: str = self._tokenizer.to_str()
        return text

    def encode_more(self, text: str) -> list[int]:
        """The tokens of text that goes on."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def raw(self, token: int) -> bytes:
        """The bytes that a token stands for; none for a control token."""
        return self._raw[token]

    def text(self, token: int) -> str:
        """What a token is called, for reading."""
        return self._raw[token].decode("utf-8", "replace")


def gguf_tokens(path: Path, header: Header) -> Tokens:
    """The vocabulary of a GGUF file. Raises `BadFile`."""
    model, cut = header.text("tokenizer.ggml.model"), header.keys.get("tokenizer.ggml.pre")
    if model != "gpt2" or cut not in CUTS:
        raise BadFile(
            f"{path.name} cuts text by {model!r}, {cut!r}; JAX runs gpt2 with {' or '.join(CUTS)}. "
            "Serve it with llama.cpp."
        )
    words = read_texts(path, header, "tokenizer.ggml.tokens")
    kinds = read_integers(path, header, "tokenizer.ggml.token_type")
    merges = [tuple(each.split(" ")) for each in read_texts(path, header, "tokenizer.ggml.merges")]
    if len(kinds) != len(words) or len(set(words)) != len(words):
        raise BadFile(f"{path.name} has {len(words)} tokens, of which some have no kind, or two.")
    if any(len(each) != 2 for each in merges):
        raise BadFile(f"{path.name} has a merge that is not of two tokens.")
    names = {word: number for number, word in enumerate(words)}
    tokenizer = _tokenizer(path, names, merges, str(cut))
    special = [word for word, kind in zip(words, kinds, strict=True) if kind in _SPECIAL]
    _add_special(tokenizer, special)
    ends = frozenset(names[each] for each in _ENDS if each in names and kinds[names[each]] == 3)
    ends |= {number for key in ("eos", "eot") if (number := _token(header, key)) is not None}
    start = _token(header, "bos") if header.keys.get("tokenizer.ggml.add_bos_token") else None
    return Tokens(tokenizer, kinds, ends, start)


_SPECIAL: Final = (_CONTROL, _USER_DEFINED)


def _tokenizer(path: Path, names: Mapping[str, int], merges: list[Any], cut: str) -> Any:
    # Native, and wanted only where a model is loaded.
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers  # noqa: PLC0415

    try:
        tokenizer = Tokenizer(models.BPE(vocab=dict(names), merges=merges))
    except Exception as error:
        raise BadFile(f"{path.name} has merges that its tokens do not allow: {error}") from error
    steps: list[Any] = [pre_tokenizers.ByteLevel(add_prefix_space=False)]
    if cut == "smollm":
        steps.insert(0, pre_tokenizers.Digits(individual_digits=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _add_special(tokenizer: Any, words: Sequence[str]) -> None:
    from tokenizers import AddedToken  # noqa: PLC0415

    tokenizer.add_special_tokens(
        [AddedToken(word, special=True, normalized=False) for word in words]
    )


def _token(header: Header, name: str) -> int | None:
    value = header.keys.get(f"tokenizer.ggml.{name}_token_id")
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _alphabet() -> dict[str, int]:
    """GPT-2's printable stand-ins for bytes (github.com/openai/gpt-2, `encoder.py`)."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {
        chr(256 + at): byte for at, byte in enumerate(others)
    }


_BYTES: Final = _alphabet()


def _bytes(word: str, kind: int) -> bytes:
    if kind == _USER_DEFINED or any(each not in _BYTES for each in word):
        return word.encode("utf-8")
    return bytes(_BYTES[each] for each in word)
