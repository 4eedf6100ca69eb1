"""What the knowledge desk has done outside the gateway's process, one function a job.

It decides what an order's values mean and what the result holds, and whose words a problem is told
in. Refuses an address that is none: nothing of an order opens a file but what the site's settings
name. What starts it, and speaks with the gateway, is `gateway.cli.desk_worker`.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from core.knowledge import entry_row, row_entry
from core.workshop import Report, row_recipe
from gateway.adapters.website import Limits, Remedies, Website
from gateway.cli.builders import Tools
from gateway.cli.gathering import Gathered, Gatherer, gather_text
from gateway.cli.knowledge import (
    KnowledgeError,
    found_or_built,
    prepare,
    read_site,
    read_sources,
    shown,
)
from gateway.knowledge.draft import overlaid
from gateway.settings import SiteSettings
from kb import Entry
from kb.answers import USUAL
from kb.build import preview_index
from kb.calibrate import Correction
from kb.check import check
from kb.choice import Choice
from kb.entry import Problem, is_searchable
from kb.readers.web_page import is_address
from kb.reconcile import (
    EDITED,
    Change,
    Kept,
    Kind,
    join,
    read_kept,
    reconcile,
    source_hash,
)

type Result = tuple[Mapping[str, Any], bytes]

SITE_S: Final = 45.0
MOST_PAGES: Final = 100
"""How long, and how many pages of, one site are read while an operator waits."""
REMEDIES: Final = Remedies(
    time="import its parts one by one, or all of it with `fanlight kb import`",
    private="if that is meant, have {address} added to gateway.private_endpoints",
    pages="import them by themselves, or all of them with `fanlight kb import`",
)
SOURCE: Final = "the draft"
NO_FILE: Final = Path(os.devnull)
SPARE: Final = 1
"""The index that is served while another is built stays until that one is published."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done, for which site, where."""

    site: SiteSettings
    data_dir: Path
    values: Mapping[str, Any]
    tools: Tools
    report: Report


def perform(values: Mapping[str, Any], tools: Tools, report: Report) -> Result:
    """Do what an order says. Raises `FanlightError`, `click.ClickException`, `ValueError`."""
    site = values["site"]
    order = Order(
        SiteSettings(
            key=site["key"],
            name=site["name"],
            origins=(),
            kb=tuple(map(Path, site["kb"])),
            default_locale=site["default_locale"],
        ),
        Path(values["data_dir"]),
        values,
        tools,
        report,
    )
    return JOBS[values["job"]](order)


def _read(order: Order) -> Result:
    entries = read_site(order.site, read_sources(order.site)).entries
    return {"entries": [entry_row(entry) for entry in entries]}, b""


def _build(order: Order) -> Result:
    recipe = row_recipe(order.values["recipe"])
    sources = read_sources(order.site)
    for source in sources:
        # A start serves what is left; but nobody who publishes an edit means to drop a file.
        if source.data is None:
            raise KnowledgeError(f"{shown(source.path)}: {source.reason}")
    reading = read_site(order.site, sources)
    if not any(map(is_searchable, overlaid(reading.entries, recipe.edits))):
        why = f" ({reading.problems[0]})" if reading.problems else ""
        raise KnowledgeError(f"There is no entry to publish{why}. Write one, then publish again.")
    prepared = prepare(
        order.site,
        order.data_dir,
        lambda _title: _told(order.report),
        order.tools,
        recipe=recipe,
        sources=sources,
        spare=SPARE,
    )
    knowledge = prepared.knowledge
    rows = [entry_row(entry) for entry in prepared.files]
    return {"release": knowledge.index.release, "files": rows}, knowledge.packed


