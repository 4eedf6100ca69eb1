"""The script that host pages embed, as this gateway serves it: its address, its hash, its tag.

Decides the versioned address, and what a host page's policy must let in. The address holds the
hash of the bytes, this gateway's origin in them, so that a page may pin them (Subresource
Integrity): they never change, and those of earlier releases stay where they were. Which sites greet
may change any day: the loader that nobody pins names them, and a pinned tag says so itself. Refuses
nothing.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha384
from html import escape
from types import MappingProxyType
from typing import Final

from gateway.context import WebFile

MARK: Final = b"__FANLIGHT_GATEWAY__"
"""Stands in the built loader where the gateway's origin goes; once, and near its end."""
CURRENT: Final = "loader.js"
EARLIER: Final = "loaders/"
EVERY_SITE: Final = "*"
_RAW_MOST: Final = 1 << 16
_NAMED_MOST: Final = 60
"""In bytes: what `web/scripts/loader.mjs` leaves for it of the loader's 4 KB."""


@dataclass(frozen=True)
class Loader:
    """One loader with the origin in it; `brotli` is its packed form, where there is one."""

    content: bytes = field(repr=False)
    brotli: bytes | None = field(default=None, repr=False)

    @cached_property
    def _digest(self) -> bytes:
        return sha384(self.content).digest()

    @property
    def name(self) -> str:
        """What its versioned address ends with."""
        return f"loader.{self._digest.hex()[:16]}.js"

    @property
    def integrity(self) -> str:
        """The value of a tag's `integrity`."""
        return f"sha384-{b64encode(self._digest).decode()}"


def make_loader(built: WebFile, origin: str, greeting: Iterable[str] = ()) -> Loader:
    """The built loader for a gateway of this origin, with the sites that greet."""
    head, mark, rest = built.content.partition(MARK)
    if not mark:
        return Loader(built.content)
    tail = _written(origin, list(greeting)).encode() + rest
    packed = None if built.brotli is None else _sealed(built.brotli, tail)
    return Loader(head + tail, packed)


def _written(origin: str, greeting: list[str]) -> str:
    """The origin and the sites that greet: all, where their names are too long; then each asks."""
    named = " ".join((origin, *greeting))
    return named if not greeting or len(named) <= _NAMED_MOST else f"{origin} {EVERY_SITE}"


def _sealed(head: bytes, tail: bytes) -> bytes | None:
    """A flushed and open brotli stream, ended by `tail` as it is; None where that is too long.

    RFC 7932, 9.2: an uncompressed meta-block is ISLAST 0, MNIBBLES 4, MLEN - 1 in 16 bits and
    ISUNCOMPRESSED 1, filled up to a byte; an empty last meta-block is ISLAST 1, ISLASTEMPTY 1.
    """
    if not 0 < len(tail) <= _RAW_MOST:
        return None
    header = ((len(tail) - 1) << 3) | (1 << 19)
    return head + header.to_bytes(3, "little") + tail + b"\x03"


class Loaders:
    """All loaders that a gateway serves: its own release's and those of earlier ones.

    `current` is the one to pin; `served` the same as it is without a pin, naming who greets.
    """

    def __init__(
        self, web: Mapping[str, WebFile], origin: str, greeting: Iterable[str] = ()
    ) -> None:
        self.current = make_loader(web[CURRENT], origin) if CURRENT in web else None
        self.served = make_loader(web[CURRENT], origin, greeting) if CURRENT in web else None
        self._named = {loader.name: loader for loader in _all(web, origin)}

    def named(self, name: str) -> Loader | None:
        """The loader at this versioned address."""
        return self._named.get(name)


def _all(web: Mapping[str, WebFile], origin: str) -> Iterator[Loader]:
    for name, built in web.items():
        if name == CURRENT or (name.startswith(EARLIER) and name.endswith(".js")):
            yield make_loader(built, origin)


def policy_lines(origin: str) -> dict[str, str]:
    """The directives of a host page's Content-Security-Policy, and what each must let in."""
    return {"script-src": origin, "frame-src": origin}


def script_tag(
    origin: str,
    site: str,
    loader: Loader | None = None,
    attributes: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """The tag that embeds `site`; with `loader` pinned to its bytes.

    `attributes` are what its `data-` attributes say beside the site; one that only has to be there
    says nothing.
    """
    source, pinned = f"{origin}/{CURRENT}", ""
    if loader is not None:
        source = f"{origin}/{loader.name}"
        pinned = f'integrity="{loader.integrity}" crossorigin="anonymous" '
    said = {"site": site, **attributes}
    data = " ".join(
        f'data-{name}="{escape(value)}"' if value else f"data-{name}"
        for name, value in said.items()
    )
    return f'<script src="{escape(source)}" {pinned}{data} async></script>'
