"""Redaction: what leaves a text, what stays, and how long a hostile text may take."""

import gzip
import json
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.redact import PATTERNS, luhn, redact, redact_secrets

# Test numbers that the card networks and payment processors publish.
CARDS = (
    *("4111111111111111", "4012888888881881", "4222222222222", "4917610000000000003"),  # Visa
    *("5555555555554444", "5105105105105100", "2223003122003222"),  # Mastercard
    *("378282246310005", "371449635398431"),  # American Express
    *("6011111111111117", "6011000990139424"),  # Discover
    *("30569309025904", "38520000023237"),  # Diners Club
    *("3530111333300000", "3566002020360505"),  # JCB
    *("6200000000000005", "6759649826438453"),  # UnionPay, Maestro
)
# Examples of the IBAN registry.
IBANS = (
    *("ES9121000418450200051332", "IL620108000000099999999", "GB82WEST12345698765432"),
    *("DE89370400440532013000", "FR1420041010050500013M02606", "NO9386011117947"),
    *("MT84MALT011000012345MTLCAST001S", "CH9300762011623852957", "BR1800360305000010009795493C1"),
)
PHONES = (
    *("+1 (415) 555-2671", "(415) 555-2671", "415-555-2671", "415.555.2671", "1-800-555-0199"),
    *("+14155552671", "+1.415.555.2671", "415-555-2671 x123", "415-555-2671 ext. 42"),
    *("052-1234567", "0521234567", "052 123 4567", "03-1234567", "03-123-4567", "1-700-123-456"),
    *("+972-52-123-4567", "+972 52 123 4567", "+972521234567", "+972 (0)52-123-4567"),
    *("612 345 678", "612 34 56 78", "91 123 45 67", "+34 612 34 56 78", "0034 612 345 678"),
    *("+44 (0)20 7946 0958", "+44 20 7946 0958", "01 23 45 67 89", "+49 30 123456"),
    *("052\u2011123\u20114567", "+34\u00a0612\u00a0345\u00a0678"),
)
EMAILS = (
    *("a@b.co", "first.last+tag@mail.example.co.il", "o'hara@example.ie", "JOSÉ.GARCÍA@ejemplo.es"),
    *("דוד@דוגמה.קום", "x_y%z@d-1.example", "me@xn--p1ai.xn--p1ai"),
)
ADDRESSES = (
    *("192.168.0.1", "8.8.8.8", "255.255.255.255"),
    *("2001:0db8:85a3:0000:0000:8a2e:0370:7334", "2001:db8::8a2e:370:7334", "2001:DB8::1"),
    *("fe80::1", "fe80::1%eth0", "1:2:3:4:5:6:7:8", "1::8", "::8:1"),
)
SECRETS = (
    "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "sk-proj-abcdefghijklmnopqrstuvwx",
    "rk_test_0123456789abcdefghij",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "github_pat_11ABCDEFG0123456789_abcdefghijklmnop",
    "xoxb-123456789012-abcdefABCDEF",
    "AKIAIOSFODNN7EXAMPLE",
    "AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
    "Bearer abcdefghijklmnop.0123456789==",
    "-----BEGIN PRIVATE KEY-----\nMIIEvQ\nabc\n-----END PRIVATE KEY-----",
    "-----BEGIN EC PRIVATE KEY-----\ncut off before its end",
    "password: hunter2",
    "Password = hunter2",
    "password is hunter2",
    "PIN:1234",
    "my pin is 1234",
    "api key: abc123",
    "api_key=abc123",
    "access token: abc123",
    "contraseña: Perro1",
    "mi contraseña es Perro1",
    "clave=s3creta",
    "סיסמה: אבגד",
    "הסיסמה שלי היא abc1",
    "CVV 123",
    "cvc: 1234",
)
FOUND = {
    "card": CARDS,
    "iban": IBANS,
    "phone": PHONES,
    "email": EMAILS,
    "ip": ADDRESSES,
    "secret": SECRETS,
}
CASES = [(label, value) for label, values in FOUND.items() for value in values]
LABELLED = re.compile(r"\[(?:secret|email|iban|card|ip|phone)\]")


@pytest.mark.parametrize(("label", "value"), CASES)
@pytest.mark.parametrize(
    "around", ["{}", "Call {}.", "¿Es {}?", "({}), thanks", "זה {} שלי", "{}\n"]
)
def test_it_leaves_the_text(label: str, value: str, around: str) -> None:
    redacted = redact(around.format(value))
    assert f"[{label}]" in redacted
    longest_rest = max((len(word) for word in re.findall(r"\d+", redacted)), default=0)
    assert longest_rest <= 3, redacted


