"""Encodings of the wire: base64url, times, canonical JSON, UUIDv7 ids."""

import base64
import json
import uuid
from contextlib import suppress
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.encoding import (
    b64url_decode,
    b64url_encode,
    canonical_json,
    is_id,
    new_id,
    timestamp,
    uuid7_hex,
)

UNIX_MS = st.integers(0, 2**48 - 1)
RANDOM = st.binary(min_size=10, max_size=10)


def test_base64url_is_that_of_rfc_7515_appendix_c() -> None:
    assert b64url_encode(bytes([3, 236, 255, 224, 193])) == "A-z_4ME"
    assert b64url_decode("A-z_4ME") == bytes([3, 236, 255, 224, 193])


@given(st.binary())
def test_base64url_round_trips(data: bytes) -> None:
    text = b64url_encode(data)
    assert b64url_decode(text) == data
    assert text == base64.urlsafe_b64encode(data).decode().rstrip("=")


@pytest.mark.parametrize(
    "text", ["QQ==", "QQ=", "Q", "QR", "Q Q", "QQ\n", "Q+A", "Q/A", "Qé", "QUJDR", "\ud800"]
)
def test_base64url_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="base64url"):
        b64url_decode(text)


@given(st.text(max_size=20))
def test_one_value_has_one_base64url(text: str) -> None:
    with suppress(ValueError):
        assert b64url_encode(b64url_decode(text)) == text


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
        lambda inner: st.lists(inner) | st.dictionaries(st.text("abé"), inner),
        max_leaves=10,
    )
)
def test_equal_values_have_equal_canonical_json(value: object) -> None:
    packed = canonical_json(value)
    assert json.loads(packed) == value
    assert canonical_json(json.loads(packed)) == packed


def test_canonical_json_is_compact_sorted_and_utf8() -> None:
    assert canonical_json({"b": [1, 2.5], "a": "ש"}) == '{"a":"ש","b":[1,2.5]}'.encode()
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical_json(float("nan"))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_767_366_000.1236, "2026-01-02T15:00:00.123Z"),
        (1_767_366_000.9999, "2026-01-02T15:00:00.999Z"),
    ],
)
def test_a_timestamp_is_rfc_3339_in_utc(seconds: float, text: str) -> None:
    assert timestamp(seconds) == text
    assert abs(datetime.fromisoformat(text).timestamp() - seconds) < 0.001


def test_uuid7_is_that_of_rfc_9562_appendix_a() -> None:
    # 017F22E2-79B0-7CC3-98C4-DC0C0C07398F: rand_a is CC3, rand_b 18C4DC0C0C07398F.
    random = bytes.fromhex("0cc3") + bytes.fromhex("18c4dc0c0c07398f")
    assert uuid7_hex(0x017F22E279B0, random) == "017f22e279b07cc398c4dc0c0c07398f"


@given(UNIX_MS, RANDOM)
def test_a_uuid7_has_its_version_variant_and_time(unix_ms: int, random: bytes) -> None:
    made = uuid.UUID(hex=uuid7_hex(unix_ms, random))
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.int >> 80 == unix_ms


@given(UNIX_MS, RANDOM, UNIX_MS, RANDOM)
def test_ids_of_different_times_sort_by_time(
    first: int, first_random: bytes, second: int, second_random: bytes
) -> None:
    ids = new_id("t", first, first_random), new_id("t", second, second_random)
    if first != second:
        assert (ids[0] < ids[1]) == (first < second)


def test_all_74_random_bits_count() -> None:
    made = {uuid7_hex(1, (1 << bit).to_bytes(10, "big")) for bit in range(80)}
    # Six of the eighty give way to version and variant.
    assert len(made) == 74 + 1


@pytest.mark.parametrize("length", [0, 9, 11])
def test_a_uuid7_takes_ten_random_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="10 random bytes"):
        uuid7_hex(0, bytes(length))


@pytest.mark.parametrize("prefix", ["c", "t", "e", "m", "r"])
@given(unix_ms=UNIX_MS, random=RANDOM)
def test_a_new_id_is_an_id_of_its_kind(prefix: str, unix_ms: int, random: bytes) -> None:
    made = new_id(prefix, unix_ms, random)
    assert is_id(made, prefix)
    assert not any(is_id(made, other) for other in "ctemr" if other != prefix)


GOOD = "t_" + "0" * 32


@pytest.mark.parametrize(
    "text",
    [
        *("", "t_", "t_" + "0" * 31, "t_" + "0" * 33, "t_" + "G" * 32, "t_" + "A" * 32),
        *("t" + "0" * 32, "tt_" + "0" * 32, " " + GOOD, GOOD + "\n", "t_" + "٠" * 32),
    ],
)
def test_what_is_no_id_is_not_taken_for_one(text: str) -> None:
    assert is_id(GOOD, "t")
    assert not is_id(text, "t")
