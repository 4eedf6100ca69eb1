"""SQL: which texts are SQL, their statements, and what each does at most.

Decides by keywords outside of strings and comments: a statement is as bad as the worst verb that
runs within it, so that a common table expression hides nothing.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

from core.commands.labels import Label

_BEGINS: Final = re.compile(
    r"(?:select\s|with\s+(?:recursive\s+)?\w+\s*(?:\([^)]*\)\s*)?as\b|insert\s+(?:into|ignore|or)\s"
    r"|update\s+\S+\s+(?:as\s+)?(?:\w+\s+)?set\s|delete\s+from\s|merge\s+into\s|replace\s+into\s"
    r"|(?:drop|alter|create)\s+(?:or\s+replace\s+)?(?:unique\s+|temp(?:orary)?\s+|materialized\s+)*"
    r"(?:table|index|view|database|schema|user|role|type|sequence|function|procedure|trigger|column"
    r"|extension|policy|constraint|system|materialized)\b"
    r"|truncate\s+(?!-)(?:table\s+)?\w+|grant\s.+\sto\s|revoke\s.+\sfrom\s"
    r"|show\s+(?:tables|databases|create|columns|index|grants|processlist|variables|full|all)\b"
    r"|(?:desc|describe)\s+\w+\s*;?\s*$|explain\s+\w+|begin\b\s*(?:transaction|work|;|$)"
    r"|start\s+transaction|commit\b|rollback\b|vacuum\b|analyze\b|reindex\b|refresh\s+materialized"
    r"|comment\s+on\s|call\s+\w+\s*\(|lock\s+tables?\s|pragma\s+\w+|copy\s+\S+\s+(?:from|to)\b"
    r"|rename\s+table\s|cluster\s+\w+\s+using|set\s+(?:global|session)\s|kill\s+(?:query|connection)\s)",
    re.IGNORECASE | re.DOTALL,
)  # fmt: skip
_HIDDEN: Final = re.compile(
    r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\$(\w*)\$.*?\$\1\$|\"(?:[^\"]|\"\")*\"|`[^`]*`", re.DOTALL
)
_TAKES_AWAY: Final = re.compile(
    r"\b(?:delete\s+from|drop\s+\w+|truncate\s+\w+|replace\s+into|revoke\s|kill\s+\w+"
    r"|then\s+delete)\b"
    r"|\b\w*(?:terminate|unlink|drop|delete|truncate|remove|purge|kill)\w*\s?\(", re.IGNORECASE
)  # fmt: skip
_CHANGES: Final = re.compile(
    r"\b(?:update\s+(?:only\s+)?\S+\s+(?:as\s+)?(?:\w+\s+)?set|alter\s+\w+|merge\s+into"
    r"|on\s+conflict\b.*\bdo\s+update|on\s+duplicate\s+key|create\s+or\s+replace|rename\s+table"
    r"|grant\s|refresh\s+materialized|vacuum|reindex|comment\s+on|cluster\s+\w+\s+using"
    r"|set\s+(?:global|session)|analyze\s|lock\s+table)", re.IGNORECASE | re.DOTALL
)  # fmt: skip
_ADDS: Final = re.compile(
    r"\b(?:insert\s+(?:into|ignore|or)|create\s+\w+|select\b.*\binto\s+(?!@)\w+"
    r"|copy\s+[\w.]+(?:\s*\([^)]*\))?\s+from)\b", re.IGNORECASE | re.DOTALL
)  # fmt: skip
_ONLY_READS: Final = re.compile(
    r"(?:select|with|explain|begin|start|commit|pragma\s+\w+\s*(?:\(|;|$))",
    re.IGNORECASE,
)
_ONLY_TELLS: Final = re.compile(
    r"(?:show\s|desc(?:ribe)?\s|explain\s+(?!analy[sz]e)(?!\([^)]*analy))", re.IGNORECASE
)


def is_sql(text: str) -> bool:
    """Whether a text begins as a statement does."""
    return _BEGINS.match(_bare(text)) is not None


def statements(text: str) -> list[str]:
    """The statements of a script, as they stand there; a `;` in a string ends none."""
    cuts = [0, *(at + 1 for at, char in enumerate(_masked(text)) if char == ";"), len(text)]
    pieces = (text[start:end] for start, end in pairwise(cuts))
    told = (piece.strip(" \t\r\n;") for piece in pieces)
    return [piece for piece in told if _bare(piece)]


def verdict(statement: str) -> tuple[Label, str] | None:
    """What the statement does at most, and by which words; None where they say nothing."""
    bare = _bare(statement)
    tells = _ONLY_TELLS.match(bare)
    if tells:
        return "READ", tells[0].strip().upper()
    for label, pattern in _BY_DANGER:
        found = pattern.search(bare)
        if found:
            return label, " ".join(found[0].upper().split()[:2])
    reads = _ONLY_READS.match(bare)
    return ("READ", reads[0].strip(" (").upper()) if reads else None


def keywords(statement: str) -> list[str]:
    """The statement's words outside of strings and comments, in small letters."""
    return re.findall(r"[a-z_]+", _bare(statement).lower())


def _bare(text: str) -> str:
    """The text on one line from its first word on, without comments, and with strings emptied."""
    told = _HIDDEN.sub(lambda found: " " if found[0][:2] in {"--", "/*"} else _word(found[0]), text)
    # Runs of white space would be tried by every pattern at every length.
    return " ".join(told.split()).lstrip("( ")


def _word(quoted: str) -> str:
    """A quoted name stays a word, whatever it says; a string becomes an empty one."""
    return "''" if quoted[0] in "'$" else "name"


def _masked(text: str) -> str:
    """The text with strings and comments blanked out, at the same length."""
    return _HIDDEN.sub(lambda found: " " * len(found[0]), text)


_BY_DANGER: Final[tuple[tuple[Label, re.Pattern[str]], ...]] = (
    ("DELETE", _TAKES_AWAY), ("UPDATE", _CHANGES), ("CREATE", _ADDS),
)  # fmt: skip
