"""The measurement behind `fanlight bench engines`: a visitor who downloads a model, and comes back.

Decides the rounds: our engine and wllama's own call in turn, in one page and over one loaded model,
each time another prompt, so that nothing is remembered; figures are medians. What is timed happens
inside the page. Then the browser is closed, the network cut, and the page opened again.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from playwright.async_api import BrowserContext, Page, Playwright, Response, async_playwright
from playwright.async_api import Error as PlaywrightError

from gateway.cli.bench.browser_scripts import ASK_OFTEN, WATCH_FRAMES
from gateway.cli.bench.chromium import FLAGS, find_chromium
from gateway.cli.bench.embedding import embed_figures
from gateway.cli.bench.host import Served, serving
from gateway.cli.bench.load import BenchError
from gateway.cli.output import Report

FETCHED_MS: Final = 240_000
QUESTIONS: Final = ("Does it work offline?", "Is it sent later?")
"""What the demo knows, and what goes on from it: the model's to answer."""
FEWEST_FRAMES: Final = 20
LISTED: Final = """async () => {
  const { build } = JSON.parse(document.getElementById("fanlight-config").textContent);
  return (await (await fetch(`/assets/precache-${build}.json`)).json()).engine;
}"""
RUN: Final = """async ({ chunk, rounds, tokens }) => {
  const since = (at) => (performance.now() - at) / 1000;
  const name = (await caches.keys()).find((one) => one.includes("-model-"));
  const cache = await caches.open(name);
  const manifest = await (await cache.match("/m/kept/manifest")).json();
  const parts = [];
  const opening = performance.now();
  let hashing = 0;
  for (const index of manifest.blocks.keys()) {
    const part = await (await cache.match(`/m/kept/${index}`)).blob();
    const bytes = await part.arrayBuffer();
    const at = performance.now();
    await crypto.subtle.digest("SHA-256", bytes);
    hashing += since(at);
    parts.push(part);
  }
  const open_s = since(opening);
  const { WllamaEngine } = await import(chunk);
  const engine = new WllamaEngine();
  const loading = performance.now();
  await engine.load({ memory: 0, context: 1024 }, new Blob(parts));
  const load_s = since(loading);
  const prompt = (number) => [
    { role: "user", content: `${number}: write a long story about a cat that lives in a harbour.` },
  ];
  const timed = async (generate) => {
    const at = performance.now();
    let first;
    let count = 0;
    await generate(() => {
      first ??= since(at);
      count += 1;
    });
    return { first, speed: (count - 1) / (since(at) - first) };
  };
  const never = new AbortController().signal;
  const ours = (number) => timed(async (piece) => {
    for await (const _ of engine.generate(prompt(number), { maxTokens: tokens }, never)) piece();
  });
  const bare = (number) => timed((piece) => engine.underneath.createChatCompletion({
    messages: prompt(number),
    max_tokens: tokens,
    temperature: 0,
    stream: true,
    onData: (chunk) => chunk.choices?.[0]?.delta?.content && piece(),
  }));
  await ours(100);
  await bare(101);
  const found = { ours: [], bare: [] };
  let number = 200;
  for (let round = 0; round < rounds; round += 1) {
    const both = [["ours", ours], ["bare", bare]];
    if (round % 2) both.reverse();
    for (const [who, run] of both) {
      number += 1;
      found[who].push(await run(number));
    }
  }
  await engine.unload();
  return { ...found, open_s, load_s, hash_100_mb_s: (hashing * 1e8) / manifest.size };
}"""


@dataclass(frozen=True, slots=True)
class _Browser:
    """Opens a browser, each time with the profile that it had before."""

    playwright: Playwright
    program: Path | None
    profile: Path

    async def open(self) -> BrowserContext:
        return await self.playwright.chromium.launch_persistent_context(
            self.profile, executable_path=self.program, args=FLAGS, locale="en-GB"
        )


async def measure(
    local: tuple[Path, str], rounds: int, tokens: int, chromium: Path | None, report: Report
) -> dict[str, object]:
    """All figures, and the browser; raises `BenchError`."""
    with tempfile.TemporaryDirectory(prefix="fanlight-bench-") as name:
        folder = Path(name)
        async with async_playwright() as playwright:
            browser = _Browser(playwright, chromium or find_chromium(), folder / "profile")
            try:
                async with serving(folder, (), report, local) as served:
                    report("downloading the model, then running it", 0.4)
                    return await _visits(browser, served, rounds, tokens)
            except PlaywrightError as error:
                raise BenchError(error.message.strip().splitlines()[0]) from error


async def _visits(browser: _Browser, served: Served, rounds: int, tokens: int) -> dict[str, object]:
    context = await browser.open()
    page = await context.new_page()
    await _download(page, served)
    listed = await page.evaluate(LISTED)
    chunk = next(file for file in listed if file.startswith("/assets/wllama-"))
    asked = {"chunk": chunk, "rounds": rounds, "tokens": tokens}
    found = await page.evaluate(RUN, asked)
    embedding = await embed_figures(page, rounds)
    version = context.browser.version if context.browser else ""
    await context.close()
    context = await browser.open()
    again = await _second(context, served)
    await context.close()
    return {**_figures(found), **embedding, **again, "browser": f"Chromium {version}"}


async def _download(page: Page, served: Served) -> None:
    await page.goto(f"{served.gateway}/chat/site_demo")
    await page.locator(".consent .button.strong").click()
    await page.locator("html[data-offline=ready]").wait_for(timeout=FETCHED_MS)
    await page.get_by_role("button", name="Menu", exact=True).click()
    await page.get_by_role("menuitem", name="A model on this device").click()
    await page.locator(".device .button.strong").first.click()
    await page.locator("html[data-device=kept]").wait_for(timeout=FETCHED_MS)


async def _second(context: BrowserContext, served: Served) -> dict[str, object]:
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
    await page.locator("html[data-device=ready]").wait_for(timeout=FETCHED_MS)
    seconds = time.monotonic() - began
    frames = await _frames(page)
    return {
        "second_load_s": round(seconds, 2),
        "second_load_requests": len(answered),
        "frame_p95_ms": round(frames, 2),
    }


async def _frames(page: Page) -> float:
    """The 95th percentile of the panel's work for a frame while the model writes in it."""
    await page.evaluate(ASK_OFTEN, {"questions": QUESTIONS[:1], "turns": 1})
    await page.evaluate(WATCH_FRAMES)
    await page.evaluate(ASK_OFTEN, {"questions": QUESTIONS[1:], "turns": 1})
    frames = sorted(await page.evaluate("window.fanlightFrames"))
    if len(frames) < FEWEST_FRAMES:
        raise BenchError("the model wrote nothing: too few frames were drawn")
    return float(frames[int(0.95 * len(frames))])


def _figures(found: dict[str, Any]) -> dict[str, object]:
    def middle(who: str, what: str) -> float:
        return float(median(each[what] for each in found[who]))

    ours, bare = middle("ours", "speed"), middle("bare", "speed")
    first, bare_first = middle("ours", "first"), middle("bare", "first")
    figures = {
        "ours_tokens_s": ours,
        "bare_tokens_s": bare,
        "speed_ratio": ours / bare,
        "ours_first_s": first,
        "bare_first_s": bare_first,
        "first_ratio": bare_first / first,
        **{name: found[name] for name in ("hash_100_mb_s", "open_s", "load_s")},
    }
    return {name: round(value, 3) for name, value in figures.items()}
