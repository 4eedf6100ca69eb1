"""Brings head, rules and a model's likelihoods together, and says what a whole command does.

Decides in favour of asking: READ, which nobody is asked about, needs a clear majority, hardly a
chance of DELETE, and no word that takes something away where the rules do not know the program.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from core.commands.features import features, verbs
from core.commands.head import Head, Mixing, Shares, softmax
from core.commands.labels import LABELS, SAFE_DEFAULT, Label, danger
from core.commands.parts import Part, parts_of
from core.commands.rules import by_rules

Method = Literal["ensemble", "head", "keywords", "default"]

LEAST_READ: Final = 0.6
FLOOR: Final = 1e-6
TAKING_AWAY: Final = frozenset(
    (
        *("delete", "del", "rm", "rmi", "rmdir", "drop", "destroy", "purge", "wipe", "prune"),
        *("erase", "remove", "uninstall", "unlink", "kill", "flush", "flushall", "flushdb"),
        *("truncate", "terminate", "revoke", "clear", "clean", "reset", "nuke", "shred"),
        *("discard", "deregister", "detach", "unset", "untap", "force"),
    )
)
RULES_SURE: Final = 0.9
"""The confidence of a rule by itself: what a program is called is not all that it does."""

UNKNOWN: Final = 0.25
"""The confidence of the default: one of four."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What one part does: the label, how sure, why, and who decided."""

    part: Part
    label: Label
    confidence: float
    reason: str
    method: Method


@dataclass(frozen=True, slots=True)
class Classification:
    """What a command does."""

    label: Label
    confidence: float
    reasoning: str
    method: Method


def mixed(mixing: Mixing, head: Shares, ruled: Label | None, model: Shares | None) -> Shares:
    """The shares of all voices together."""
    scores = []
    for label in LABELS:
        score = mixing.head * math.log(max(head[label], FLOOR))
        score += mixing.rules * (label == ruled)
        if model is not None:
            score += mixing.model * math.log(max(model[label], FLOOR))
        scores.append(score)
    return softmax(scores)


def judge(part: Part, head: Head | None, model: Shares | None = None) -> Judged:
    """What a part does; without a head by the rules, and where they know nothing by the default."""
    rule = by_rules(part)
    if head is None:
        if rule is None:
            return Judged(part, SAFE_DEFAULT, UNKNOWN, "nothing is known of it", "default")
        return Judged(part, rule[0], RULES_SURE, f"`{rule[1]}`", "keywords")
    ruled = rule[0] if rule else None
    seen = features(part)
    method: Method = "head" if model is None else "ensemble"
    mixing = head.alone if model is None else head.together
    shares = mixed(mixing, head.shares(seen), ruled, model)
    label = max(LABELS, key=lambda each: shares[each])
    doubt = _doubt(part, shares, mixing, ruled)
    if label == "READ" and doubt:
        share = max(shares[SAFE_DEFAULT], UNKNOWN)
        return Judged(part, SAFE_DEFAULT, share, doubt, "default")
    reason = f"`{rule[1]}`" if rule and ruled == label else _telling(head, seen, label)
    return Judged(part, label, shares[label], reason, method)


def _doubt(part: Part, shares: Shares, mixing: Mixing, ruled: Label | None) -> str:
    """Why a part may not be called harmless; empty where it may."""
    if part.kind == "opaque":
        return "what it runs cannot be seen"
    if shares["READ"] < LEAST_READ or shares["DELETE"] > mixing.most_delete:
        return "it is too little like what only reads"
    words = {piece for verb in verbs(part) for piece in (verb, *verb.split("-"))}
    taking = sorted(words & TAKING_AWAY)
    if ruled != "READ" and taking:
        return f"`{taking[0]}` may take something away"
    return ""


def _telling(head: Head, seen: Mapping[str, float], label: Label) -> str:
    """The words that speak most for a label."""
    at = LABELS.index(label)
    weighed = {
        name: value * (head.rows[name][at] - sum(head.rows[name]) / len(LABELS))
        for name, value in seen.items()
        if name in head.rows
    }
    best = max(weighed, key=lambda name: weighed[name], default="")
    if not best or weighed[best] <= 0:
        return "what its words are like"
    return f"`{best.partition('=')[2] or best}`"


def conclude(judged: Sequence[Judged]) -> Classification:
    """A whole command from its parts: as bad as the worst of them, and the surest of the worst."""
    if not judged:
        return Classification(SAFE_DEFAULT, UNKNOWN, "There is no command in it.", "default")
    worst = max(judged, key=lambda each: (danger(each.label), each.confidence))
    where = f" in “{worst.part.text}”" if len(judged) > 1 else ""
    among = f" It is the worst of {len(judged)} parts." if len(judged) > 1 else ""
    if worst.label == "READ":
        # Harmless as a whole is what is harmless throughout.
        worst = min(judged, key=lambda each: each.confidence)
        where, among = "", f" So are all of its {len(judged)} parts." if len(judged) > 1 else ""
    reasoning = f"{worst.label}{where}: {worst.reason}.{among}"
    return Classification(worst.label, worst.confidence, reasoning, worst.method)


def classify(
    command: str, head: Head | None, likelihoods: Mapping[str, Shares] | None = None
) -> Classification:
    """What a command does. `likelihoods` are a model's, by the text of a part."""
    known = likelihoods or {}
    return conclude([judge(part, head, known.get(part.text)) for part in parts_of(command)])
