"""What a host page pays for a chat: the same questions to any page, ours or another's.

Decides that a task counts where the chat's own script ran in it for more than 50 ms, by the
browser's own word (long animation frames name the script), and that what shifts is all of the page.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, Frame, Page, Request

LONG_TASK_MS: Final = 50.0
STORED: Final = """async () => {
  const count = async (look) => { try { return await look(); } catch { return 0; } };
  const counts = [
    count(() => localStorage.length), count(() => sessionStorage.length),
    count(() => document.cookie.split(";").filter((part) => part.trim()).length),
    count(async () => (await indexedDB.databases()).length),
    count(async () => (await caches.keys()).length),
  ];
  return (await Promise.all(counts)).reduce((sum, each) => sum + each, 0);
}"""
"""Keys in the two storages, cookies, databases and caches of a frame's origin."""
WATCH_PAGE: Final = """
if (window === top) {
  const paid = (window.fanlightPaid = { shift: 0, scripts: [] });
  const watch = (type, see) => {
    new PerformanceObserver((list) => list.getEntries().forEach(see))
      .observe({ type, buffered: true });
  };
  watch("layout-shift", (entry) => (paid.shift += entry.value));
  watch("long-animation-frame", (entry) => {
    for (const script of entry.scripts) paid.scripts.push([script.sourceURL, script.duration]);
  });
}
"""


def requests_of(context: BrowserContext) -> list[Request]:
    """All that a browser asks for from now on; the list grows."""
    asked: list[Request] = []

    def note(request: Request) -> None:
        asked.append(request)

    context.on("request", note)
    return asked


async def paid(page: Page, script: str) -> dict[str, object]:
    """Layout shift of the page until now, and what the script at this path kept it busy with."""
    seen: dict[str, Any] = await page.evaluate("() => window.fanlightPaid")
    long = [
        took
        for url, took in seen["scripts"]
        if urlsplit(url).path == script and took > LONG_TASK_MS
    ]
    return {"layout_shift": round(seen["shift"], 4), "long_tasks": len(long)}


async def stored(frames: Iterable[Frame]) -> int:
    """How many things these frames' origins hold; two frames of one origin count twice."""
    return sum([await frame.evaluate(STORED) for frame in frames])


def third_parties(requests: Iterable[Request], *origins: str) -> int:
    """How many requests went to none of these origins."""
    own = {urlsplit(origin).netloc for origin in origins}
    asked = (urlsplit(request.url) for request in requests)
    return sum(url.scheme in {"http", "https"} and url.netloc not in own for url in asked)
