"""A long talk, for `fanlight bench widget`: 500 questions in one page, then letters in its field.

Decides what is compared: the page's memory after the 50th turn with that after the last, both with
the garbage collected, and of each letter what the page itself works for, without the wait for the
screen's next frame, which is the screen's and not ours.
"""

from __future__ import annotations

from statistics import quantiles
from typing import Any, Final

from playwright.async_api import BrowserContext, CDPSession, Page

from gateway.cli.bench.browser_scripts import ASK_OFTEN, WATCH_TYPING
from gateway.cli.bench.host import Served

TURNS: Final = 500
SETTLED: Final = 50
"""By then all that a talk needs once has been loaded."""
LETTERS: Final = "could it also be typed into while this much stands above? "
WORDS: Final = (
    "Does it work offline?",
    "Which browsers are supported?",
    "What does it store?",
    "Can a person answer?",
    "Is it accessible?",
)


async def long_talk(context: BrowserContext, served: Served, turns: int) -> dict[str, object]:
    """Figures of a talk of so many questions, asked on the chat's own page."""
    page = await context.new_page()
    await page.goto(f"{served.gateway}/chat/site_demo")
    await page.locator(".consent .choices button").last.click()
    await page.locator("textarea").wait_for()
    session = await context.new_cdp_session(page)
    settled = min(SETTLED, turns // 2)
    await page.evaluate(ASK_OFTEN, {"questions": WORDS, "turns": settled})
    before = await _heap(session)
    await page.evaluate(ASK_OFTEN, {"questions": WORDS, "turns": turns - settled})
    after = await _heap(session)
    shown: dict[str, int] = await page.evaluate(
        "() => ({ exchanges: document.querySelectorAll('.exchange').length,"
        " elements: document.querySelectorAll('*').length })"
    )
    typing = await _typing(page)
    await page.close()
    return {
        "talk_messages": 2 * turns,
        "talk_exchanges_drawn": shown["exchanges"],
        "talk_elements": shown["elements"],
        "talk_growth_mb": round((after - before) / 1e6, 2),
        "typing_p95_ms": round(quantiles(typing, n=20)[18], 2),
        "typing_worst_ms": round(max(typing), 2),
    }


async def _heap(session: CDPSession) -> int:
    """Bytes that the page's scripts hold, once what they let go of has been collected."""
    await session.send("HeapProfiler.enable")
    for _ in range(2):
        await session.send("HeapProfiler.collectGarbage")
    used: dict[str, Any] = await session.send("Runtime.getHeapUsage")
    return int(used["usedSize"])


async def _typing(page: Page) -> list[float]:
    """Milliseconds of work for each letter."""
    await page.evaluate(WATCH_TYPING)
    await page.locator("textarea").press_sequentially(LETTERS, delay=40)
    took: list[float] = await page.evaluate("() => window.fanlightTyping")
    return took
