"""The measurement behind `fanlight bench widget`: a gateway, a Chromium, and visits in turn.

Decides the rounds: cold (a browser without a past), then a second visit (the files are there, and
the network is cut), then a third and warm one (the browser has kept what it compiled, too), again
and again, so that whatever else the machine does falls on all; figures are medians. What is timed
happens inside the pages: the click, and the first answer on the screen. The panel is told that it
is offline, so that nobody but the browser can answer.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, Page, Playwright, Request, async_playwright
from playwright.async_api import Error as PlaywrightError

from gateway.cli.bench.beside_visit import measure_beside
from gateway.cli.bench.browser_scripts import QUERIES, REMEMBER_PYTHON, VISITOR
from gateway.cli.bench.chromium import FLAGS, find_chromium
from gateway.cli.bench.host import Served, serving
from gateway.cli.bench.load import BenchError
from gateway.cli.bench.paid import WATCH_PAGE, paid, requests_of, stored, third_parties
from gateway.cli.bench.talk import long_talk
from gateway.cli.output import Report
from gateway.loader import CURRENT

EARLY: Final = f"/{CURRENT}"
QUESTION: Final = "Does it work offline?"
ANSWER_MS: Final = 45_000
ENDED_S: Final = 2.0
"""How long a request's end is waited for once its page is idle."""
LAUNCHER: Final = "fanlight-launcher button"
FRAME: Final = "fanlight-launcher iframe"


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures by name, another chat's beside them, and the browser that all were taken in."""

    figures: dict[str, object]
    beside: dict[str, object]
    browser: str


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds from the click until the visitor could write, and until the first answer."""

    usable_s: float
    answer_s: float


@dataclass(frozen=True, slots=True)
class Round:
    """One cold, one second and one warm start."""

    cold: Start
    second: Start
    warm: Start


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured."""

    rounds: int
    sizes: Sequence[int]
    turns: int


async def measure(extent: Extent, chromium: Path | None, report: Report) -> Measured:
    """All figures; raises `BenchError`."""
    with tempfile.TemporaryDirectory(prefix="fanlight-bench-") as name:
        folder = Path(name)
        async with async_playwright() as playwright:
            browser = _Browser(playwright, chromium or find_chromium(), folder)
            try:
                # A browser that does not start is told before anything is built.
                await (await browser.open()).close()
                async with serving(folder, extent.sizes, report) as served:
                    return await _measure(browser, served, extent, report)
            except PlaywrightError as error:
                raise BenchError(_first_line(error)) from error


def _first_line(error: PlaywrightError) -> str:
    line = error.message.strip().splitlines()[0]
    if "Executable doesn't exist" in error.message:
        return (
            "There is no Chromium: install one, name it with --chromium, or `playwright install`."
        )
    return line


@dataclass
class _Browser:
    """Opens browsers without a past, each with a profile of its own on disk, as visitors have."""

    playwright: Playwright
    program: Path | None
    folder: Path
    version: str = ""
    _opened: int = 0

    async def open(self) -> BrowserContext:
        """One more browser."""
        self._opened += 1
        context = await self.playwright.chromium.launch_persistent_context(
            self.folder / f"profile-{self._opened}", executable_path=self.program, args=FLAGS
        )
        context.set_default_timeout(ANSWER_MS)
        if context.browser is not None:
            self.version = f"Chromium {context.browser.version}"
        return context


async def _measure(browser: _Browser, served: Served, extent: Extent, report: Report) -> Measured:
    report("weighing", 0.3)
    figures = await _weights(browser, served)
    starts = []
    for number in range(extent.rounds):
        report(f"round {number + 1} of {extent.rounds}", 0.35 + 0.3 * number / extent.rounds)
        starts.append(await _round(browser, served))
    figures["cold_s"] = round(median(each.cold.answer_s for each in starts), 3)
    figures["second_s"] = round(median(each.second.answer_s for each in starts), 3)
    figures["warm_s"] = round(median(each.warm.answer_s for each in starts), 3)
    figures["open_warm_ms"] = round(1000 * median(each.warm.usable_s for each in starts), 1)
    report("asking", 0.65)
    figures |= await _queries(browser, served)
    report("talking at length", 0.75)
    figures |= await _talk(browser, served, extent.turns)
    report("another chat", 0.9)
    beside = await measure_beside(browser.open, browser.folder, extent.rounds)
    return Measured(figures, beside, browser.version)


async def _talk(browser: _Browser, served: Served, turns: int) -> dict[str, object]:
    context = await browser.open()
    figures = await long_talk(context, served, turns)
    await context.close()
    return figures


