"""A very small embedding, in the real format: enough for an index to be built and loaded with."""

from __future__ import annotations

import json
from array import array
from random import Random

from kb.codec import encode
from kb.embed import EMBEDDING, START, load_embedding

WORDS = "where are you open when how do i return an order what is it cost refund policy"
DIMENSIONS = 16


def small_embedding(seed: int = 1) -> bytes:
    """A table of a few words and every letter; another seed gives another release."""
    chance = Random(seed)
    pieces = [START + word for word in WORDS.split()] + [START, *"abcdefghijklmnopqrstuvwxyz"]
    size = len(pieces)
    return encode(
        {
            "meta": json.dumps({"dimensions": DIMENSIONS}),
            "pieces": "\n".join(pieces),
            "scores": array("f", [-5.0] * size),
            "norms": array("f", [1.0] * size),
            "levels": array("B", chance.randbytes(size * DIMENSIONS // 4)),
        },
        EMBEDDING,
    )


def release_of(packed: bytes) -> str:
    """The release that the bytes are."""
    return load_embedding(packed).release
