"""The kinds of unsafe text, and what is done about each.

Decides that three kinds are kept from a language model, and that the fourth keeps nobody from
anything: who is upset is answered like anyone else.
"""

from __future__ import annotations

from typing import Final, Literal

Kind = Literal["injection", "jailbreak", "harmful_request", "toxicity"]

KINDS: Final[tuple[Kind, ...]] = ("injection", "jailbreak", "harmful_request", "toxicity")

KEPT_FROM_MODELS: Final[frozenset[Kind]] = frozenset(("injection", "jailbreak", "harmful_request"))
"""Orders to the model that are not its owner's; a role without rules; help with hurting people."""

UNSAFE_INPUT: Final = "unsafe_input"
"""The reason that a turn has which was kept from the model."""
