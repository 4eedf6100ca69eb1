"""The second visit of `fanlight bench engines`: the browser started again, the network gone.

Decides what no network is: all that the browser asks goes to a proxy that is not there, for the
emulation of a page leaves out its service worker. What counts as from the network is every byte
that a socket of the whole browser received, by Chromium's own log. A frame's time is what the panel
does for it (its callbacks, layout and painting), not how long the screen waited for it.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Final

from playwright.async_api import BrowserContext, Page, Response

from gateway.cli.bench.browser_scripts import ASK_OFTEN, WATCH_FRAMES
from gateway.cli.bench.host import Served
from gateway.cli.bench.load import BenchError

READY_MS: Final = 240_000
QUESTIONS: Final = ("Does it work offline?", "Is it sent later?")
"""What the demo knows, and what goes on from it: the model's to answer."""
FEWEST_FRAMES: Final = 20
RECEIVED: Final = ("SOCKET_BYTES_RECEIVED", "UDP_BYTES_RECEIVED")
NO_NETWORK: Final = ("--proxy-server=127.0.0.1:1", "--proxy-bypass-list=<-loopback>")
"""Port 1 is nobody's (IANA: tcpmux), and loopback is not spared."""


async def second_visit(context: BrowserContext, served: Served, log: Path) -> dict[str, object]:
    """Its figures; closes the browser, which only then has written its log."""
    answered: list[str] = []

    def heard(response: Response) -> None:
        # Of the model and of what runs it; the page's own list may come from the browser's cache.
        ours = "/m/" in response.url or "wllama" in response.url
        if ours and not response.from_service_worker:
            answered.append(response.url)

    await context.set_offline(True)
    context.on("response", heard)
    page = await context.new_page()
    began = time.monotonic()
    await page.goto(f"{served.gateway}/chat/site_demo")
    # Chromium tells a new document that it is online until the emulation changes.
    await context.set_offline(False)
    await context.set_offline(True)
    await page.locator("html[data-device=ready]").wait_for(timeout=READY_MS)
    seconds = time.monotonic() - began
    frames = await _frames(page)
    await context.close()
    return {
        "second_load_s": round(seconds, 2),
        "second_load_requests": len(answered),
        "second_load_bytes": received(log),
        "frames": len(frames),
        "frame_p95_ms": round(percentile(frames, 0.95), 2),
    }


def flags(log: Path) -> tuple[str, ...]:
    """How the browser is started: without a network, and writing down what its sockets receive."""
    return (*NO_NETWORK, f"--log-net-log={log}", "--net-log-capture-mode=Default")


def received(path: Path) -> int:
    """The bytes that sockets received, by a log as Chromium's `--log-net-log` writes it."""
    log: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    kinds = {log["constants"]["logEventTypes"][name] for name in RECEIVED}
    counts = [
        event.get("params", {}).get("byte_count", 0)
        for event in log["events"]
        if event["type"] in kinds
    ]
    return sum(counts)


def percentile(values: list[float], share: float) -> float:
    """The value that this share of them does not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


async def _frames(page: Page) -> list[float]:
    """The panel's work for each frame while the model writes in it, in milliseconds."""
    await page.evaluate(ASK_OFTEN, {"questions": QUESTIONS[:1], "turns": 1})
    await page.evaluate(WATCH_FRAMES)
    await page.evaluate(ASK_OFTEN, {"questions": QUESTIONS[1:], "turns": 1})
    frames: list[float] = await page.evaluate("window.fanlightFrames")
    if len(frames) < FEWEST_FRAMES:
        raise BenchError("the model wrote nothing: too few frames were drawn")
    return frames
