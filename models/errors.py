"""What goes wrong with models, as one tree; every message says what happened and what to do.

FanlightError
└── ModelError
    ├── BadCatalog       the catalogue cannot be used; carries every problem
    ├── UnknownModel     no such model, version or file
    ├── CannotFetch      no source gave the file; carries why, one line a source
    │   └── CutOff       the connection ended early; what came is kept
    ├── Mismatch         a file is not the one that was promised; carries both hashes
    ├── BadSignature     a catalogue's entry is not vouched for by who should
    ├── NoHash           nobody has said what the file must be
    ├── NoRoom           the disk is too full; carries needed and free bytes
    ├── InUse            something runs with it
    ├── Occupied         what should be written would replace something
    ├── BadFile          a file is damaged, hostile, or of another kind
    ├── BadRequest       an engine cannot do what is asked; carries the parameter
    │   ├── UnknownAdapter  an adapter that is not loaded
    │   └── Overflow     more tokens than the context holds; carries both numbers
    ├── NoMemory         a model takes more than models may; carries both numbers
    ├── TooLate          a call took longer than it may; its work has been ended
    └── EngineFailed     an engine said something else
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from core.errors import FanlightError

INSTALL: Final = 'Install it: pip install "fanlight[server,engines]"'
"""What brings the engines and what makes their files."""


class ModelError(FanlightError):
    """The root of what goes wrong with models."""


class BadCatalog(ModelError):
    """A catalogue with at least one problem."""

    def __init__(self, path: Path, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join((f"{path} cannot be used:", *(f"  {p}" for p in problems))))


class UnknownModel(ModelError):
    """A model, version or file that is not there."""


class CannotFetch(ModelError):
    """A source, or all of them, did not give the file."""


class CutOff(CannotFetch):
    """A connection that ended before the file did; trying again goes on from there.

    `again_s` is after how many seconds the server wants to be asked again, where it said so.
    """

    def __init__(self, message: str, again_s: float = 0.0) -> None:
        self.again_s = again_s
        super().__init__(message)


class Mismatch(ModelError):
    """A file whose SHA-256 is not the promised one."""

    def __init__(self, name: str, expected: str, found: str, quarantined: Path | None) -> None:
        self.expected = expected
        self.found = found
        where = f"The bad file is in {quarantined}. " if quarantined else ""
        super().__init__(
            f"{name} is not what the catalogue promises.\n"
            f"  expected sha256 {expected}\n"
            f"  found    sha256 {found}\n"
            f"{where}Nothing else was changed. Pull it again; if that ends the same, do not use it."
        )


class BadSignature(ModelError):
    """An entry whose signature is wrong, by a key that is not trusted, or missing."""


class NoHash(ModelError):
    """A file whose SHA-256 is nowhere written."""


class NoRoom(ModelError):
    """Less free space than a file needs."""

    def __init__(self, folder: Path, needed: int, free: int, remedy: str = "") -> None:
        self.needed = needed
        self.free = free
        kept = "or set FANLIGHT_MODELS_DIR; what has come so far is kept."
        super().__init__(
            f"{folder} needs {_mb(needed)} free and has {_mb(free)}. Free some (`fanlight models "
            f"gc` may), {remedy or kept}"
        )


class InUse(ModelError):
    """A version that is chosen, or that a process runs."""


class Occupied(ModelError):
    """A target that is there already."""


class BadFile(ModelError):
    """A file that no engine is shown."""


class BadRequest(ModelError):
    """What an engine is asked that it cannot do; `parameter` names it."""

    def __init__(self, message: str, parameter: str | None = None) -> None:
        self.parameter = parameter
        super().__init__(message)


class UnknownAdapter(BadRequest):
    """An adapter that the engine does not have."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "adapters")


class Overflow(BadRequest):
    """A prompt that is longer than the context."""

    def __init__(self, tokens: int, context: int) -> None:
        self.tokens = tokens
        self.context = context
        super().__init__(
            f"The prompt has {tokens} tokens and the context holds {context}. Shorten the prompt, "
            "or serve the model with a larger --context.",
            "messages",
        )


class NoMemory(ModelError):
    """A model that takes more memory than is allowed."""

    def __init__(self, name: str, needed: int, allowed: int) -> None:
        self.needed = needed
        self.allowed = allowed
        super().__init__(
            f"{name} takes about {_mb(needed)} and models may take {_mb(allowed)}. Serve it with a "
            "larger --memory, or serve a smaller model."
        )


class TooLate(ModelError):
    """A call that was ended because it took too long."""


class EngineFailed(ModelError):
    """An engine that failed for a reason of its own."""


def _mb(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
