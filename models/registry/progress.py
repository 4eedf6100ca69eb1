"""How fetching tells how far it is."""

from __future__ import annotations

from collections.abc import Callable

type Told = Callable[[int, int | None], None]
"""Hears bytes done, and of how many where that is known."""

type Progress = Callable[[str], Told]
"""Given what is done ("smollm2-135m: fetching model.gguf"), gives who hears how far it is."""


def silent(_title: str) -> Told:
    """Tells nobody."""
    return lambda _done, _total: None
