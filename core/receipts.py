"""Receipts: what the gateway answered to what, chained by session.

A receipt is a compact JWS (`X-Integrity`). `prev` is the hash of the session's receipt before it,
so that a missing or reordered one shows. It attests what this gateway made; what a browser sent is
marked `provenance: "client"` and is not attested.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

from core import jose
from core.digest import sha256_hex

TYP = "fanlight-receipt+jwt"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The claims of a receipt; `iat` in Unix seconds, the hashes in hex of UTF-8 text."""

    turn_id: str
    site: str
    sid: str
    question_sha256: str
    answer_sha256: str
    model: str | None
    model_release: str | None
    confidence: float
    provenance: Literal["server", "client"]
    escalate: bool
    prev: str | None
    iat: int

    def signing_input(self, kid: str) -> bytes:
        """What the gateway's key signs."""
        return jose.signing_input(asdict(self), kid, TYP)


def chain_hash(receipt: str) -> str:
    """What the next receipt of the session carries as `prev`."""
    return sha256_hex(receipt)