@pytest.mark.parametrize("gap", [" ", "-", ".", "\u00a0", "\u2013", " - ", "  "])
@pytest.mark.parametrize("card", CARDS)
def test_a_card_is_found_with_its_digits_in_groups(card: str, gap: str) -> None:
    groups = gap.join(re.findall(r"\d{1,4}", card))
    if len(gap) <= 2:
        assert redact(f"card {groups}!") == "card [card]!"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4111 1111 1111 1111 12/27 123", "[card] 12/27 123"),
        ("4111-1111-1111-1111-1227", "[card]-1227"),
        ("2 4111 1111 1111 1111", "2 [card]"),
        ("10 4111111111111111", "10 [card]"),
        ("3782 822463 10005 0926", "[card] 0926"),
        ("4111 1111 1111 1111 5555 5555 5555 4444", "[card] [card]"),
        ("card no.4111111111111111", "card no.[card]"),
    ],
)
def test_a_card_is_found_beside_other_numbers(text: str, expected: str) -> None:
    assert redact_secrets(text) == expected


@pytest.mark.parametrize("iban", IBANS)
@pytest.mark.parametrize("after", [" and the sum is 12 now", " to Ana", ", ok", "-", ""])
def test_an_iban_is_found_before_other_words(iban: str, after: str) -> None:
    printed = " ".join(re.findall(r".{1,4}", iban))
    for written in (iban, iban.lower(), printed, printed.replace(" ", "-")):
        assert redact(f"to {written}{after}") == f"to [iban]{after}"


def test_two_ibans_in_a_row_are_both_found() -> None:
    assert redact(f"AB12 {IBANS[0]} {IBANS[1]}") == "AB12 [iban] [iban]"


LEFT_ALONE = (
    *("in 1999, 2024 and 2025", "2019-2024", "2024 2025 2026", "between 1000-2000 people"),
    *("2024-01-15", "2024-01-15 10:30:00", "15/01/2024 10:30", "05-01-2024", "1.5.2024 14.30"),
    *("2000-04-16T11:34:35Z", "12/31/2024", "10:30:45"),
    *("order 1234567", "order #2024-00123", "ORD-2024-00123", "invoice 2024-00123", "A-1234-5678"),
    *("$1,234.56", "1.234,56 €", "12,345,678.90", "1 000 000 €", "10 000 000", "₪ 12,500"),
    *("version 3.12.1", "v1.2.3-beta.4", "Windows 10.0.19045", "1.2.3", "256.1.1.1", "1.2.3.4.5"),
    *("ISBN 978-3-16-148410-0", "room 12, 3 floors, 45 m2", "24 / 7", "50 % of 1200"),
    *("550e8400-e29b-41d4-a716-446655440000", "std::vector", "a::b", "00:1a:2b:3c:4d:5e", "::"),
    *("my password is wrong", "la clave es importante", "what is an api key?", "pin it to the top"),
    *("write to me @ home", "a@b", "user@localhost", "sk-learn is a library", "the eyJ prefix"),
    *("1111 1111 1111 1111", "4111111111111112", "GB82 WEST 1234 5698 7654 33"),
    *("12 345 678", "0.5", "555-1234", "-----BEGIN PUBLIC KEY-----", "secret santa", "[card]"),
)


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_ordinary_text_stays(text: str) -> None:
    if text in {"1111 1111 1111 1111", "4111111111111112"}:
        assert redact_secrets(text) == text
    else:
        assert redact(text) == text


def test_what_a_visitor_gives_for_an_answer_stays_among_secrets() -> None:
    text = "I am noa@example.org, 052-1234567, at 10.0.0.1; card 4111 1111 1111 1111, pin: 1234"
    assert redact_secrets(text) == (
        "I am noa@example.org, 052-1234567, at 10.0.0.1; card [card], [secret]"
    )


@pytest.mark.parametrize("card", CARDS)
def test_one_wrong_digit_breaks_the_checksum(card: str) -> None:
    assert luhn(card)
    for place, digit in enumerate(card):
        wrong = card[:place] + str((int(digit) + 1) % 10) + card[place + 1 :]
        assert not luhn(wrong)


