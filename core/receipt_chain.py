"""Whether receipts that somebody kept are all there, in order, and nobody else's.

It decides what is wrong with which receipt, from claims whose signatures were checked already. What
it cannot tell: whether a chain went on after its last receipt, which only the gateway knows; and
whether a whole session is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Literal

from core import jose
from core.receipts import TYP, Receipt, chain_hash

BreakKind = Literal["altered", "foreign", "missing", "reordered", "duplicate", "forked"]

_TYPES = {
    "confidence": (int, float),
    "escalate": (bool,),
    "iat": (int,),
    "model": (str, type(None)),
    "model_release": (str, type(None)),
    "prev": (str, type(None)),
}


@dataclass(frozen=True, slots=True)
class Kept:
    """A receipt whose signature holds; `place` is where it stands, for people."""

    place: str
    token: str
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Break:
    """What is wrong with the receipt at this place."""

    place: str
    kind: BreakKind
    detail: str


@dataclass(frozen=True, slots=True)
class Chain:
    """A session's receipts as far as they are kept; `head` is the hash of the last one."""

    site: str
    sid: str
    receipts: int
    head: str


def read_receipt(parts: jose.CompactJws) -> Receipt:
    """The claims of a receipt; raises `ValueError` when it is none."""
    if parts.typ != TYP:
        raise ValueError("it is a token of another type")
    names = [field.name for field in fields(Receipt)]
    if sorted(parts.payload) != sorted(names):
        raise ValueError("its claims are not those of a receipt")
    for name in names:
        if type(parts.payload[name]) not in _TYPES.get(name, (str,)):
            raise ValueError(f"its {name} is of the wrong type")
    return Receipt(**parts.payload)  # type: ignore[arg-type]


def chains(kept: Iterable[Kept]) -> list[Chain]:
    """The sessions that receipts were kept of, in the order of their first ones."""
    return [
        Chain(group[0].receipt.site, group[0].receipt.sid, len(group), chain_hash(group[-1].token))
        for group in _by_session(kept)
    ]


def breaks(kept: Iterable[Kept]) -> list[Break]:
    """Everything that is wrong with the order of these receipts, in their own order by session."""
    return [found for group in _by_session(kept) for found in _session_breaks(group)]


def _by_session(kept: Iterable[Kept]) -> list[list[Kept]]:
    groups: dict[str, list[Kept]] = {}
    for one in kept:
        groups.setdefault(one.receipt.sid, []).append(one)
    return list(groups.values())


def _session_breaks(group: Sequence[Kept]) -> list[Break]:
    hashes = [chain_hash(one.token) for one in group]
    places: dict[str, int] = {}
    for number, name in enumerate(hashes):
        places.setdefault(name, number)
    followed: dict[str | None, int] = {}
    found = []
    for number, one in enumerate(group):
        flaw = _flaw(group, places, followed, number, hashes)
        if flaw is not None:
            found.append(Break(one.place, *flaw))
        followed.setdefault(one.receipt.prev, number)
    return found


def _flaw(
    group: Sequence[Kept],
    places: dict[str, int],
    followed: dict[str | None, int],
    number: int,
    hashes: Sequence[str],
) -> tuple[BreakKind, str] | None:
    """What is wrong with one receipt, given all of its session and those before it."""
    first, prev = places[hashes[number]], group[number].receipt.prev
    if first < number:
        return "duplicate", f"it is the one at {group[first].place} again"
    if prev is None and prev in followed:
        return "forked", f"its session begins a second time, after {group[0].place}"
    if prev in followed:
        return "forked", f"it follows the same receipt as the one at {group[followed[prev]].place}"
    if prev == (hashes[number - 1] if number else None):
        return None
    if prev is None:
        return "reordered", "it begins its session, and others stand before it"
    if prev in places:
        return "reordered", f"it follows the one at {group[places[prev]].place}"
    if number == 0:
        return "missing", "its session began before it, with receipts that are not here"
    return "missing", f"a receipt between the one at {group[number - 1].place} and it is not here"
