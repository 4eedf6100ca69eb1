"""What a command can do, and which of it is worse.

Decides the four classes and their order. READ changes nothing that stays. CREATE adds something
beside what was there. UPDATE changes what was there, in a way that can be changed back. DELETE
takes something away, ends it or writes over it, so that it has to be made anew.
"""

from __future__ import annotations

from typing import Final, Literal

Label = Literal["READ", "CREATE", "UPDATE", "DELETE"]

LABELS: Final[tuple[Label, ...]] = ("READ", "CREATE", "UPDATE", "DELETE")
"""From harmless to worst; a command of several parts is as bad as its worst."""

SAFE_DEFAULT: Final[Label] = "CREATE"
"""Where nothing is known: whoever runs the command is asked first."""


def danger(label: Label) -> int:
    """How bad it is, from 0 on."""
    return LABELS.index(label)
