"""Redaction: card numbers, secrets and personal numbers leave a text before it is kept or sent on.

It replaces what it finds by a label such as `[card]`, so that the text stays readable. It prefers
to redact too much of a digit string that passes its checksum over letting one through, and leaves
ordinary numbers (orders, years, dates, prices) alone. Redacting twice changes nothing. The work
grows with the length of the text and no faster, whatever the text is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

Span = tuple[int, int]
Finder = Callable[[str], Iterable[Span]]


@dataclass(frozen=True, slots=True)
class Pattern:
    """One kind of thing to redact: its label, and where it stands in a text.

    `needs` is what every such thing has in it: a text without is not looked through.
    """

    label: str
    find: Finder
    needs: Callable[[str], object] = bool


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


_GAP = r" .\-\u00a0\u2010-\u2015"

_PEM = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
)
_TOKENS = re.compile(
    r"\b(?:sk|pk|rk)[-_](?:live|test|proj|ant)?[-_]?[A-Za-z0-9_-]{16,}"  # payment and model keys
    r"|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,}"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}"
    r"|\bAKIA[0-9A-Z]{16}\b|\bAIza[0-9A-Za-z_-]{30,}"
    r"|\bwhsec_[A-Za-z0-9+/=]{16,}"
    r"|(?<![\w-])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"  # a JWT
    r"|\b[Bb]earer +[A-Za-z0-9._~+/-]{16,}=*"
)
# A value after a colon or an equals sign; after "is" only where it has a digit, so that
# "my password is wrong" stays.
_NAMED_VALUE = re.compile(
    r"(?i)(?<![\w-])(?:password|passwd|pwd|passcode|secret|api[ _-]?key|access[ _-]?token|pin|cvv"
    r"|cvc|contraseña|clave|[ובהלשכמ]{0,3}סיסמ[הא](?:\s+שלי)?)"
    r"(?:(?:\s+(?:is|es|היא))?\s*[:=]\s*(?!\[)\S{3,}"
    r"|\s+(?:is|es|היא)\s+(?!\[)(?=\S{0,64}\d)\S{3,})"
)
_CARD_CODE = re.compile(r"(?i)(?<![\w-])(?:cvv|cvc|cid)2?\s{1,3}\d{3,4}(?!\w)")
_EMAIL = re.compile(r"[\w.%+'-]{1,64}@(?:[\w-]{1,63}\.){1,8}(?:xn--[a-z0-9-]{2,59}|[^\W\d_]{2,24})")
_IPV4 = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]*\d)")
_IPV6 = re.compile(r"(?i)(?<![:.\w])[0-9a-f:]{3,39}(?:%\w{1,16})?(?![:\w]|\.\w)")

_DAY, _MONTH, _YEAR = "(?:0?[1-9]|[12][0-9]|3[01])", "(?:0?[1-9]|1[0-2])", "(?:19|20)[0-9]{2}"
_DATE = (
    rf"(?:{_YEAR}([-/. ]){_MONTH}\1{_DAY}|{_DAY}([-/. ]){_MONTH}\2{_YEAR}"
    rf"|{_MONTH}([-/. ]){_DAY}\3{_YEAR})(?!\d)"
)
_PHONE = re.compile(
    r"(?<![\w.#])(?<!\w[-/])"  # not the tail of a longer identifier
    rf"(?!{_DATE})"
    rf"(?:\+|00)?\(?\d{{1,4}}\)?(?:[{_GAP}]?\(0\))?(?:[{_GAP}/]?\(?\d{{2,4}}\)?){{2,5}}"
    r"(?:\s?(?:x|ext\.?)\s?\d{1,6})?"
    r"(?!\w|[.,]\d)"
)
# An amount such as 10 000 000, or a list of years.
_ORDINARY = re.compile(r"\d{1,2}\D\d{3}\D\d{3}|(?:(?:19|20)\d\d\D{1,3})+(?:19|20)\d\d")


def _is_phone(text: str) -> bool:
    """Whether the digits and the way they are grouped are those of a telephone number."""
    number = re.sub(r"\s?[xe].*", "", text)
    digits = sum(char.isdecimal() for char in number)
    if number.startswith(("+", "0", "(")):
        return 8 <= digits <= 15
    gaps = len(re.findall(r"\d\D+(?=\d)", number))
    return 8 <= digits <= 12 and gaps >= 2 and not _ORDINARY.fullmatch(number)


def _is_ipv4(text: str) -> bool:
    return all(int(part) <= 255 for part in text.split("."))


def _is_ipv6(text: str) -> bool:
    head, gap, tail = text.partition("%")[0].partition("::")
    groups = [group for part in (head, tail) if part for group in part.split(":")]
    if not all(1 <= len(group) <= 4 for group in groups):
        return False
    enough = 2 <= len(groups) <= 7 if gap else len(groups) == 8
    return enough and any(char.isdecimal() for char in text)


def _shaped(shape: re.Pattern[str], holds: Callable[[str], bool] = bool) -> Finder:
    """Finds what has the shape and of which the check holds."""
    return lambda text: (found.span() for found in shape.finditer(text) if holds(found.group()))


_IBAN_HEAD = re.compile(r"(?<![^\W_])[A-Za-z]{2}[0-9]{2}(?=[\s-]?[A-Za-z0-9])")
_IBAN_BODY = re.compile(r"[A-Za-z]{2}[0-9]{2}(?:[\s-]?[A-Za-z0-9]){11,30}")


def _ibans(text: str) -> Iterator[Span]:
    """Finds IBANs; the words after one look like more of it, so the longest valid start counts."""
    done = 0
    for head in _IBAN_HEAD.finditer(text):
        end = _iban_end(text, head.start()) if head.start() >= done else 0
        if end:
            yield head.start(), end
            done = end


def _iban_end(text: str, start: int) -> int:
    """Where the longest IBAN that starts here ends (mod 97, ISO 13616), or 0."""
    body = _IBAN_BODY.match(text, start)
    end = body.end() if body else start
    head = int("".join(str(int(char, 36)) for char in text[start : start + 4]))
    remainder, length, found = 0, 4, 0
    for place in range(start + 4, end):
        if not text[place].isalnum():
            continue
        value = int(text[place], 36)
        remainder = (remainder * (100 if value > 9 else 10) + value) % 97
        length += 1
        ends = length >= 15 and not text[place + 1 : place + 2].isalnum()
        # The country and check digits, six digits as numbers, are read last.
        if ends and (remainder * 10**6 + head) % 97 == 1:
            found = place + 1
    return found


_DIGIT_RUN = re.compile(rf"(?<!\d)(?<!\d[.,])\d(?:[{_GAP}]{{0,2}}\d){{12,}}")
_ISSUER = re.compile(r"4|5[0-8]|2[2-7]|3[04-8]|6")


def _cards(text: str) -> Iterator[Span]:
    """Finds card numbers, also beside other numbers: an expiry, a count, a second card.

    A whole run of digits needs the checksum alone; a part of one must also begin as cards do,
    with four digits together or more.
    """
    for run in _DIGIT_RUN.finditer(text):
        groups = [found.span() for found in re.finditer(r"\d+", text[run.start() : run.end()])]
        if luhn(run.group()):
            yield run.span()
            continue
        first = 0
        while first < len(groups):
            after = _card_at(run.group(), groups, first)
            if after:
                yield run.start() + groups[first][0], run.start() + groups[after - 1][1]
            first = after or first + 1


def _card_at(run: str, groups: list[Span], first: int) -> int:
    """The group after the longest card number that starts with group `first`, or 0."""
    start, digits, after = groups[first][0], 0, 0
    if groups[first][1] - start < 4 or not _ISSUER.match(run, start):
        return 0
    for place in range(first, len(groups)):
        digits += groups[place][1] - groups[place][0]
        if digits > 19:
            break
        if digits >= 13 and luhn(run[start : groups[place][1]]):
            after = place + 1
    return after


def _has(*marks: str) -> Callable[[str], bool]:
    """Whether a text has one of these: what is all words is spared most of the patterns."""
    return lambda text: any(mark in text for mark in marks)


_digit = re.compile(r"\d").search
# Digits, where "is", "es" or "היא" stands for the colon.
_value = re.compile(r"[:=\d]").search

PATTERNS = (
    Pattern("secret", _shaped(_PEM), _has("-----BEGIN ")),
    Pattern("secret", _shaped(_TOKENS), _has("-", "_", "AKIA", "AIza", "eyJ", "earer ")),
    Pattern("secret", _shaped(_NAMED_VALUE), _value),
    Pattern("secret", _shaped(_CARD_CODE), _digit),
    Pattern("email", _shaped(_EMAIL), _has("@")),
    Pattern("iban", _ibans, _digit),
    Pattern("card", _cards, _digit),
    Pattern("ip", _shaped(_IPV4, _is_ipv4), _digit),
    Pattern("ip", _shaped(_IPV6, _is_ipv6), _digit),
    Pattern("phone", _shaped(_PHONE, _is_phone), _digit),
)
_NEVER_KEPT = tuple(pattern for pattern in PATTERNS if pattern.label in ("secret", "card", "iban"))


def redact(text: str) -> str:
    """`text` with cards, e-mails, phones, addresses, account numbers and secrets replaced."""
    return _until_settled(text, PATTERNS)


def redact_secrets(text: str) -> str:
    """`text` without cards, account numbers and secrets: what may never reach a disk.

    E-mails and phone numbers stay: a visitor gives them so that a person can answer.
    """
    return _until_settled(text, _NEVER_KEPT)


def _until_settled(text: str, patterns: tuple[Pattern, ...]) -> str:
    """Redact until nothing changes, since a label may complete the shape of what precedes it."""
    while (redacted := _once(text, patterns)) != text:
        text = redacted
    return text


def _once(text: str, patterns: tuple[Pattern, ...]) -> str:
    for pattern in patterns:
        if not pattern.needs(text):
            continue
        kept, done = [], 0
        for start, end in pattern.find(text):
            kept += [text[done:start], f"[{pattern.label}]"]
            done = end
        text = "".join([*kept, text[done:]])
    return text
