"""The head of the command classifier, from the weights that come along."""

from __future__ import annotations

import logging
from importlib.resources import files
from typing import Final

from core.commands.head import BadWeights, Head, read_head

WEIGHTS: Final = "command_head.json"

_log = logging.getLogger("fanlight")


def load_command_head() -> Head | None:
    """The head; None, with a line in the log, where its file is not whole: rules decide then."""
    try:
        return read_head((files("gateway.adapters") / WEIGHTS).read_text(encoding="utf-8"))
    except (BadWeights, OSError, UnicodeError) as error:
        _log.error("commands are classified by keywords alone: %s", error)
        return None
