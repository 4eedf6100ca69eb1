"""Addresses in settings: origins, endpoints, and what may be reached without TLS.

Decides the normal form of an origin (as browsers send it) and refuses what no browser would match:
a path, a wildcard, a missing scheme, plain http to anything but this machine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

OUTBOUND_PORTS: Final = frozenset({443, 8443})
"""Where a public service of HTTPS may listen; any other is listed with its host by the operator."""

DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_HOST: Final = re.compile(
    r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)*"
)


class BadAddress(ValueError):
    """An address that cannot be used, and what to write instead."""

    def __init__(self, detail: str, remedy: str) -> None:
        self.detail = detail
        self.remedy = remedy
        super().__init__(f"{detail} {remedy}")


@dataclass(frozen=True, slots=True)
class Address:
    """The parts of an http(s) address, in normal form."""

    scheme: str
    host: str
    port: int
    rest: str

    @property
    def origin(self) -> str:
        """Scheme, host and port, the port left out where it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        own = DEFAULT_PORTS[self.scheme] == self.port
        return f"{self.scheme}://{host}{'' if own else f':{self.port}'}"

    @property
    def endpoint(self) -> str:
        """`host:port`, the port always written."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """Read an http(s) address. Raises `BadAddress`."""
    parts = _split(text)
    if parts.scheme not in DEFAULT_PORTS:
        raise BadAddress(f"{text!r} has no http or https scheme.", "Begin it with https://.")
    if parts.username is not None or parts.password is not None:
        raise BadAddress("A name or password stands in the address.", "Take it out.")
    try:
        port = parts.port
    except ValueError as error:
        raise BadAddress(f"The port of {text!r} is not a port.", "Use 1 to 65535.") from error
    host = _host(parts.hostname or "", text)
    rest = parts._replace(scheme="", netloc="").geturl()
    return Address(parts.scheme, host, port or DEFAULT_PORTS[parts.scheme], rest)


def parse_origin(text: str) -> Address:
    """Read an origin: an address with nothing after host and port. Raises `BadAddress`."""
    address = parse_address(text)
    if address.rest:
        detail = f"{text!r} is more than an origin: {address.rest!r} follows the host."
        raise BadAddress(detail, f"Write {address.origin}.")
    if address.scheme == "http" and not is_local(address.host):
        remedy = "Use https; only localhost may be http."
        raise BadAddress(f"{text!r} is plain http, where browsers switch WebCrypto off.", remedy)
    return address


def parse_endpoint(text: str) -> str:
    """Read `host:port`. Raises `BadAddress`."""
    bad = BadAddress(f"{text!r} is not a host and a port.", 'Write it like "127.0.0.1:9000".')
    if "/" in text or "@" in text:
        raise bad
    try:
        parts = urlsplit(f"//{text}")
        if parts.hostname and parts.port:
            return Address("http", _host(parts.hostname, text), parts.port, "").endpoint
    except ValueError as error:
        raise bad from error
    raise bad


def is_local(host: str) -> bool:
    """Whether this names the machine itself, which browsers trust without TLS."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    literal = _literal(host)
    return literal is not None and ip_address(literal).is_loopback


def is_private(host: str) -> bool:
    """Whether this is plainly not a public address (a name may still turn out to be private)."""
    literal = _literal(host)
    return is_local(host) or (literal is not None and not ip_address(literal).is_global)


def _split(text: str) -> SplitResult:
    if any(char.isspace() or not char.isprintable() for char in text):
        raise BadAddress(f"{text!r} has blanks in it.", "Take them out.")
    try:
        return urlsplit(text)
    except ValueError as error:
        raise BadAddress(
            f"{text!r} is not an address.", "Write it like https://example.com."
        ) from error


def _host(host: str, text: str) -> str:
    """The host as browsers write it: small letters, punycode, IP addresses compressed."""
    literal = _literal(host)
    if literal is not None:
        return literal
    try:
        name = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        name = ""
    if not _HOST.fullmatch(name):
        remedy = "Write each host out: a wildcard or an odd character matches nothing."
        raise BadAddress(f"{text!r} does not name one host.", remedy)
    return name


def _literal(host: str) -> str | None:
    try:
        return str(ip_address(host))
    except ValueError:
        return None
