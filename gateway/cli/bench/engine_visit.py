"""The measurement behind `fanlight bench engines`: a visitor who downloads a model, and comes back.

Decides the rounds: our engine and wllama's own call in turn, in one page and over one loaded model,
each time another prompt, so that nothing is remembered; figures are medians. What is timed happens
inside the page. Then the browser is closed, the network cut, and the page opened again
(`engine_return`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from playwright.async_api import BrowserContext, Page, Playwright, async_playwright
from playwright.async_api import Error as PlaywrightError

from gateway.cli.bench.chromium import FLAGS, find_chromium
from gateway.cli.bench.embedding import embed_figures
from gateway.cli.bench.engine_return import flags, second_visit
from gateway.cli.bench.engine_scripts import LISTED, RUN
from gateway.cli.bench.host import Served, serving
from gateway.cli.bench.load import BenchError
from gateway.cli.output import Report

FETCHED_MS: Final = 240_000


@dataclass(frozen=True, slots=True)
class Browser:
    """Opens a browser, each time with the profile that it had before."""

    playwright: Playwright
    program: Path | None
    profile: Path

    async def open(self, *flags: str) -> BrowserContext:
        """A new process of it."""
        return await self.playwright.chromium.launch_persistent_context(
            self.profile, executable_path=self.program, args=[*FLAGS, *flags], locale="en-GB"
        )


async def measure(
    local: tuple[Path, str], rounds: int, tokens: int, chromium: Path | None, report: Report
) -> dict[str, object]:
    """All figures, and the browser; raises `BenchError`."""
    with tempfile.TemporaryDirectory(prefix="fanlight-bench-") as name:
        folder = Path(name)
        async with async_playwright() as playwright:
            browser = Browser(playwright, chromium or find_chromium(), folder / "profile")
            try:
                async with serving(folder, (), report, local) as served:
                    report("downloading the model, then running it", 0.4)
                    return await _visits(browser, served, rounds, tokens)
            except PlaywrightError as error:
                raise BenchError(error.message.strip().splitlines()[0]) from error


async def _visits(browser: Browser, served: Served, rounds: int, tokens: int) -> dict[str, object]:
    context = await browser.open()
    page = await context.new_page()
    await download(page, served, "html[data-device=kept]")
    chunk = await chunk_of(page, "engine", "/assets/wllama-")
    found = await page.evaluate(RUN, {"chunk": chunk, "rounds": rounds, "tokens": tokens})
    embedding = await embed_figures(page, rounds)
    version = context.browser.version if context.browser else ""
    await context.close()
    log = browser.profile.parent / "network.json"
    context = await browser.open(*flags(log))
    again = await second_visit(context, served, log)
    return {**_figures(found), **embedding, **again, "browser": f"Chromium {version}"}


async def download(page: Page, served: Served, until: str) -> None:
    """Agree, and have the model brought here, until something fits this selector."""
    await page.goto(f"{served.gateway}/chat/site_demo")
    await page.locator(".consent .button.strong").click()
    await page.locator("html[data-offline=ready]").wait_for(timeout=FETCHED_MS)
    await page.get_by_role("button", name="Menu", exact=True).click()
    await page.get_by_role("menuitem", name="A model on this device").click()
    await page.locator(".device .button.strong").first.click()
    await page.locator(until).wait_for(timeout=FETCHED_MS)


async def chunk_of(page: Page, listed: str, begins: str) -> str:
    """The address of this build's file that begins so."""
    files: list[str] = await page.evaluate(LISTED, listed)
    return next(file for file in files if file.startswith(begins))


def compared(ours: Sequence[dict[str, Any]], bare: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Medians of both, and their ratios: above 1 where ours is the better."""
    told = {
        f"{who}_{name}": float(median(each[what] for each in rounds))
        for who, rounds in (("ours", ours), ("bare", bare))
        for name, what in (("tokens_s", "speed"), ("first_s", "first"))
    }
    return {
        **told,
        "speed_ratio": told["ours_tokens_s"] / told["bare_tokens_s"],
        "first_ratio": told["bare_first_s"] / told["ours_first_s"],
    }


def _figures(found: dict[str, Any]) -> dict[str, object]:
    logged = compared(found["logged"], found["bare"])
    figures = {
        **compared(found["ours"], found["bare"]),
        "logged_speed_ratio": logged["speed_ratio"],
        "logged_first_ratio": logged["first_ratio"],
        **{name: found[name] for name in ("hash_100_mb_s", "open_s", "load_s")},
    }
    return {name: round(value, 3) for name, value in figures.items()}
