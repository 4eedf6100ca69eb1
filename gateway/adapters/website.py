"""A website, read page by page as a polite visitor.

Decides the pace: one request at a time, a pause between two, `Crawl-delay` honoured up to 5 s, a
time for the whole site. robots.txt is asked first. Every request goes through the guard of
`gateway.adapters.outbound`; redirects are followed by hand, and each hop is judged again. Refuses
private addresses that are not listed, other sites, what is not text, and pages beyond the limits.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final

import httpx

from core.errors import FanlightError
from gateway.adapters.outbound import Outbound, RefusedAddress, Resolver, resolve
from gateway.adapters.robots import ALLOW_ALL, MAX_BYTES, USER_AGENT, Robots
from gateway.adapters.web_body import BodyRefused, read_body
from kb.readers.charset import CharsetError, decode_page

_TYPES: Final = """text/html application/xhtml+xml text/xml application/xml text/plain text/csv
text/markdown application/json application/jsonl application/x-ndjson application/gzip
application/x-gzip"""
_TEXT_TYPES: Final = frozenset(_TYPES.split())
_REDIRECTS: Final = frozenset((301, 302, 303, 307, 308))
_GONE: Final = frozenset((404, 410))
_REMEDIES: Final = {
    401: "it asks for a login: import an export of it instead",
    403: "the site refuses: ask its operator, or import an export",
    404: "there is no such page: check the address",
    410: "the page was taken down: check the address",
    429: "the site asks for fewer requests: try again later",
    503: "the site is overloaded or under maintenance: try again later",
}


class PageError(FanlightError):
    """A page that could not be read, and what to do; `is_gone` says that there is none."""

    def __init__(self, reason: str, *, is_gone: bool = False) -> None:
        super().__init__(reason)
        self.is_gone = is_gone


class TimeOver(PageError):
    """The time for the site is over: none of its pages will be read any more."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is read of a site, and how fast."""

    page_bytes: int = 5 * 1024 * 1024
    request_s: float = 10.0
    site_s: float = 60.0
    redirects: int = 5
    pause_s: float = 0.2
    longest_pause_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Remedies:
    """What whoever asked can do about a limit of their own; by default on the command line.

    `private` names `{address}`, a host and port; `pages` the `{most}` that are read of a sitemap.
    """

    time: str = "raise --time"
    private: str = "if that is meant, add --allow-private {address}"
    pages: str = "raise --max-pages ({most})"


@dataclass(frozen=True, slots=True)
class WebPage:
    """A page as it was read: the address that it has after redirects, and its text."""

    url: str
    media_type: str
    text: str


@dataclass(slots=True)
class _Visit:
    """What is known of one host while it is read."""

    until: float
    last: float | None = None


