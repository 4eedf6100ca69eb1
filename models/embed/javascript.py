"""Strings of a JavaScript or TypeScript module, by their place in its object literals.

Decides what is a key, a string and a nesting, from its tokens alone; nothing is evaluated. Numbers,
calls and functions are passed over, and `${...}` in a template is kept as a placeholder. The name
of the variable that an object is assigned to is no part of a place, for it differs by language.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

BETWEEN: Final = "\x1f"  # a separator that no key has

_TOKEN: Final = re.compile(
    r"""
      (?P<comment>//[^\n]*|/\*.*?\*/)
    | (?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)
    | (?P<name>[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*)
    | (?P<number>\d[\w.]*)
    | (?P<arrow>=>)
    | (?P<compare>[=!]==?)
    | (?P<mark>[{}\[\]():,;=+])
    """,
    re.VERBOSE | re.DOTALL,
)
_IMPORTS: Final = frozenset({"from", "import", "require", "_interopRequireDefault"})
_ESCAPE: Final = re.compile(
    r"\\(u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|\n|.)", re.DOTALL
)
_CONTROL: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "", "f": "", "v": " ", "0": "", "\n": ""}


def find_strings(text: str) -> Iterator[tuple[str, str]]:
    """Yield (place, string) of every string that is a value; `BETWEEN` joins a place's keys."""
    scanner = _Scanner()
    for kind, piece in _tokens(text):
        yield from scanner.take(kind, piece)
    yield from scanner.finish()


@dataclass(slots=True)
class _Bracket:
    """An open bracket, the key it stands under, its elements so far, and whether it is `x[...]`."""

    sign: str
    key: str
    indexes: bool
    elements: int = 0


class _Scanner:
    """Takes piece after piece and gives each string once it is known to be a whole value."""

    def __init__(self) -> None:
        self._open: list[_Bracket] = []
        self._key = ""
        self._latest = ""  # what a colon or an equals sign would make the key
        self._previous = ""  # the piece before, "name" for any name
        self._held: tuple[str, str] | None = None  # a string that a plus, or a colon, may change

    def take(self, kind: str, piece: str) -> Iterator[tuple[str, str]]:
        previous, self._previous = self._previous, "name" if kind == "name" else piece
        if kind == "string":
            self._previous = "string"
            yield from self._take_string(piece, previous)
            return
        if piece == "+":
            return
        is_key = piece == ":" or (piece == "]" and bool(self._open) and self._open[-1].indexes)
        if self._held and not is_key:
            yield self._held
        self._held = None
        if kind == "name":
            self._latest = piece
        elif piece in ":=":
            self._key = self._latest
        elif piece in "{[(":
            self._enter(piece, previous)
        elif piece in "}])" and self._open:
            bracket = self._open.pop()
            self._key = "" if bracket.indexes else bracket.key
        elif piece in ",;":
            self._key = ""
            if self._open:
                self._open[-1].elements += 1

    def finish(self) -> Iterator[tuple[str, str]]:
        if self._held:
            yield self._held

    def _take_string(self, piece: str, previous: str) -> Iterator[tuple[str, str]]:
        if piece == "use strict" or (self._latest in _IMPORTS and previous in {"name", "("}):
            return
        if self._held and previous == "+":
            self._held = (self._held[0], self._held[1] + piece)
            return
        yield from self.finish()
        self._held = (BETWEEN.join([*(one.key for one in self._open), self._place()]), piece)
        self._latest = piece

    def _enter(self, piece: str, previous: str) -> None:
        # What an object at the top is assigned to is named after its language.
        key = "" if previous == "=" and not self._open else self._place()
        self._open.append(_Bracket(piece, key, indexes=piece == "[" and previous == "name"))
        self._key = ""

    def _place(self) -> str:
        counted = bool(self._open) and self._open[-1].sign in "[("
        return self._key or (str(self._open[-1].elements) if counted else "")


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind == "string":
            yield kind, _ESCAPE.sub(_unescape, match[0][1:-1])
        elif kind in {"name", "mark"}:
            yield kind, match[0]


def _unescape(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] in "ux" and len(code) > 1:
        return chr(int(code[1:].strip("{}"), 16))
    return _CONTROL.get(code, code)
