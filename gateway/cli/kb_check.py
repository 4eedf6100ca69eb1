"""The command `fanlight kb check`: what an owner should mend, worst first.

Decides which files or index are looked at, how the findings are printed, and the exit status. What
a finding is, is decided in `kb.check`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
from rich.table import Table
from rich.text import Text

from core.gate import DEFAULT_THRESHOLD
from gateway.cli.builders import build, installed_tools, meaning
from gateway.cli.kb_files import load_file, read_files
from gateway.cli.output import Output, json_option
from kb import Entry, Index, Problem, load_index
from kb.check import Report, check
from kb.entry import is_searchable
from kb.finding import Finding

_PATH: Final = click.Path(path_type=Path)
_RISKS_SHOWN: Final = 10


@click.command("check")
@click.argument("files", nargs=-1, type=_PATH)
@click.option("--index", "path", type=_PATH, help="An index of these files, so that none is built.")
@click.option("--locale", help="Language of rows that name none, such as en.")
@click.option(
    "--threshold", default=DEFAULT_THRESHOLD, show_default=True, type=click.FloatRange(0, 1),
    help="Confidence from which the site answers.",
)  # fmt: skip
@click.option("--seed", default=0, show_default=True, help="Seed of the simulated questions.")
@click.option("--strict", is_flag=True, help="Exit with 1 when there is a problem.")
@json_option
def check_command(
    *,
    files: tuple[Path, ...],
    path: Path | None,
    locale: str | None,
    threshold: float,
    seed: int,
    strict: bool,
    as_json: bool,
) -> None:
    """Say what to mend in the entries of FILES, or of an index: worst first, each with a remedy."""
    if not files and path is None:
        raise click.UsageError("give FILES, or --index")
    output = Output(as_json)
    index, rows = _index(files, path, locale, seed)
    with output.progress("checking") as progress:
        report = check(
            index,
            threshold=threshold,
            today=datetime.now(tz=UTC).astimezone().date().isoformat(),
            trainer=installed_tools().find_trainer(),
            seed=seed,
            progress=progress,
        )
    for note in report.notes:
        output.tell(note, "dim")
    problems = sum(finding.severity == "problem" for finding in report.findings)
    hints = len(report.findings) - problems
    output.result(
        {
            "release": index.release,
            "entries": len(index),
            "locales": list(index.locales),
            "threshold": threshold,
            "seed": seed,
            "problems": problems,
            "hints": hints,
            "findings": [_finding(finding) for finding in report.findings],
            "risks": [asdict(risk) | {"risk": round(risk.share, 4)} for risk in report.risks],
            "rows": [asdict(problem) for problem in rows],
            "notes": list(report.notes),
        }
    )
    _show(report, output)
    bad_rows = f", rows that could not be read: {len(rows)}" if rows else ""
    output.show(f"entries: {len(index)}, problems: {problems}, hints: {hints}{bad_rows}")
    if strict and (problems or rows):
        raise SystemExit(1)


def _index(
    files: Sequence[Path], path: Path | None, locale: str | None, seed: int
) -> tuple[Index, tuple[Problem, ...]]:
    """The index to ask, and the rows that could not be read; refuses one of other entries."""
    if not files and path is not None:
        return load_file(path), ()
    reading = read_files(files, locale)
    if not any(is_searchable(entry) for entry in reading.entries):
        raise click.ClickException("no entry could be read: there is nothing to check")
    if path is None:
        return load_index(build(reading.entries, seed=seed), meaning()), reading.problems
    index = load_file(path)
    if not _same(index, reading.entries):
        raise click.ClickException(
            f"{path}: built from other entries than these files: leave out --index, or build it "
            "again with `fanlight kb build`"
        )
    return index, reading.problems


def _same(index: Index, entries: Sequence[Entry]) -> bool:
    return set(index.entries) == {entry for entry in entries if is_searchable(entry)}


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "severity": finding.severity,
        "kind": finding.kind,
        "entry_id": finding.entry_id,
        "locale": finding.locale,
        "others": list(finding.others),
        "why": finding.why,
        "remedy": finding.remedy,
    }


def _show(report: Report, output: Output) -> None:
    for finding in report.findings:
        is_problem = finding.severity == "problem"
        kind = finding.kind.replace("_", " ")
        mark = ("✗ ", "red") if is_problem else ("· ", "dim")
        output.show(
            Text.assemble(mark, (f"{finding.entry_id} ({finding.locale})", "bold"), f"  {kind}"),
            f"  {finding.why}",
            Text(f"  {finding.remedy}", "dim"),
        )
    risky = [risk for risk in report.risks if risk.share > 0][:_RISKS_SHOWN]
    if risky:
        table = Table("risk", "entry", "locale", "asked", "below the threshold", "another entry")
        for risk in risky:
            counts = (risk.asked, risk.unsure, risk.elsewhere)
            table.add_row(f"{risk.share:.0%}", Text(risk.entry_id), risk.locale, *map(str, counts))
        output.show(table)
