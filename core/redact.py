"""Redaction: card numbers, secrets and personal numbers leave a text before it is kept or sent on.

It replaces what it finds by a label such as `[card]`, so that the text stays readable. It prefers
to redact too much of a digit string that passes its checksum over letting one through, and leaves
ordinary numbers (orders, years, prices) alone. Redacting twice changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

Check = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Pattern:
    """One kind of thing to redact: its label, its shape, and what else must hold."""

    label: str
    shape: re.Pattern[str]
    holds: Check = bool


def luhn(text: str) -> bool:
    """The Luhn checksum over the digits of a card number of 13 to 19 digits (ISO/IEC 7812-1)."""
    digits = [int(char) for char in text if char.isdecimal()]
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def iban(text: str) -> bool:
    """The mod-97 check of an IBAN (ISO 13616)."""
    compact = re.sub(r"[\s-]", "", text).upper()
    if not 15 <= len(compact) <= 34:
        return False
    rearranged = compact[4:] + compact[:4]
    return int("".join(str(int(char, 36)) for char in rearranged)) % 97 == 1


def _is_ipv4(text: str) -> bool:
    return all(int(part) <= 255 for part in text.split("."))


def _is_phone(text: str) -> bool:
    digits = sum(char.isdecimal() for char in text)
    return 8 <= digits <= 15 and (
        text.startswith(("+", "00", "(", "0")) or "-" in text or " " in text
    )


_PEM = r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
_TOKENS = (
    r"\b(?:sk|pk|rk)[-_](?:live|test|proj|ant)?[-_]?[A-Za-z0-9_-]{16,}"  # payment and model keys
    r"|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,}"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}"
    r"|\bAKIA[0-9A-Z]{16}\b|\bAIza[0-9A-Za-z_-]{30,}"
    r"|\bwhsec_[A-Za-z0-9+/=]{16,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"  # a JWT
)
_NAMED_VALUE = (
    r"(?i)(?<![\w-])(?:password|passwd|pwd|passcode|secret|api[ _-]?key|access[ _-]?token|pin|cvv"
    r"|cvc|contraseña|clave|סיסמה|סיסמא)(?:\s+is|\s+es)?\s*[:=]\s*(?!\[)\S{3,}"
)

PATTERNS = (
    Pattern("secret", re.compile(_PEM, re.DOTALL)),
    Pattern("secret", re.compile(_TOKENS)),
    Pattern("secret", re.compile(_NAMED_VALUE)),
    Pattern(
        "email", re.compile(r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}")
    ),
    Pattern("iban", re.compile(r"\b[A-Za-z]{2}\d{2}(?:[\s-]?[A-Za-z0-9]{2,4}){3,8}\b"), iban),
    Pattern(
        "card", re.compile(r"(?<![\d.])\d(?:[ .\-\u2010-\u2015\u00a0]{0,2}\d){12,18}(?!\d)"), luhn
    ),
    Pattern("ip", re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]*\d)"), _is_ipv4),
    Pattern(
        "ip",
        re.compile(
            r"(?i)(?<![:.\w])(?:[0-9a-f]{1,4}:){2,7}(?::?[0-9a-f]{1,4}|:)(?:%\w+)?(?![:.\w])"
        ),
        lambda text: text.count(":") >= 3,
    ),
    Pattern(
        "phone",
        re.compile(
            r"(?<![\w.])(?:\+|00)?\(?\d{1,4}\)?(?:[ .\-/]?\(?\d{2,4}\)?){2,5}(?![\w]|[.,]\d)"
        ),
        _is_phone,
    ),
)


def redact(text: str) -> str:
    """`text` with cards, e-mails, phones, addresses, account numbers and secrets replaced."""
    for pattern in PATTERNS:
        text = pattern.shape.sub(partial(_replace, pattern), text)
    return text


def redact_secrets(text: str) -> str:
    """`text` without cards, account numbers and secrets: what may never reach a disk.

    E-mails and phone numbers stay: a visitor gives them so that a person can answer.
    """
    for pattern in PATTERNS:
        if pattern.label in ("secret", "card", "iban"):
            text = pattern.shape.sub(partial(_replace, pattern), text)
    return text


def _replace(pattern: Pattern, found: re.Match[str]) -> str:
    return f"[{pattern.label}]" if pattern.holds(found.group()) else found.group()