def _preview(order: Order) -> Result:
    given = order.values
    answers = given["answers"]
    packed = preview_index(
        map(row_entry, given["entries"]),
        choices={
            hearing: Choice(tuple(weights), none)
            for hearing, (weights, none) in given["choices"].items()
        },
        answers=Choice(tuple(answers[0]), answers[1]) if answers else USUAL.choice,
        correction=Correction(*given["correction"]),
        embedding=order.tools.table if given["has_meaning"] else None,
        trainer=order.tools.find_trainer() if given["has_head"] else None,
    )
    return {}, packed


def _check(order: Order) -> Result:
    recipe, tools = row_recipe(order.values["recipe"]), order.tools
    knowledge = found_or_built(order.site, order.data_dir, recipe, tools, order.report)
    report = check(
        knowledge.index,
        threshold=order.values["threshold"],
        today=order.values["today"],
        trainer=tools.find_trainer(),
        progress=order.report,
    )
    return {"findings": [asdict(finding) for finding in report.findings]}, b""


def _gather(order: Order) -> Result:
    given = order.values
    gathered = asyncio.run(_gathered(given, order))
    found, joined = join(gathered.found)
    kept = [_kept(row) for row in given["known"]]
    outcome = reconcile(kept, found, gathered.scope, prune=True)
    lines = [line for line in read_kept(outcome.lines, SOURCE) if isinstance(line, Kept)]
    now = {(line.entry.id, line.entry.locale): line for line in lines}
    rows: dict[Kind, list[Change]] = {}
    for change in outcome.changes:
        rows.setdefault(change.kind, []).append(change)
    before = {(row.entry.id, row.entry.locale): row.entry for row in kept}
    said = {one.hash for one in found}
    notes = [
        f"{c.id} ({c.locale}): left as it is: {c.note}"
        for c in rows.get("kept", ())
        if c.note != EDITED and source_hash(*_words(before[c.id, c.locale])) not in said
    ]
    notes += [
        f"{one.id} ({one.locale}): it stands in {len(one.origins)} places whose answers differ: "
        "the first one was taken"
        for one in joined
        if one.differ
    ]
    return {
        "added": [_known(now[c.id, c.locale]) for c in rows.get("added", ())],
        "changed": [_known(now[c.id, c.locale]) for c in rows.get("updated", ())],
        "removed": [entry_row(before[c.id, c.locale]) for c in rows.get("vanished", ())],
        "unchanged": len(rows.get("unchanged", ())) + len(rows.get("kept", ())),
        "problems": [_shown(problem) for problem in gathered.problems] + notes,
    }, b""


async def _gathered(given: Mapping[str, Any], order: Order) -> Gathered:
    name, content, locale = given["source"], given["content"], order.site.default_locale
    if content is not None:
        return gather_text(name, content, locale)
    if not is_address(name):
        raise KnowledgeError("Only an address that begins with http:// or https:// is read.")
    limits = Limits(site_s=SITE_S)
    website = Website(given["private_endpoints"], limits=limits, remedies=REMEDIES)
    try:
        gatherer = Gatherer(website, NO_FILE, locale, MOST_PAGES, order.report)
        return await gatherer.gather([name])
    finally:
        await website.close()


def _words(entry: Entry) -> tuple[str, str]:
    return entry.question, entry.answer


def _kept(row: Mapping[str, Any]) -> Kept:
    text = json.dumps({**row["entry"], "origin": row["origin"], "source_hash": row["source_hash"]})
    return Kept(text, row_entry(row["entry"]), row["origin"], row["source_hash"])


def _known(kept: Kept) -> dict[str, Any]:
    entry = entry_row(kept.entry)
    return {"entry": entry, "origin": kept.origin, "source_hash": kept.source_hash}


def _shown(problem: Problem) -> str:
    return str(problem) if problem.line else f"{problem.source}: {problem.reason}"


JOBS: Final[Mapping[str, Callable[[Order], Result]]] = {
    "read": _read,
    "build": _build,
    "preview": _preview,
    "check": _check,
    "gather": _gather,
}


@contextmanager
def _told(report: Report) -> Iterator[Report]:
    yield report
