"""A ring of one key, which signs for good: a Worker's, whose key comes from its environment."""

from __future__ import annotations

from collections.abc import Sequence

from core.jose import thumbprint
from core.ports import PublicKey, Signer


class OneKey:
    """A `KeyRing` that never turns."""

    def __init__(self, signer: Signer) -> None:
        jwk = dict(signer.jwk)
        self._signer = signer
        self._public = PublicKey(thumbprint(jwk), jwk)

    @property
    def signing(self) -> tuple[str, Signer]:
        """The `kid` of the key, and the key."""
        return self._public.kid, self._signer

    @property
    def published(self) -> Sequence[PublicKey]:
        """The one key."""
        return (self._public,)

    def find(self, kid: str) -> PublicKey | None:
        """The key, where this is its id."""
        return self._public if kid == self._public.kid else None
