"""WebLLM in `fanlight bench engines`, where a library that was compiled for it is named.

Decides that nothing is measured without one: no package brings a library, and a figure that was not
taken is no figure. With one, the model is exported and published as for a visitor, downloaded in a
Chromium that may use any adapter, and run through our engine and by messages to WebLLM's worker
itself, in turn. Refuses what the exporter refuses, and an engine that fell down to another.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Final

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, async_playwright

from gateway.cli.bench.chromium import find_chromium
from gateway.cli.bench.engine_scripts import RUN_WEBLLM
from gateway.cli.bench.engine_visit import Browser, chunk_of, compared, download
from gateway.cli.bench.host import serving
from gateway.cli.bench.load import BenchError
from gateway.cli.bench.processes import FANLIGHT
from gateway.cli.output import Report

QUANTISATION: Final = "q4f32_1"
"""What the library was compiled for: it needs no `shader-f16`."""
ADAPTER: Final = ("--enable-unsafe-webgpu", "--ignore-gpu-blocklist")
SETTLED: Final = (
    'html[data-device="ready"], html[data-engine="wllama"][data-device="kept"], '
    'html[data-fell]:not([data-fell=""])'
)
"""WebLLM runs it; or nobody tried it; or it fell."""
ANY_ADAPTER: Final = "globalThis.fanlightAnyAdapter = true;"
"""A software adapter counts here: the ratio is what is measured."""


async def measure_webllm(
    local: tuple[Path, str], rounds: int, tokens: int, chromium: Path | None, report: Report
) -> dict[str, object]:
    """The figures, each named `webllm_…`, of a library and a model; raises `BenchError`."""
    library, model = local
    with tempfile.TemporaryDirectory(prefix="fanlight-webllm-") as name:
        folder = Path(name)
        published = folder / "published"
        report("exporting the model for WebLLM", 0.1)
        await _publish(model, folder / "mlc", published, library)
        async with async_playwright() as playwright:
            browser = Browser(playwright, chromium or find_chromium(), folder / "profile")
            try:
                async with serving(folder, (), report, (published, model)) as served:
                    context = await browser.open(*ADAPTER)
                    await context.add_init_script(ANY_ADAPTER)
                    page = await context.new_page()
                    await download(page, served, SETTLED)
                    found = await _run(page, rounds, tokens)
                    await context.close()
                    return found
            except PlaywrightError as error:
                raise BenchError(error.message.strip().splitlines()[0]) from error


async def _publish(model: str, mlc: Path, published: Path, library: Path) -> None:
    publish = ("publish", model, "--to", str(published))
    for command in (
        ("export", "mlc", model, str(mlc), "--quantization", QUANTISATION),
        (*publish, "--form", "q8_0"),
        (*publish, "--mlc", str(mlc), "--library", str(library)),
    ):
        process = await asyncio.create_subprocess_exec(
            *(*FANLIGHT, "models", *command),
            env=dict(os.environ),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _, complaint = await process.communicate()
        if process.returncode:
            last = complaint.decode(errors="replace").strip().rpartition("\n")[2]
            raise BenchError(f"`fanlight models {' '.join(command)}`: {last}")


async def _run(page: Page, rounds: int, tokens: int) -> dict[str, object]:
    engine = await page.get_attribute("html", "data-engine")
    if engine != "webllm":
        fell = await page.get_attribute("html", "data-fell")
        raise BenchError(f"WebLLM did not run the model, {engine} does: {fell}")
    asked = {
        "chunk": await page.evaluate(
            "performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname)"
            ".find((path) => path.includes('/assets/spawn-'))"
        ),
        "worker": await chunk_of(page, "webllm", "/assets/webllm_worker-"),
        "rounds": rounds,
        "tokens": tokens,
    }
    found = await page.evaluate(RUN_WEBLLM, asked)
    figures = compared(found["ours"], found["bare"])
    return {f"webllm_{name}": round(value, 3) for name, value in figures.items()}
