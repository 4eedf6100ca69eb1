"""Content-Digest and the hashes of receipts."""

import hashlib

import pytest

from core.digest import content_digest, sha256_hex

# RFC 9530: appendix B.1, B.2 and B.3, and the digest of nothing.
EXAMPLES = (
    (b'{"hello": "world"}\n', "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"),
    (b"", "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"),
    # RFC 9421 and drafts before RFC 9530, without the line feed.
    (b'{"hello": "world"}', "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"),
)


@pytest.mark.parametrize(("body", "digest"), EXAMPLES)
def test_the_content_digest_is_the_one_in_the_rfc(body: bytes, digest: str) -> None:
    assert content_digest(body) == digest


@pytest.mark.parametrize("text", ["", "abc", "שלום ñ 🙂"])
def test_text_is_hashed_as_utf8(text: str) -> None:
    assert (
        sha256_hex(text) == sha256_hex(text.encode()) == hashlib.sha256(text.encode()).hexdigest()
    )
