"""Patterns of names in which `*` stands for any text and `?` for one character; nothing else does.

Decides when a pattern takes in all that another does, and what two lists of patterns have in
common. The answer to the second is never too much: of two patterns that only overlap neither is
taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

_ANY: Final = "*"
_ONE: Final = "?"


@lru_cache(maxsize=1_024)
def _compiled(pattern: str) -> re.Pattern[str]:
    wild = {_ANY: ".*", _ONE: "."}
    return re.compile("".join(wild.get(sign) or re.escape(sign) for sign in pattern), re.DOTALL)


def matches(pattern: str, name: str) -> bool:
    """Whether the pattern takes in the name, as it is written."""
    return _compiled(pattern).fullmatch(name) is not None


def matches_any(patterns: Iterable[str], names: Iterable[str]) -> bool:
    """Whether one of the patterns takes in one of the names."""
    named = tuple(names)
    return any(matches(pattern, name) for pattern in patterns for name in named)


def is_glob(text: str) -> bool:
    """Whether it stands for more than itself."""
    return _ANY in text or _ONE in text or "[" in text


def covers(wide: str, narrow: str) -> bool:
    """Whether all that `narrow` takes in is taken in by `wide` too.

    A yes is certain; a no may be wrong for patterns such as `?*` beside `*?`.
    """
    # reach[j]: whether the part of `narrow` that was read is covered by the first j of `wide`.
    reach = [True] + [False] * len(wide)
    for j, sign in enumerate(wide, 1):
        reach[j] = sign == _ANY and reach[j - 1]
    for letter in narrow:
        now = [False] * (len(wide) + 1)
        for j, sign in enumerate(wide, 1):
            if sign == _ANY:
                now[j] = now[j - 1] or reach[j]
            elif letter != _ANY and (sign in (_ONE, letter)):
                now[j] = reach[j - 1]
        reach = now
    return reach[-1]


def common(ours: Sequence[str], theirs: Sequence[str]) -> tuple[str, ...]:
    """Patterns that take in only what both lists do; in the order of `ours`, each once."""
    kept = [one for one in ours if any(covers(other, one) for other in theirs)]
    for other in theirs:
        if any(covers(one, other) for one in ours) and not any(covers(k, other) for k in kept):
            kept.append(other)
    return tuple(dict.fromkeys(kept))
