"""The safety head, from the weights that come along."""

from __future__ import annotations

import logging
from importlib.resources import files
from typing import Final

from core.safety.head import BadWeights, Head, read_weights
from kb.embed import Embedding

WEIGHTS: Final = "safety_head.json"

_log = logging.getLogger("fanlight")


def load_safety_head(embedding: Embedding | None) -> Head | None:
    """The head; None where it cannot judge: nothing is held back then.

    Weights that do not fit are told in the log; an installation without an embedding knows of it.
    """
    try:
        text = (files("gateway.adapters") / WEIGHTS).read_text(encoding="utf-8")
        return Head(read_weights(text), embedding) if embedding else None
    except (BadWeights, OSError, UnicodeError) as error:
        _log.error("questions go to the model unjudged: %s", error)
        return None
