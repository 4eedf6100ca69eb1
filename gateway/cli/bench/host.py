"""`fanlight run` as a child process for the browser's benchmark, with sites of several sizes.

Decides the settings that it runs under: the demo's site on its host page, and one site for each
size of a made-up knowledge base. The child is always ended.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import kb
from gateway.cli.bench.demo_index import bring_kept
from gateway.cli.bench.entries import made_up
from gateway.cli.bench.load import BenchError
from gateway.cli.bench.processes import FANLIGHT, free_port, plain_environ
from gateway.cli.builders import installed_tools
from gateway.cli.output import Report

QUESTIONS: Final = 600
START_S: Final = 60.0
END_S: Final = 12.0
ENCODER: Final = "all-minilm-l6-v2"
DATA: Final = ".fanlight"
"""Where the gateway keeps its data, unless it is told otherwise."""
_SITE: Final = """
[[sites]]
key = "{key}"
name = "Fanlight"
origins = ["http://localhost:{page}"]
kb = [{kb}]
"""
_GATEWAY: Final = """
[gateway]
port = {port}

[limits]
session_per_minute = 100000
subject_per_minute = 1000000
site_per_minute = 10000000
sessions_per_site_per_minute = 1000000
address_per_minute = 1000000
sessions_per_address_per_minute = 100000
"""


@dataclass(frozen=True, slots=True)
class Served:
    """The running product: its origins, its sites by size, and questions to each."""

    gateway: str
    page: str
    sites: Mapping[int, str]
    questions: Mapping[int, list[str]]


@asynccontextmanager
async def serving(
    folder: Path, sizes: Sequence[int], report: Report, local: tuple[Path, str] | None = None
) -> AsyncIterator[Served]:
    """The product, while it runs; raises `BenchError` when it does not start.

    `local` is a folder of published models, and the one that the demo's site offers, beside the
    encoder where that was published.
    """
    questions = {}
    for number, size in enumerate(sizes):
        report(f"building {size} entries", 0.1 * number)
        entries, questions[size] = made_up(size, QUESTIONS)
        index = await asyncio.to_thread(installed_tools().build, entries)
        (folder / f"{size}.idx").write_bytes(index)
    port, page = free_port(), free_port()
    settings = (
        _settings(folder, sizes, port, page) if local is None else _offering(port, page, *local)
    )
    (folder / "fanlight.toml").write_text(settings, encoding="utf-8")
    report("starting the gateway", 0.25)
    # A data folder that cannot be written is told by the gateway itself.
    with suppress(OSError):
        bring_kept(folder / DATA)
    process = await _start(folder, page)
    try:
        await _until_running(process, folder)
        sites = {size: f"site_{size}" for size in sizes}
        origin = f"http://localhost:{port}"
        yield Served(origin, f"http://localhost:{page}", sites, questions)
    finally:
        await _end(process)


def _settings(folder: Path, sizes: Sequence[int], port: int, page: int) -> str:
    faq = Path(kb.__file__).parent / "data"
    sites = {"site_demo": faq, **{f"site_{size}": folder / f"{size}.idx" for size in sizes}}
    tables = (
        _SITE.format(key=key, page=page, kb=json.dumps(str(path))) for key, path in sites.items()
    )
    return _GATEWAY.format(port=port) + "".join(tables)


def _offering(port: int, page: int, models: Path, name: str) -> str:
    faq = json.dumps(str(Path(kb.__file__).parent / "data"))
    gateway = _GATEWAY.format(port=port).replace(
        "[limits]", f"models_dir = {json.dumps(str(models.absolute()))}\n\n[limits]"
    )
    site = _SITE.format(key="site_demo", page=page, kb=faq)
    encodes = (models / f"{ENCODER}.json").is_file()
    encoder = f'encoder = "{ENCODER}"\n' if encodes else ""
    return f'{gateway}{site}local_models = ["{name}"]\n{encoder}'


async def _start(folder: Path, page: int) -> asyncio.subprocess.Process:
    environ = plain_environ()
    environ["FANLIGHT_OPERATOR_TOKEN"] = "nobody-logs-in-at-a-benchmark"  # noqa: S105
    arguments = ("run", "--demo", "--json", "--demo-port", str(page))
    with (folder / "errors").open("wb") as errors:
        return await asyncio.create_subprocess_exec(
            *(*FANLIGHT, *arguments, "--config", str(folder / "fanlight.toml")),
            env=environ,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )


async def _until_running(process: asyncio.subprocess.Process, folder: Path) -> None:
    line = b""
    try:
        async with asyncio.timeout(START_S):
            if process.stdout is not None:
                line = await process.stdout.readline()
    except TimeoutError:
        pass
    said = (folder / "errors").read_text(encoding="utf-8", errors="replace").strip()
    if not line.startswith(b'{"running": true'):
        raise BenchError(f"the gateway did not start: {said[-500:] or 'it said nothing'}")
    if "there is no panel" in said:
        raise BenchError("the web assets are not built: run `npm --prefix web run build`")


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        async with asyncio.timeout(END_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
