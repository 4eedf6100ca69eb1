"""The other chat measured in the browser in which ours is: see `beside.py` for how it is had.

Decides that what it is embedded with by its own guide is what a page pays for before use, and that
from the click to its field is counted on the third visit, when the browser has kept all it can.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Final

from playwright.async_api import BrowserContext

from gateway.cli.bench.beside import NAME, NotHadError, fetch_bundle, packed, serving_beside
from gateway.cli.bench.browser_scripts import WATCH_OTHER
from gateway.cli.bench.paid import WATCH_PAGE, paid, requests_of, stored, third_parties

WARMING: Final = 2
"""Visits before the first one that counts."""


async def measure_beside(
    open_browser: Callable[[], Awaitable[BrowserContext]], folder: Path, rounds: int
) -> dict[str, object]:
    """The other chat's name with its figures, or with why there are none."""
    try:
        script = await fetch_bundle(folder)
        small = await packed(script, folder)
    except (NotHadError, OSError) as error:
        return {"name": NAME, "skipped": str(error)}
    async with serving_beside(small) as origin:
        figures = await _before_use(await open_browser(), origin)
        figures["open_warm_ms"] = await _opening(await open_browser(), origin, rounds)
    return {"name": NAME, "figures": {"early_bytes": len(small), "open_bytes": 0, **figures}}


async def _before_use(context: BrowserContext, origin: str) -> dict[str, object]:
    asked = requests_of(context)
    await context.add_init_script(WATCH_PAGE)
    page = await context.new_page()
    await page.goto(origin)
    await page.locator("deep-chat #text-input").wait_for()
    await page.wait_for_load_state("networkidle")
    figures = {
        **await paid(page, "/deep-chat.js"),
        "third_party_requests": third_parties(asked, origin),
        "stored_before_consent": await stored(page.frames),
    }
    await context.close()
    return figures


async def _opening(context: BrowserContext, origin: str, rounds: int) -> float:
    await context.add_init_script(WATCH_OTHER)
    took = []
    for _ in range(WARMING + rounds):
        page = await context.new_page()
        await page.goto(f"{origin}/later")
        await page.wait_for_load_state("networkidle")
        await page.click("#open")
        usable = page.locator("html[data-usable]")
        await usable.wait_for(state="attached")
        took.append(float(await usable.get_attribute("data-usable") or "nan"))
        await page.close()
    await context.close()
    return round(median(took[WARMING:]), 1)
