"""Intents by rules: a command about memory, a look-up, several questions in one, a picture.

Decides by patterns that are data (`rules.json`: kinds, each in any language). A command about
memory must open the message, so that a question about forgotten passwords is none. A message about
a picture has no other intent: what stands in it is no question to search for. It refuses rules that
are not of their form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from core.errors import FanlightError

FILE: Final = "rules.json"
COMMANDS: Final = ("remember", "forget", "recall")
KINDS: Final = ("image", *COMMANDS, "document", "factual")
Kind = Literal["image", "remember", "forget", "recall", "document", "factual"]
"""In the order in which they are looked for."""

MOST_PARTS: Final = 4
_LOOKED_AT: Final = 2_000
_LEAST_PART: Final = 2
"""Words of the shortest part that is a question by itself."""
_NUMBERED: Final = re.compile(r"(?:^|\s)\(?[1-9][.)]\s+")
_BETWEEN: Final = re.compile(r"\s*[;؛]\s*|(?<=[?？])\s+(?=\S)|\n+")


class BadRules(FanlightError):
    """The rules are not of their form."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Patterns of each kind, and what is said to a command by its kind and language."""

    patterns: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    replies: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def kind(self, text: str) -> Kind | None:
        """The intent of a message; None where it is only a question."""
        said = " ".join(text[:_LOOKED_AT].split())
        for kind in KINDS:
            pattern = self.patterns.get(kind)
            if pattern is not None and pattern.search(said):
                return kind
        return None

    def parts(self, text: str) -> tuple[str, ...]:
        """The questions of a message that has several, in order; none where it is one.

        A message about a picture is one, whatever stands in it.
        """
        if not self.patterns or self.kind(text) == "image":
            return ()
        numbered = _NUMBERED.split(text[:_LOOKED_AT])
        found = numbered[1:] if len(numbered) > _LEAST_PART else _BETWEEN.split(text[:_LOOKED_AT])
        parts = [part.strip() for part in found if len(part.split()) >= _LEAST_PART]
        return tuple(parts[:MOST_PARTS]) if len(parts) > 1 else ()

    def reply(self, kind: str, locale: str) -> str | None:
        """What is true of a command about memory; None where nothing is said to such."""
        said = self.replies.get(kind)
        return None if said is None else said.get(locale.split("-", 1)[0], said["en"])


NO_RULES: Final = Rules()
"""Every message is a question, and one."""


def read_rules(text: str) -> Rules:
    """Rules from JSON; raises `BadRules`."""
    try:
        told = json.loads(text)
        patterns = {
            kind: re.compile("|".join(f"(?:{one})" for some in told[kind].values() for one in some),
                             re.IGNORECASE)
            for kind in KINDS
        }  # fmt: skip
        replies = {kind: {str(k): str(v) for k, v in told["replies"][kind].items()}
                   for kind in COMMANDS}  # fmt: skip
        for kind in COMMANDS:
            replies[kind]["en"]
    except (AttributeError, LookupError, TypeError, ValueError, re.error) as error:
        raise BadRules(f"intent rules are not of their form: {error!r}") from error
    return Rules(patterns, replies)