class Website:
    """Reads pages. `allow_private` are exact `host:port` texts; raises `ValueError` for others."""

    def __init__(
        self,
        allow_private: Iterable[str] = (),
        *,
        limits: Limits | None = None,
        remedies: Remedies | None = None,
        resolver: Resolver = resolve,
        verify: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.limits: Final = limits or Limits()
        self.remedies: Final = remedies or Remedies()
        self._clock = clock
        self._sleep = sleep
        self._outbound = _WebOutbound(
            allow_private, resolver=resolver, verify=verify, timeout_s=self.limits.request_s
        )
        self._outbound.remedy = self.remedies.private
        self._client = httpx.AsyncClient(
            transport=self._outbound.transport(),
            headers={"user-agent": USER_AGENT, "accept-encoding": "gzip"},
            timeout=self.limits.request_s,
            follow_redirects=False,
            trust_env=False,
        )
        self._visits: dict[str, _Visit] = {}
        self._robots: dict[str, Robots] = {}

    async def read(self, address: str) -> WebPage:
        """Read a page, and follow it where it has moved within its site. Raises `PageError`."""
        url = parse_address(address)
        response, body = await self._follow(url, self.limits.page_bytes, obey=True)
        if response.status_code != httpx.codes.OK:
            raise _refused_status(response)
        media_type, charset = _content_type(response)
        try:
            return WebPage(str(response.url), media_type, decode_page(body, charset))
        except CharsetError as exc:
            raise PageError(str(exc)) from exc

    async def close(self) -> None:
        """Close connections."""
        await self._client.aclose()
        await self._outbound.close()

    async def _follow(
        self, url: httpx.URL, limit: int, *, obey: bool
    ) -> tuple[httpx.Response, bytes]:
        """Ask for an address and for what it redirects to; the last answer, and its body."""
        site, asked = site_of(url), {str(url)}
        for _ in range(self.limits.redirects + 1):
            if obey:
                await self._ask_robots(url)
            response, body = await self._get(url, limit, only_text=obey)
            if response.status_code not in _REDIRECTS:
                return response, body
            url = _target(response)
            if site_of(url) != site:
                raise PageError(f"it redirects to {url.host}, another site: import that address")
            if str(url) in asked:
                raise PageError(f"it redirects in a circle, to {url}: check the address")
            asked.add(str(url))
        raise PageError(f"more than {self.limits.redirects} redirects: give the final address")

    async def _ask_robots(self, url: httpx.URL) -> None:
        """Raise `PageError` unless the origin's robots.txt lets us read this."""
        origin = str(url.copy_with(raw_path=b"/"))
        if origin not in self._robots:
            self._robots[origin] = await self._read_robots(url.join("/robots.txt"))
        if not self._robots[origin].allows(str(url)):
            raise PageError("its robots.txt does not let Fanlight read it: allow it there")

    async def _read_robots(self, url: httpx.URL) -> Robots:
        try:
            response, body = await self._follow(url, MAX_BYTES, obey=False)
        except TimeOver:
            raise
        except PageError as exc:
            raise PageError(f"its robots.txt could not be read ({exc})") from exc
        if response.status_code >= 500:
            raise PageError(
                f"its robots.txt answers {response.status_code}, so what it allows is not known: "
                "try again later"
            )
        if response.status_code != httpx.codes.OK:
            return ALLOW_ALL
        try:
            return Robots(body.decode("utf-8", "replace"))
        except ValueError as exc:
            raise PageError(f"its robots.txt is malformed ({exc}): mend it there") from exc

    async def _get(
        self, url: httpx.URL, limit: int, *, only_text: bool
    ) -> tuple[httpx.Response, bytes]:
        """Make one request, in its turn and within the limits; a redirect's body is not read."""
        left = await self._wait_for_turn(url)
        allowed = min(self.limits.request_s, left)
        try:
            async with asyncio.timeout(allowed), self._client.stream("GET", url) as response:
                if response.status_code != httpx.codes.OK:
                    return response, b""
                if only_text:
                    _content_type(response)
                return response, await read_body(response, limit)
        except (TimeoutError, httpx.TimeoutException) as exc:
            raise PageError(f"no whole answer within {allowed:.3g} s: try again later") from exc
        except (RefusedAddress, BodyRefused) as exc:
            raise PageError(str(exc)) from exc
        except httpx.InvalidURL as exc:  # httpx reads where a redirect leads, though not asked to
            raise PageError(f"it redirects to what is no address ({exc})") from exc
        except httpx.HTTPError as exc:
            reason = str(exc) or type(exc).__name__
            raise PageError(f"it cannot be reached ({reason}): check the address") from exc

    async def _wait_for_turn(self, url: httpx.URL) -> float:
        """Pause as the site asks; the seconds that are left for it."""
        now = self._clock()
        visit = self._visits.setdefault(site_of(url), _Visit(now + self.limits.site_s))
        robots = self._robots.get(str(url.copy_with(raw_path=b"/")), ALLOW_ALL)
        pause = min(max(self.limits.pause_s, robots.delay_s()), self.limits.longest_pause_s)
        start = now if visit.last is None else max(now, visit.last + pause)
        if start >= visit.until:
            over = f"the {self.limits.site_s:g} s for this site are over"
            raise TimeOver(f"{over}: {self.remedies.time}")
        if start > now:
            await self._sleep(start - now)
        visit.last = start
        return visit.until - start


class _WebOutbound(Outbound):
    """The guard for public pages: plain HTTP is let through, private addresses are not."""

    remedy: str = ""
    ports = frozenset({80, 443, 8080, 8443})

    def check_scheme(self, url: httpx.URL) -> None:
        if url.scheme not in {"http", "https"}:
            raise RefusedAddress(f"{url.scheme} is not http or https: check the address")

    def check_port(self, host: str, port: int) -> None:
        """Nothing yet: that an address is private is worth more to say than which port it has."""

    async def addresses(self, host: str, port: int) -> list[str]:
        listed = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        remedy = self.remedy.format(address=listed)
        try:
            found = await super().addresses(host, port)
        except RefusedAddress as exc:
            raise RefusedAddress(f"{listed} has a private or special address; {remedy}") from exc
        if port not in self.ports and not self.lists(host, port):
            raise RefusedAddress(f"no page is read from port {port}; {remedy}")
        return found


def parse_address(text: str) -> httpx.URL:
    """The address of a page, without its fragment. Raises `PageError`."""
    try:
        url = httpx.URL(text.strip()).copy_with(fragment=None)
    except (httpx.InvalidURL, ValueError) as exc:
        raise PageError(f"not an address ({exc}): write https://…") from exc
    if url.scheme not in {"http", "https"} or not url.host:
        raise PageError("not an http or https address: write https://…")
    if url.userinfo:
        raise PageError("a name or password stands in the address: take it out")
    return url


def site_of(url: httpx.URL) -> str:
    """What counts as one site: a host, with or without `www.`."""
    return url.host.lower().removeprefix("www.").rstrip(".")


def _target(response: httpx.Response) -> httpx.URL:
    location = response.headers.get("location", "")
    if not location:
        raise PageError("it redirects to nowhere: check the address")
    try:
        return parse_address(str(response.url.join(location)))
    except (httpx.InvalidURL, ValueError) as exc:
        raise PageError(f"it redirects to what is no address ({exc})") from exc


def _refused_status(response: httpx.Response) -> PageError:
    status = response.status_code
    remedy = _REMEDIES.get(status, "check the address, or try again later")
    return PageError(f"the site answers {status}: {remedy}", is_gone=status in _GONE)


def _content_type(response: httpx.Response) -> tuple[str, str]:
    """The media type and the charset; raises `PageError` for what is no text."""
    given = response.headers.get("content-type", "")
    media_type = given.partition(";")[0].strip().lower()
    if media_type not in _TEXT_TYPES and not media_type.endswith(("+xml", "+json")):
        named = media_type[:60] or "nothing"
        raise PageError(f"its content type is {named}, which holds no questions: give a page")
    charset = httpx.Headers({"content-type": given})
    return media_type, httpx.Response(200, headers=charset).charset_encoding or ""