async def _weights(browser: _Browser, served: Served) -> dict[str, object]:
    """Bytes on the wire by kind, and what the host page pays before the launcher is used."""
    context = await browser.open()
    asked = requests_of(context)
    await context.add_init_script(WATCH_PAGE)
    page = await context.new_page()
    await page.goto(served.page)
    await page.wait_for_selector(LAUNCHER)
    await page.wait_for_load_state("networkidle")
    early = [urlsplit(request.url).path for request in _to(served.gateway, asked)]
    costs = await paid(page, EARLY)
    await page.click(LAUNCHER)
    await page.frame_locator(FRAME).locator(".choices").wait_for()
    await page.wait_for_load_state("networkidle")
    sizes = await _sizes(_to(served.gateway, asked))
    costs["third_party_requests"] = third_parties(asked, served.page, served.gateway)
    costs["stored_before_consent"] = await stored(page.frames)
    await context.close()
    return {**sizes, "early_requests": early, **costs}


def _to(origin: str, asked: list[Request]) -> list[Request]:
    return [request for request in asked if request.url.startswith(origin)]


async def _sizes(asked: list[Request]) -> dict[str, int]:
    kinds = ("loader_bytes", "panel_bytes", "python_bytes", "index_bytes", "embedding_bytes")
    sums = dict.fromkeys(kinds, 0)
    for request in asked:
        sums[_kind(urlsplit(request.url).path)] += await _size(request)
    return sums


async def _size(request: Request) -> int:
    """Bytes of a response's body as sent."""
    try:
        async with asyncio.timeout(ENDED_S):
            return (await request.sizes())["responseBodySize"]
    except TimeoutError:
        # Chromium 150 never says that a worker's own script has ended.
        response = await request.response()
        return int(response.headers["content-length"]) if response else 0


def _kind(path: str) -> str:
    if path.startswith("/loader."):
        return "loader_bytes"
    if path.startswith("/assets/py/"):
        return "python_bytes"
    if path.startswith("/kb/embedding/"):
        return "embedding_bytes"
    return "index_bytes" if path.endswith(".idx") else "panel_bytes"


async def _round(browser: _Browser, served: Served) -> Round:
    context = await browser.open()
    try:
        await context.add_init_script(VISITOR.replace("QUESTION", QUESTION))
        cold, page = await _first_answer(context, served.page, cut=False)
        stored = page.frame_locator(FRAME).locator('html[data-offline="ready"]')
        await stored.wait_for(state="attached")
        await page.close()
        second, page = await _first_answer(context, served.page, cut=True)
        await page.close()
        warm, _ = await _first_answer(context, served.page, cut=True)
    finally:
        await context.close()
    return Round(cold, second, warm)


async def _first_answer(context: BrowserContext, url: str, *, cut: bool) -> tuple[Start, Page]:
    """The start that a click on the launcher makes."""
    await context.set_offline(False)
    page = await context.new_page()
    await page.goto(url)
    await page.wait_for_selector(LAUNCHER)
    await page.wait_for_load_state("networkidle")
    await context.set_offline(cut)
    await page.click(LAUNCHER)
    answer = page.frame_locator(FRAME).locator("html[data-answered]")
    await answer.wait_for(state="attached")
    answered = float(await answer.get_attribute("data-answered") or "nan")
    usable = float(await answer.get_attribute("data-usable") or "nan")
    clicked = await page.evaluate("() => window.fanlightClicked")
    return Start((usable - clicked) / 1000, (answered - clicked) / 1000), page


async def _queries(browser: _Browser, served: Served) -> dict[str, object]:
    """Milliseconds of a question in Pyodide, for each size of knowledge base."""
    context = await browser.open()
    await context.add_init_script(REMEMBER_PYTHON)
    found: dict[str, object] = {}
    for size, questions in served.questions.items():
        page = await context.new_page()
        await page.goto(f"{served.gateway}/chat/{served.sites[size]}")
        await page.wait_for_function("() => window.fanlightPython !== undefined")
        took = await _ask_all(page, questions)
        found[f"query_p50_ms_{size}"] = round(1000 * median(took), 3)
        found[f"query_p95_ms_{size}"] = round(1000 * quantiles(took, n=20)[18], 3)
        await page.close()
    await context.close()
    return found


async def _ask_all(page: Page, questions: list[str]) -> list[float]:
    asked: Mapping[str, Any] = {"questions": questions}
    took: list[float] = await page.evaluate(QUERIES, asked)
    return took
