"""The problem documents of personalities: one function each, as `gateway.problems` has the rest."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import Problem
from gateway.pipeline.personality.form import Flaw


def bad_personality(flaws: Sequence[Flaw]) -> Problem:
    """A personality that cannot be kept; every flaw is told, with its field."""
    told = [{"field": flaw.field, "detail": flaw.text} for flaw in flaws]
    return Problem(
        "invalid-request",
        400,
        "Invalid request",
        f"It is refused: {'; '.join(map(str, flaws))}.",
        ".".join(filter(None, ("personality", flaws[0].field))),
        "Correct each of these fields and send again.",
        extra={"flaws": told},
    )


def personality_changed() -> Problem:
    """A save, or the undoing of an edit, that is based on another one than the one that stands."""
    return Problem(
        "personality-changed",
        409,
        "The personality was changed",
        "Someone else changed this personality after it was opened.",
        "based_on",
        "Read it again, bring both together, and save with its new number.",
    )


def personality_in_use() -> Problem:
    """A personality that was to go while the site's chat speaks by it."""
    return Problem(
        "personality-in-use",
        409,
        "The personality is in use",
        "The site's chat speaks by this personality.",
        remedy="Choose another one for the site first, or none.",
    )


def personality_read_only() -> Problem:
    """A file's personality that was to be changed."""
    return Problem(
        "personality-read-only",
        409,
        "The personality is a file's",
        "Fanlight's personalities and those of the owner's folder are not changed here.",
        remedy="Make one of your own from it, and change that.",
    )


def too_many_personalities(most: int) -> Problem:
    """One personality more than are kept."""
    return Problem(
        "too-many-personalities",
        409,
        "Too many personalities",
        f"A site may have {most} personalities of its own.",
        remedy="Remove one that is not used any more.",
    )
