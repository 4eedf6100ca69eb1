"""The command `fanlight eval safety`: how good the safety head is, on files of your own.

Decides how the files are read and what is printed; what a figure means is decided in
`core.safety.measure`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from core.safety.kinds import KINDS
from core.safety.measure import Share, measure, texts_of
from gateway.adapters.safety_head import load_safety_head
from gateway.cli.builders import meaning
from gateway.cli.output import Output, json_option
from gateway.cli.text_files import read_from

_FILE = click.Path(path_type=Path)


@click.command("safety")
@click.option("--prompts", type=_FILE, help="JSON Lines of {text, kind, source?}: shares by kind.")
@click.option(
    "--queries", multiple=True, type=_FILE,
    help="JSON Lines of {text}, {question} or {turns: [{text}]} that are all harmless.",
)  # fmt: skip
@json_option
def eval_safety_command(prompts: Path | None, queries: tuple[Path, ...], as_json: bool) -> None:
    """Judge texts, and print how many are kept from models and how many are flagged as what."""
    output = Output(as_json)
    head = load_safety_head(meaning())
    if head is None:
        raise click.ClickException("the safety head cannot judge: reinstall fanlight")
    named: dict[str, list[str]] = {}
    for row in _rows(prompts) if prompts else ():
        name = " ".join(str(row[key]) for key in ("kind", "source") if key in row) or str(prompts)
        named.setdefault(name, []).extend(texts_of(row))
    for path in queries:
        named[str(path)] = [text for row in _rows(path) for text in texts_of(row)]
    if not any(named.values()):
        raise click.ClickException("there is no text: name a file by --prompts or --queries")
    shares, (half, slowest) = measure(head, named.items(), time.perf_counter)
    output.result(
        {
            "thresholds": dict(zip(KINDS, head.weights.thresholds, strict=True)),
            "texts": {each.name: each.document() for each in shares},
            "milliseconds": {"p50": round(half * 1e3, 3), "p99": round(slowest * 1e3, 3)},
        }
    )
    output.show(*map(_line, shares), f"{half * 1e3:.2f} ms a text (p99 {slowest * 1e3:.2f})")


def _rows(path: Path) -> list[dict[str, Any]]:
    return read_from(path, lambda stream: list(_parsed(stream, path)))


def _parsed(lines: Iterable[str], path: Path) -> Iterable[dict[str, Any]]:
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise click.ClickException(f"{path}, line {number}: not JSON: {error}") from error
        if not isinstance(row, dict) or not texts_of(row):
            raise click.ClickException(f"{path}, line {number}: no text, question or turns")
        yield row


def _line(each: Share) -> str:
    flagged = ", ".join(f"{kind} {each.flagged[kind]:.1%}" for kind in KINDS)
    return f"{each.name}: {each.unsafe:.1%} of {each.count} kept from models ({flagged})"
