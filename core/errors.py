"""The error tree that every runtime shares.

    FanlightError
    ├── Problem            what a caller may be told: RFC 9457, with a stable type and a remedy
    │   (made by the functions of `core.problems`)
    ├── Unavailable        a dependency did not answer in time, or at all
    │   └── Declined       it is well, and does not take what it was asked
    ├── Conflict           a conditional write lost to another writer; the caller may try again
    │   └── Exists         what was to be stored is there already; trying again changes nothing
    ├── Ended              the session was ended before its time; nothing of it is stored any more
    └── NotFound           no such row in this scope (another scope's rows count as absent)

It decides nothing. A `Problem` carries no stack, no path and no text of a visitor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field

PROBLEM_BASE = "https://fanlight.dev/problems/"


class FanlightError(Exception):
    """The root of every error that Fanlight raises on purpose."""


class Unavailable(FanlightError):
    """A dependency is down, slow or answered garbage; the message names which.

    `again` is False where asking it once more is in vain until a person has done something;
    `after_s` is for how many seconds it asked to be left alone.
    """

    def __init__(
        self, message: str = "", *, again: bool = True, after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.again = again
        self.after_s = after_s


class Declined(Unavailable):
    """A dependency that is well does not take what it was asked: it is too long, or not allowed."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message, again=False)


class Conflict(FanlightError):
    """A conditional write found another state than the one it was based on."""


class Exists(Conflict):
    """A row that is written once has been written, by another call than this one."""


class Ended(FanlightError):
    """The visitor's sessions were ended, by an erase or an operator, since this one began."""


class NotFound(FanlightError):
    """Nothing by this name in this scope."""


@dataclass(eq=False)
class Problem(FanlightError):
    """An error that a person can act on (RFC 9457).

    `name` is the stable last segment of the problem's `type`; `extra` goes into the document
    as it is; `headers` into the response.
    """

    name: str
    status: int
    title: str
    detail: str
    field: str | None = None
    remedy: str | None = None
    extra: Mapping[str, object] = dataclass_field(default_factory=dict)
    headers: Mapping[str, str] = dataclass_field(default_factory=dict)

    def __str__(self) -> str:
        where = f" ({self.field})" if self.field else ""
        return f"{self.title}{where}: {self.detail}"

    def document(self) -> dict[str, object]:
        """The problem document, ready for JSON."""
        body: dict[str, object] = {
            "type": PROBLEM_BASE + self.name,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if self.field is not None:
            body["field"] = self.field
        if self.remedy is not None:
            body["remedy"] = self.remedy
        body.update(self.extra)
        return body
