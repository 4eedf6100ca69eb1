"""What the head sees of a part: words by where they stand, and never what a command is about.

Decides the features and their weight. Verbs count wherever a program puts them (`delete-user`,
`volume rm`), so that a program that was never seen is still understood; what belongs to one program
alone counts for less. Names of files, hosts and tables are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from core.commands import sql
from core.commands.parts import Part, program

FIRST_WORDS: Final = 3
"""Words after the program that can be a verb; what follows is what it is done to."""

PREFIX: Final = 4
OWN: Final = 0.5
"""Weight of what belongs to one program; at 1 the head leans on programs that it knows."""

_VERB: Final = re.compile(r"[A-Za-z][A-Za-z-]*$")
_WORDS: Final = re.compile(r"[a-z]+")
_SQL_FIRST: Final = 3


def features(part: Part) -> Mapping[str, float]:
    """The part's features with their values."""
    if part.kind == "opaque":
        return {"opaque": 1.0}
    if part.kind == "sql":
        found = sql.keywords(part.words[0])
        return {f"q={word}": 1.0 for word in found[:_SQL_FIRST]}
    return dict(_of_words(part))


def verbs(part: Part) -> list[str]:
    """The words of a shell command that may say what it does, in small letters, and its flags'."""
    if part.kind != "shell":
        return []
    long_flags = (word.lstrip("-") for word in part.words[1:] if word.startswith("--"))
    return [*_first_words(part), *(flag.partition("=")[0] for flag in long_flags)]


def _first_words(part: Part) -> list[str]:
    plain = [word for word in part.words[1:] if not word.startswith("-")]
    return [word.lower() for word in plain[:FIRST_WORDS] if _VERB.match(word)]


def _of_words(part: Part) -> Iterator[tuple[str, float]]:
    name = program(part.words)
    yield f"p={name}", OWN
    yield from ((f"in={piece}", OWN) for piece in _pieces(name))
    first = _first_words(part)
    if not first:
        yield "no verb", 1.0
    for at, word in enumerate(first):
        pieces = _WORDS.findall(word)
        yield f"pv={name} {word}", OWN
        for piece in pieces:
            # A verb that stands later, or within a name, says as much.
            yield f"v={piece}", 1.0
            yield f"s={piece[:PREFIX]}", OWN
        if pieces:
            yield f"{at}={pieces[0]}", OWN
    for word in part.words[1:]:
        if word.startswith("-") and len(word) > 1:
            flag = word.partition("=")[0]
            yield f"pf={name} {flag}", OWN
            if flag.startswith("--"):
                yield from ((f"f={piece}", 1.0) for piece in _WORDS.findall(flag))
    yield from ((f"w={operator}", 1.0) for operator in part.writes)


def _pieces(name: str) -> list[str]:
    """The ends of a program's name, which often say what it does: `lvremove`, `groupadd`."""
    return [f"^{name[:PREFIX]}", *(f"{name[-size:]}$" for size in (3, 4, 6) if len(name) > size)]
