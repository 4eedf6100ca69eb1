"""Content-Digest (RFC 9530), SHA-256 only, and the hashes that receipts carry."""

from __future__ import annotations

import base64
import hashlib


def content_digest(body: bytes) -> str:
    """The field value `sha-256=:…:` for a body (of the empty body on GET)."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode('ascii')}:"


def sha256_hex(text: str | bytes) -> str:
    """SHA-256 in hex, of the UTF-8 bytes where text is given."""
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()
