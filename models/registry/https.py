"""Fetches a file over HTTPS, and goes on where an earlier try was cut off.

Refuses to be led to an address without encryption, and to take more than was promised. A server
that cannot continue, or whose file has changed since, is asked for all of it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Final

import httpx

from models.errors import CannotFetch, CutOff
from models.registry.model import ModelFile, Source
from models.registry.partial import Partial
from models.registry.progress import Told

TRIES: Final = 5
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 60.0
"""However long a server wants to be left alone."""

_WAIT: Final = httpx.Timeout(30, connect=10)
_PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers that may be others a moment later."""

_RANGE: Final = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")


def open_client() -> httpx.Client:
    """A client for big files: it follows redirects, which is how the hubs serve them."""
    return httpx.Client(timeout=_WAIT, follow_redirects=True)


class HttpsFetcher:
    """Takes `https://` sources; `pause` waits between tries, each time twice as long."""

    def __init__(self, client: httpx.Client, pause: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._pause = pause

    def fetch(self, source: Source, file: ModelFile, partial: Partial, told: Told) -> None:
        """Bring the file into `partial`, whole. Raises `CannotFetch` or `NoRoom`."""
        furthest, _ = partial.begun(source)
        tried, pause_s = 0, FIRST_PAUSE_S
        while True:
            try:
                self._take(source, file, partial, told)
            except CutOff as error:
                # Tries are counted anew whenever one came further than all before.
                come, _ = partial.begun(source)
                if come > furthest:
                    furthest, tried, pause_s = come, 0, FIRST_PAUSE_S
                tried += 1
                if tried == TRIES:
                    raise
                self._pause(max(pause_s, error.again_s))
                pause_s *= 2
            else:
                return

    def _take(self, source: Source, file: ModelFile, partial: Partial, told: Told) -> None:
        start, mark = partial.begun(source)
        if file.size is not None and start == file.size:
            return
        headers = {"accept-encoding": "identity"}
        if start:
            headers["range"] = f"bytes={start}-"
            if mark:
                headers["if-range"] = mark
        try:
            with self._client.stream("GET", source.place, headers=headers) as response:
                self._keep(response, source, file, partial, told)
        except httpx.TransportError as error:
            raise CutOff(f"{_host(source.place)}: {type(error).__name__}: {error}") from error
        except httpx.HTTPError as error:
            raise CannotFetch(f"{_host(source.place)}: {error}") from error

    def _keep(
        self,
        response: httpx.Response,
        source: Source,
        file: ModelFile,
        partial: Partial,
        told: Told,
    ) -> None:
        start = _begins(response, partial.begun(source)[0])
        if start is None:
            partial.drop()
            raise CutOff(f"{response.url.host}: it does not continue the file")
        coming = response.headers.get("content-length", "")
        total = start + int(coming) if coming.isdecimal() else file.size
        if file.size is not None and total is not None and total != file.size:
            raise CannotFetch(
                f"{response.url.host} has {total} bytes where the catalogue says {file.size}"
            )
        partial.require(total - start if total is not None else None)
        # Only a strong mark vouches for every byte (RFC 9110, 13.1.5).
        mark = response.headers.get("etag", "")
        strong = "" if mark.startswith("W/") else mark
        done = start
        with partial.open(source, mark=strong, after=start) as out:
            for data in response.iter_raw():
                done += len(data)
                if total is not None and done > total:
                    raise CannotFetch(f"{response.url.host} sends more than {total} bytes")
                partial.write(out, data, total - done + len(data) if total else None)
                told(done, total)
        if total is not None and done < total:
            raise CutOff(f"{response.url.host}: it ended after {done} of {total} bytes")


def _begins(response: httpx.Response, begun: int) -> int | None:
    """At which byte the body begins; None where it cannot be joined to what is there."""
    if response.url.scheme != "https":
        raise CannotFetch(f"{response.url.host} leads to an address without encryption")
    if response.status_code == 200:
        return 0
    if response.status_code == 206:
        found = _RANGE.fullmatch(response.headers.get("content-range", ""))
        return begun if found and int(found[1]) == begun else None
    if response.status_code == 416:
        return None
    refusal = f"{response.url.host} answered {response.status_code}"
    if response.status_code not in _PASSING:
        raise CannotFetch(refusal)
    after = response.headers.get("retry-after", "")
    raise CutOff(refusal, min(float(after), LONGEST_PAUSE_S) if after.isdecimal() else 0.0)


def _host(address: str) -> str:
    return httpx.URL(address).host
