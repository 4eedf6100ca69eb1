"""How serious an escalation is, for a target that pages people: by its reason and by its topic.

A site has a short list of rules, of which the first that fits decides: `always = critical` fits
every escalation of that reason, `about refund = error` one whose question has a word that begins
so, and `* = warning` any. It refuses rules of another form, and severities that PagerDuty does not
know.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, cast, get_args

from core.messages import Escalation, EscalationReason

Severity = Literal["critical", "error", "warning", "info"]

SEVERITIES: Final[tuple[str, ...]] = get_args(Severity)
REASONS: Final[tuple[str, ...]] = get_args(EscalationReason)
DEFAULT: Final[Severity] = "warning"
ANY: Final = "*"
EXAMPLE: Final = "about refund = error"

_RULE: Final = re.compile(r"(?P<what>\*|[a-z_]+|about .+?)\s*=\s*(?P<severity>[a-z]+)")


@dataclass(frozen=True, slots=True)
class SeverityRule:
    """One rule: a reason or `*`, or else a beginning of words of the question."""

    reason: str
    words: str
    severity: Severity

    def fits(self, escalation: Escalation) -> bool:
        """Whether it speaks of this escalation."""
        if self.words:
            return f" {self.words}" in f" {_plain(escalation.question)}"
        return self.reason in {ANY, escalation.reason}


def severity_of(escalation: Escalation, rules: Sequence[SeverityRule]) -> Severity:
    """The severity by the first rule that fits, else a warning."""
    return next((rule.severity for rule in rules if rule.fits(escalation)), DEFAULT)


def parse_rule(text: str) -> SeverityRule:
    """Read one rule; raises `ValueError` that says what is wrong."""
    match = _RULE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not of the form {EXAMPLE}")
    what, severity = match["what"], match["severity"]
    if severity not in SEVERITIES:
        raise ValueError(f"{severity!r} is no severity; they are {', '.join(SEVERITIES)}")
    known = cast("Severity", severity)
    if what.startswith("about "):
        words = _plain(what.removeprefix("about "))
        if not words:
            raise ValueError(f"{text!r} names no word")
        return SeverityRule("", words, known)
    if what != ANY and what not in REASONS:
        raise ValueError(f"{what!r} is no reason; they are {', '.join(REASONS)}")
    return SeverityRule(what, "", known)


def _plain(text: str) -> str:
    """Small letters without accents, the words one blank apart."""
    parted = unicodedata.normalize("NFD", text.casefold())
    letters = "".join(one for one in parted if not unicodedata.combining(one))
    return " ".join(re.findall(r"\w+", letters))
