"""The file of the static embedding: what `kb.embed` reads.

Decides two bits a dimension and one scale a token. Refuses a width that four does not divide.
"""

from __future__ import annotations

import json
from array import array

import numpy as np
from numpy.typing import NDArray

from kb.codec import encode
from kb.embed import EMBEDDING
from kb.vectors import THRESHOLDS
from models.embed.vocabulary import Vocabulary

SCORE_DIGITS = 2


def pack(vocabulary: Vocabulary, table: NDArray[np.float32]) -> bytes:
    """Give the file's bytes for a table of shape (tokens, dimensions)."""
    tokens, dimensions = table.shape
    if dimensions % 4 or tokens != len(vocabulary.names):
        raise ValueError(f"a table of {table.shape} does not fit {len(vocabulary.names)} tokens")
    norms = np.linalg.norm(table, axis=1)
    scaled = table / np.maximum(norms / np.sqrt(dimensions), 1e-9)[:, None]
    levels = np.digitize(scaled, THRESHOLDS).astype(np.uint8).reshape(tokens, -1, 4)
    packed = (levels << np.array([0, 2, 4, 6], np.uint8)).sum(-1).astype(np.uint8)
    half = norms.astype(np.float16).astype(np.float32)
    return encode(
        {
            "meta": json.dumps({"dimensions": dimensions}),
            "pieces": "\n".join(vocabulary.names),
            "scores": array("f", [round(score, SCORE_DIGITS) for score in vocabulary.scores]),
            "norms": array("f", half.tolist()),
            "levels": array("B", packed.tobytes()),
        },
        EMBEDDING,
    )
