"""A server of big files over TLS that can be cut off, changed, refuse, and lead elsewhere."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx

from tests.gateway.adapters.test_outbound import certificate


@dataclass
class Hub:
    """What it serves at every path, and what it does to its callers.

    `cuts` holds, for each of the next answers, after how many bytes it hangs up; `refusals` their
    status instead. Without `ranges` it always sends all of it. With `signs_for` it leads to that
    address each time anew, as hubs lead to where their files are: `signed` holds the ways that may
    still be taken, each once.
    """

    data: bytes
    etag: str = '"one"'
    ranges: bool = True
    chunked: bool = False
    cuts: list[int] = field(default_factory=list)
    refusals: list[int] = field(default_factory=list)
    location: str = ""
    signs_for: str = ""
    signed: set[str] = field(default_factory=set)
    retry_after: str = ""
    content_range: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    address: str = ""
    client: httpx.Client = field(default_factory=httpx.Client)


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def do_GET(self) -> None:
        hub = self.hub
        hub.asked.append({name.lower(): value for name, value in self.headers.items()})
        if hub.refusals:
            after = {"retry-after": hub.retry_after} if hub.retry_after else {}
            self._head(hub.refusals.pop(0), {"content-length": "0", **after})
            return
        if hub.signs_for:
            way = f"/blob?Signature={len(hub.asked)}"
            hub.signed.add(way)
            linked = {"x-linked-etag": hub.etag, "x-linked-size": str(len(hub.data))}
            where = {"location": f"{hub.signs_for}{way}", "content-length": "0"}
            self._head(302, {**where, **linked})
            return
        if self.path.startswith("/blob"):
            if self.path not in hub.signed:
                self._head(403, {"content-length": "0"})
                return
            hub.signed.remove(self.path)
        if hub.location and self.path != "/moved":
            self._head(302, {"location": hub.location, "content-length": "0"})
            return
        start = self._start()
        if start > len(hub.data):
            self._head(416, {"content-length": "0"})
            return
        self._body(start)

    def _body(self, start: int) -> None:
        hub = self.hub
        body = hub.data[start:]
        headers = {} if hub.chunked else {"content-length": str(len(body))}
        if hub.etag:
            headers["etag"] = hub.etag
        if start:
            whole = f"bytes {start}-{len(hub.data) - 1}/{len(hub.data)}"
            headers["content-range"] = hub.content_range or whole
        self._head(206 if start else 200, headers)
        self.wfile.write(body[: hub.cuts.pop(0)] if hub.cuts else body)

    def _start(self) -> int:
        asked = self.headers.get("range")
        mark = self.headers.get("if-range")
        if not asked or not self.hub.ranges or (mark and mark != self.hub.etag):
            return 0
        return int(asked.removeprefix("bytes=").removesuffix("-"))

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def running(data: bytes, folder: Path) -> Iterator[Hub]:
    """The server, and a client that trusts it."""
    serving, trusting = certificate(folder, "localhost")
    hub = Hub(data)
    with _listening(hub, serving), _client(trusting) as hub.client:
        yield hub


@contextmanager
def with_store(data: bytes, folder: Path) -> Iterator[tuple[Hub, Hub]]:
    """A hub that holds no file, and the store that it leads to, at another address."""
    serving, trusting = certificate(folder, "localhost")
    hub, store = Hub(data, etag='"of-the-hub"'), Hub(data, etag='"of-the-store"')
    store.signed = hub.signed
    with (
        _listening(hub, serving),
        _listening(store, serving),
        _client(trusting) as hub.client,
    ):
        hub.signs_for = store.address
        yield hub, store


@contextmanager
def _listening(hub: Hub, serving: ssl.SSLContext) -> Iterator[None]:
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.socket = serving.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    hub.address = f"https://localhost:{server.server_address[1]}"
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _client(trusting: ssl.SSLContext) -> httpx.Client:
    return httpx.Client(verify=trusting, follow_redirects=True, timeout=10, trust_env=False)
