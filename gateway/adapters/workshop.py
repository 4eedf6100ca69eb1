"""The workshop in processes of their own, one for each piece of work.

It decides how long work may take, that one heavy piece is done at a time, and that what is not
wanted any more is ended at once. Refuses with `WorkFailed`, in words for an operator: the worker's
own reason, or that it was ended, or took too long.
"""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from core.knowledge import entry_row, row_entry
from core.workshop import (
    Brought,
    Built,
    Calibration,
    Known,
    Recipe,
    Report,
    Source,
    WorkFailed,
    recipe_row,
)
from gateway.settings import Settings
from kb import Entry
from kb.finding import Finding

LINE_LIMIT: Final = 64 * 1024
LIGHT_AT_ONCE: Final = 2
IMPORTS_AT_ONCE: Final = 2
"""They wait for other people's servers: nobody else's reading waits behind them."""
LAST_MOMENT_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds that each kind of work may take, with the wait for its turn."""

    read_s: float = 60.0
    build_s: float = 1800.0
    preview_s: float = 120.0
    gather_s: float = 120.0


@dataclass(frozen=True, slots=True)
class _Rule:
    """How long a kind of work may take, and whose turn it waits for."""

    deadline_s: float
    turn: asyncio.Semaphore


class ProcessWorkshop:
    """A `Workshop`; `command` starts a worker that speaks as `gateway.cli.desk_worker` does.

    `environ` is the worker's environment: it reads strangers' pages, and needs no secret.
    """

    def __init__(
        self,
        settings: Settings,
        command: Sequence[str],
        environ: Mapping[str, str],
        deadlines: Deadlines | None = None,
    ) -> None:
        self._settings = settings
        self._command = tuple(command)
        self._environ = dict(environ)
        limits = deadlines or Deadlines()
        heavy, light = asyncio.Semaphore(1), asyncio.Semaphore(LIGHT_AT_ONCE)
        self._rules = {
            "read": _Rule(limits.read_s, light),
            "build": _Rule(limits.build_s, heavy),
            "preview": _Rule(limits.preview_s, light),
            "check": _Rule(limits.build_s, heavy),
            "gather": _Rule(limits.gather_s, asyncio.Semaphore(IMPORTS_AT_ONCE)),
        }

    async def read(self, site: str) -> tuple[Entry, ...]:
        """The entries of the owner's files, as they are now."""
        found, _ = await self._do("read", site, {})
        return tuple(map(row_entry, found["entries"]))

    async def build(self, site: str, recipe: Recipe, report: Report) -> Built:
        """A calibrated index, written whole to where the next start finds it."""
        values = {"recipe": recipe_row(recipe)}
        found, packed = await self._do("build", site, values, report)
        return Built(packed, found["release"], tuple(map(row_entry, found["files"])))

    async def preview(self, site: str, entries: Sequence[Entry], like: Calibration) -> bytes:
        """A quick index that is calibrated like another one."""
        values = {
            "entries": [entry_row(entry) for entry in entries],
            "choices": {
                hearing: [choice.weights, choice.none] for hearing, choice in like.choices.items()
            },
            "answers": [like.answers.weights, like.answers.none] if like.answers else None,
            "correction": [like.correction.shift, like.correction.slope],
            "has_head": like.has_head,
            "has_meaning": like.has_meaning,
        }
        _, packed = await self._do("preview", site, values)
        return packed

    async def check(
        self, site: str, recipe: Recipe, *, threshold: float, today: str
    ) -> tuple[Finding, ...]:
        """What should be mended in an index of this recipe, worst first."""
        values = {"recipe": recipe_row(recipe), "threshold": threshold, "today": today}
        found, _ = await self._do("check", site, values)
        return tuple(
            Finding(**{**row, "others": tuple(row["others"])}) for row in found["findings"]
        )

    async def gather(self, site: str, source: Source, known: Sequence[Known]) -> Brought:
        """What a source has that the known entries have not."""
        values = {
            "source": source.name,
            "content": source.content,
            "known": list(map(_known_row, known)),
        }
        found, _ = await self._do("gather", site, values)
        return Brought(
            added=tuple(map(_row_known, found["added"])),
            changed=tuple(map(_row_known, found["changed"])),
            removed=tuple(map(row_entry, found["removed"])),
            unchanged=found["unchanged"],
            problems=tuple(found["problems"]),
        )

    async def _do(
        self,
        job: str,
        site: str,
        values: Mapping[str, Any],
        report: Report = lambda _step, _share: None,
    ) -> tuple[dict[str, Any], bytes]:
        order, rule = {"job": job, **self._place(site), **values}, self._rules[job]
        try:
            async with asyncio.timeout(rule.deadline_s), rule.turn:
                return await self._done(order, report)
        except TimeoutError as exc:
            told = f"It took longer than {rule.deadline_s:.0f} s, and was ended."
            raise WorkFailed(told) from exc

    async def _done(self, order: Mapping[str, Any], report: Report) -> tuple[dict[str, Any], bytes]:
        process = await self._start()
        try:
            result = await _converse(process, order, report)
            await _ended(process)
        except (OSError, asyncio.IncompleteReadError, ValueError) as exc:
            raise WorkFailed(await _ending(process)) from exc
        else:
            return result
        finally:
            await _end(process)

    async def _start(self) -> Process:
        try:
            # A session of its own: Ctrl-C is the gateway's, which then ends its workers.
            return await asyncio.create_subprocess_exec(
                *self._command,
                stdin=PIPE,
                stdout=PIPE,
                env=self._environ,
                limit=LINE_LIMIT,
                start_new_session=True,
            )
        except OSError as exc:
            raise WorkFailed(f"No process could be started: {exc.strerror}.") from exc

    def _place(self, site: str) -> dict[str, Any]:
        found = self._settings.site(site)
        if found is None:
            raise WorkFailed("no such site")
        return {
            "site": {
                "key": found.key,
                "name": found.name,
                "kb": [str(path) for path in found.kb],
                "default_locale": found.default_locale,
            },
            "data_dir": str(self._settings.data_dir),
            "private_endpoints": list(self._settings.private_endpoints),
        }


