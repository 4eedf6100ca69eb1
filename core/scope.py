"""Who a row or a call belongs to: a site and a subject within it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """The tenant and the person: on every row, in every port call.

    `subject` is `anon:<key thumbprint>` or `user:<issuer>|<sub>`.
    """

    site: str
    subject: str

    @property
    def user(self) -> str | None:
        """Who the site's own server says this is, as `<issuer>|<sub>`; None for nobody known."""
        kind, _, named = self.subject.partition(":")
        return named if kind == "user" and named else None


def anonymous(site: str, thumbprint: str) -> Scope:
    """The scope of a visitor who is known by the browser's key alone."""
    return Scope(site, f"anon:{thumbprint}")


def signed_in(site: str, issuer: str, sub: str) -> Scope:
    """The scope of a visitor whom the site's own server names."""
    return Scope(site, f"user:{issuer}|{sub}")