@pytest.mark.parametrize("text", ["", "0", "411111111111", "4" * 20, "0000000000000000"])
def test_the_checksum_holds_for_cards_alone(text: str) -> None:
    assert not luhn(text)


PIECES = st.sampled_from(
    [value for _, value in CASES]
    + [*LEFT_ALONE, " ", "-", ".", ":", "=", "[", "]", "‘", "@", "+", "(", ")", "x", "pin", "é"]
)


@given(st.lists(PIECES | st.text(max_size=8), max_size=8).map("".join))
def test_redacting_twice_changes_nothing(text: str) -> None:
    for clean in (redact, redact_secrets):
        once = clean(text)
        assert clean(once) == once


@given(st.lists(PIECES | st.text(max_size=8), max_size=8).map("".join))
def test_what_is_not_looked_through_has_nothing_in_it(text: str) -> None:
    spared = [pattern for pattern in PATTERNS if not pattern.needs(text)]
    assert not [pattern.label for pattern in spared if list(pattern.find(text))]


def test_a_label_that_completes_a_secret_is_settled() -> None:
    # The first pass leaves pin=‘[phone], which then reads as a named value.
    assert redact("pin=‘1 415 555 2671") == "[secret]"


@given(st.text(st.characters(exclude_categories=["Nd"], exclude_characters="@:=-")))
def test_text_without_a_digit_or_a_sign_stays(text: str) -> None:
    assert redact(text) == text


@given(st.sampled_from(CARDS), st.text("abc ,;", max_size=9), st.text("abc ,;", max_size=9))
def test_no_card_survives_among_words(card: str, before: str, after: str) -> None:
    assert card not in redact_secrets(f"{before}{card}{after}")


SIZE = 100_000
HOSTILE = {
    text: (text * (SIZE // len(text) + 1))[:SIZE]
    for text in (
        *("4", "4 ", "4111 1111 1111 1112 ", "01 ", "+1", "(", "(12)(34)", "1 415 555 2671x"),
        *("AB12 ", "ES91" + "A" * 40 + " ", ":", "a:", "1.", "1.1.1.1 ", "2024-01-15 "),
        *("a", "a@", "a.", "-----BEGIN PRIVATE KEY-----", "-----BEGIN ", "-----END ", "sk_", "eyJ"),
        *("eyJaaaaaaaaa.", "bearer ", "pin ", "pin is ", "pin= ", "סיסמה שלי ", "cvv ", "ה"),
        *("pin=‘1 415 555 2671", "api key" + " " * 500, "pin" + " " * 500),
    )
} | {
    "one address, then dots": "1.1.1.1" + "." * SIZE,
    "a key that never ends": "-----BEGIN PRIVATE KEY-----" + "-----END " * (SIZE // 9),
    "a name and only space": "password" + " " * SIZE,
    "a name, a sign and only space": "password=" + " " * SIZE,
    "one long mail address": "a@" + "a" * SIZE,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.timeout(20)
def test_a_hostile_text_of_100_kb_takes_no_longer(text: str) -> None:
    redacted = redact(text)
    assert redact(redacted) == redacted


FLOORS = {"CREDIT_CARD": 0.92, "EMAIL_ADDRESS": 1.0, "IBAN_CODE": 1.0, "PHONE_NUMBER": 0.83}
"""Measured on dev: 59/64 (the rest have 12 digits), 44/44, 21/21, 49/59 (the rest are seven or
eight digits, or ten without any mark, as order numbers are)."""
MOST_FALSE = 3
"""Measured on dev: identity and licence numbers, which are redacted under another label."""


@pytest.mark.needs("data")
def test_recall_on_presidios_sentences_stays_above_its_floor(data_folder: Path) -> None:
    with gzip.open(data_folder / "pii_presidio/dev.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    seen, gone, false = Counter[str](), Counter[str](), 0
    personal = {*FLOORS, "IP_ADDRESS", "US_SSN"}
    for row in rows:
        text, redacted = row["text"], redact(row["text"])
        for start, end, kind in row["spans"]:
            seen[kind] += 1
            gone[kind] += text[start:end] not in redacted
        kinds = {kind for _, _, kind in row["spans"]}
        false += not kinds & personal and LABELLED.search(redacted) is not None
    recall = {kind: gone[kind] / seen[kind] for kind in FLOORS}
    assert {kind for kind, floor in FLOORS.items() if recall[kind] < floor} == set(), recall
    assert false <= MOST_FALSE