def _known_row(known: Known) -> dict[str, Any]:
    entry = entry_row(known.entry)
    return {"entry": entry, "origin": known.origin, "source_hash": known.source_hash}


def _row_known(row: Mapping[str, Any]) -> Known:
    return Known(row_entry(row["entry"]), row["origin"], row["source_hash"])


async def _converse(
    process: Process, order: Mapping[str, Any], report: Report
) -> tuple[dict[str, Any], bytes]:
    """Give the order, pass on what is reported, and take the result."""
    assert process.stdin is not None  # noqa: S101 - both are pipes
    assert process.stdout is not None  # noqa: S101
    process.stdin.write(json.dumps(order).encode() + b"\n")
    await process.stdin.drain()
    while True:
        said = json.loads(await process.stdout.readuntil(b"\n"))
        if "error" in said:
            raise WorkFailed(said["error"])
        if "document" in said:
            document = await process.stdout.readexactly(said["document"])
            packed = await process.stdout.readexactly(said["packed"])
            return json.loads(document.decode("utf-8", "surrogatepass")), packed
        report(said["step"], said["share"])


async def _ending(process: Process) -> str:
    """Say how a worker ended that gave no result."""
    await _ended(process)
    status = process.returncode
    if status is not None and status < 0:
        return f"The process that worked on it was ended by signal {-status}. Try again."
    return "The process that worked on it failed; the gateway's log says why."


async def _ended(process: Process) -> None:
    """Wait a moment for a worker that has nothing more to do."""
    with suppress(TimeoutError):
        async with asyncio.timeout(LAST_MOMENT_S):
            await process.wait()


async def _end(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    # What it had said is read and dropped: asyncio sees no end of a process whose output waits.
    await process.communicate()
