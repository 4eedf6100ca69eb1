"""A real website on this machine: pages by path, served from a thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Reply:
    """What a path answers; with `stalls` the body stays out until the site closes."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    stalls: bool = False


def page(text: str, media_type: str = "text/html; charset=utf-8") -> Reply:
    return Reply(text.encode(), headers={"Content-Type": media_type})


def redirect(location: str, status: int = 302) -> Reply:
    return Reply(status=status, headers={"Location": location})


@dataclass
class Site:
    """The site's pages, which a test may change, and the paths that were asked for."""

    pages: dict[str, Reply]
    port: int
    asked: list[tuple[str, str]] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.authority}"

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]


@contextmanager
def serving(pages: Mapping[str, Reply]) -> Iterator[Site]:
    """A site of these pages; other paths answer 404."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            site.asked.append((self.path, self.headers.get("User-Agent", "")))
            reply = site.pages.get(self.path, Reply(status=404))
            self.send_response(reply.status)
            self.send_header("Content-Length", str(len(reply.body)))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if reply.stalls:
                site.closing.wait(30)
            try:
                self.wfile.write(reply.body)
            except OSError:
                self.close_connection = True  # the caller hung up, which it may

        def log_message(self, *_args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_args: Any) -> None:
            pass  # likewise

    with Server(("127.0.0.1", 0), Handler) as server:
        site = Site(dict(pages), server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield site
        finally:
            site.closing.set()
            server.shutdown()
            thread.join()
