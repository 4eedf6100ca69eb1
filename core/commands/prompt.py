"""What a model is asked about a part, and what its first token says.

Decides the few examples and how likelihoods are read: the labels begin with different letters, so
the first token of the answer tells them apart, however a model cuts words. Nothing is sampled.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from core.commands.head import Shares
from core.commands.labels import LABELS
from core.commands.parts import Part

MOST_CHARACTERS: Final = 400
TEMPERATURE: Final = 0.1
"""Of the one token that is made; likelihoods are read before it is drawn."""

_EXAMPLES: Final = (
    ("ls -la", "READ"), ("rm -rf build", "DELETE"), ("mkdir app", "CREATE"),
    ("mv a.txt b.txt", "UPDATE"), ("kubectl get pods", "READ"), ("DROP TABLE users", "DELETE"),
    ("docker run nginx", "CREATE"), ("git commit -m fix", "UPDATE"), ("apt purge nginx", "DELETE"),
    ("useradd anna", "CREATE"), ("UPDATE users SET a = 1", "UPDATE"), ("npm ls", "READ"),
)  # fmt: skip
_HEAD: Final = (
    "Say what each command does to data: READ (changes nothing), CREATE (adds something new), "
    "UPDATE (changes something), DELETE (removes or destroys something).\n\n"
)
_FLOOR_SHARE: Final = 0.5


def prompt_of(part: Part) -> str:
    """The few-shot prompt; the answer's first token names a label."""
    shown = (part.words[0] if part.kind == "sql" else " ".join(part.words))[:MOST_CHARACTERS]
    told = "".join(f"Command: {command}\nEffect: {label}\n\n" for command, label in _EXAMPLES)
    return f"{_HEAD}{told}Command: {' '.join(shown.split())}\nEffect:"


def shares_of(first: Mapping[str, float]) -> Shares | None:
    """The labels' probabilities from log-probabilities of first tokens; None where none is named.

    A label that is not among the likeliest gets half of the least that is.
    """
    masses = dict.fromkeys(LABELS, 0.0)
    for token, logprob in first.items():
        start = token.strip().upper()
        named = [label for label in LABELS if start and label.startswith(start)]
        if named:
            masses[named[0]] += math.exp(logprob)
    told = [mass for mass in masses.values() if mass > 0]
    if not told:
        return None
    floor = min(told) * _FLOOR_SHARE
    total = sum(mass or floor for mass in masses.values())
    return {label: (mass or floor) / total for label, mass in masses.items()}
