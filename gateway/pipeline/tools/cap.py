"""A result that fits: whole items are left out of it, and it says so; none is ever cut.

Decides which: those at the end of the list that takes most, since lists have the best first. What
is too large without any item is refused. (S2 18.5 C: count-capped, never truncated.)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

MOST_BYTES: Final = 65_536
LEFT_OUT: Final = "left_out"
"""The property that says what is not there."""
_NOTE: Final = 160
"""Bytes kept for saying so; as tokens they are fewer."""

Limit = tuple[Callable[[str], int], int]
"""How a text is counted, and how much of it there may be."""


class TooLarge(ValueError):
    """A result that does not fit, and has no items to leave out."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A result that fits, and how many of its items are left out."""

    result: Mapping[str, Any]
    left_out: int = 0

    @property
    def text(self) -> str:
        """The result as JSON."""
        return written(self.result)


def written(value: object) -> str:
    """A value as JSON; raises `TypeError`, `ValueError` or `RecursionError` for what is none."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def octets(text: str) -> int:
    """Bytes of a text in UTF-8."""
    return len(text.encode("utf-8", "surrogatepass"))


def fitting(result: Mapping[str, Any], limits: Sequence[Limit]) -> Fitted:
    """The result within every limit; raises `TooLarge`, and what `written` raises."""
    whole = written(result)
    if all(count(whole) <= most for count, most in limits):
        return Fitted(result)
    lists = {name: list(value) for name, value in result.items() if isinstance(value, list | tuple)}
    for count, most in limits:
        _shorten(result, lists, count, most - _NOTE)
    left_out = {
        name: (len(result[name]) - len(kept), len(result[name]))
        for name, kept in lists.items()
        if len(kept) < len(result[name])
    }
    return leaving_out({**result, **lists}, left_out, "did not fit")


def leaving_out(
    result: Mapping[str, Any], left_out: Mapping[str, tuple[int, int]], why: str
) -> Fitted:
    """The result with a note of what is not there: how many of how many, by the list's name."""
    told = [f"{gone} of {there} {name} {why}" for name, (gone, there) in left_out.items() if gone]
    if not told:
        return Fitted(result)
    before = [result[LEFT_OUT]] if isinstance(result.get(LEFT_OUT), str) else []
    noted = {**result, LEFT_OUT: "; ".join((*before, *told))}
    return Fitted(noted, sum(gone for gone, _ in left_out.values()))


def _shorten(
    result: Mapping[str, Any],
    lists: dict[str, list[Any]],
    count: Callable[[str], int],
    most: int,
) -> None:
    """Take items from the ends of the lists until the rest is no more than `most`."""
    weights = {name: [count(written(item)) + 1 for item in kept] for name, kept in lists.items()}
    bare = {name: [] if name in lists else value for name, value in result.items()}
    total = count(written(bare)) + sum(map(sum, weights.values()))
    while total > most:
        name = max(weights, key=lambda each: sum(weights[each]), default=None)
        if name is None or not weights[name]:
            raise TooLarge("the result is too large, and has no items to leave out")
        total -= weights[name].pop()
        lists[name].pop()
