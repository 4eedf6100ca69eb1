"""Small encodings that the wire needs: base64url, RFC 3339 times, canonical JSON, UUIDv7 ids.

It refuses padding, alphabets and times that the wire does not use, with `ValueError`.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from datetime import UTC, datetime

_B64URL = re.compile(r"[A-Za-z0-9_-]*\Z")
_ID = re.compile(r"[ctehmr]_[0-9a-f]{32}\Z")


def b64url_encode(data: bytes) -> str:
    """Base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def b64url_decode(text: str) -> bytes:
    """The inverse of `b64url_encode`; raises `ValueError` on padding or other alphabets."""
    if not _B64URL.match(text):
        raise ValueError("not base64url without padding")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as exc:
        raise ValueError("not base64url") from exc
    if b64url_encode(data) != text:
        raise ValueError("base64url with stray bits")
    return data


def canonical_json(value: object) -> bytes:
    """Compact JSON with sorted keys: equal values give equal bytes."""
    return json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode("utf-8")


def timestamp(seconds: float) -> str:
    """Unix seconds as RFC 3339 in UTC with milliseconds."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def uuid7_hex(unix_ms: int, random: bytes) -> str:
    """UUIDv7 (RFC 9562, section 5.7) as 32 hex digits, from a time and 10 random bytes."""
    if len(random) != 10:
        raise ValueError("a UUIDv7 takes 10 random bytes")
    value = (unix_ms & ((1 << 48) - 1)) << 80 | int.from_bytes(random, "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return f"{value:032x}"


def new_id(prefix: str, unix_ms: int, random: bytes) -> str:
    """An opaque id such as `t_…` (`c`, `t`, `e`, `h`, `m` or `r`, then a UUIDv7)."""
    return f"{prefix}_{uuid7_hex(unix_ms, random)}"


def is_id(text: str, prefix: str) -> bool:
    """Whether `text` is an id of this kind."""
    return text.startswith(prefix + "_") and _ID.match(text) is not None
