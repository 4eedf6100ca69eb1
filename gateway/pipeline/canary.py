"""Canaries: words that a prompt has and no reply may.

Decides what one looks like: a made-up word of letters that nobody can foresee, new for each turn,
so that a reply which has it was copied from the instructions. It refuses nothing; the validator
does (`gateway.pipeline.validate`).
"""

from __future__ import annotations

from core.ports import Random

BYTES = 8
_LETTERS = "bcdfghjklmnpqrst"


def canaries(random: Random) -> tuple[str, ...]:
    """One word of 16 consonants, from 64 random bits: no language has it."""
    return ("".join(_LETTERS[half] for byte in random(BYTES) for half in divmod(byte, 16)),)
