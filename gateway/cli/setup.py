"""`fanlight init` writes a first configuration; `fanlight check` says whether one is fit to run.

`init` refuses to touch a file that is there. `check` ends with status 1 when anything fails.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final

import click
from rich.text import Text

from gateway.cli.finding import Finding
from gateway.cli.inspection import inspect
from gateway.cli.output import Output, json_option
from gateway.cli.starter import starter_files
from gateway.configuration import examine_settings, find_config

_MARKS: Final = {
    "ok": ("✓", "green"),
    "warned": ("!", "yellow"),
    "failed": ("✗", "red"),
    "skipped": ("–", "dim"),
}
_WIDTH: Final = 16


@click.command("init")
@click.argument("folder", default=".", type=click.Path(path_type=Path, file_okay=False))
@json_option
def init(folder: Path, as_json: bool) -> None:
    """Write a first fanlight.toml and knowledge base into FOLDER; nothing is overwritten."""
    output = Output(as_json)
    written, kept = _write_missing(folder, starter_files(folder))
    steps = _next_steps(folder)
    output.result({"folder": str(folder), "written": written, "kept": kept, "next": steps})
    for name in written:
        output.show(Text.assemble(("✓ ", "green"), f"{folder / name}"))
    for name in kept:
        output.show(Text(f"– {folder / name} is there already, and stays as it is", "dim"))
    output.show("", "What to do next:")
    output.show(*(f"  {number}. {step}" for number, step in enumerate(steps, 1)))


@click.command("check")
@click.option("--config", type=click.Path(path_type=Path), help="Instead of ./fanlight.toml.")
@click.option(
    "--online",
    is_flag=True,
    help="Call PostgreSQL and Redis, and ask the model server for one token (3 s at most).",
)
@json_option
def check(config: Path | None, online: bool, as_json: bool) -> None:
    """Look at the settings, files, knowledge bases and secrets, and name every problem."""
    output = Output(as_json)
    settings, flaws = examine_settings(config, os.environ)
    findings = inspect(settings, flaws, online=online)
    failed = sum(finding.state == "failed" for finding in findings)
    path = str(find_config(config, os.environ))
    rows = [asdict(finding) for finding in findings]
    output.result({"ok": not failed, "config": path, "checks": rows})
    _show(findings, output)
    output.show(_verdict(failed))
    if failed:
        raise SystemExit(1)


def _write_missing(folder: Path, files: Mapping[str, str]) -> tuple[list[str], list[str]]:
    written: list[str] = []
    kept: list[str] = []
    for name, text in files.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            (written if _write_new(path, text) else kept).append(name)
        except OSError as error:
            raise click.ClickException(
                f"{path}: {error.strerror}. Choose a folder that you may write to."
            ) from error
    return written, kept


def _write_new(path: Path, text: str) -> bool:
    """Write the file unless there is one: another's file is never lost."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True


def _next_steps(folder: Path) -> list[str]:
    token = secrets.token_urlsafe(24)
    example, own = folder / ".env.example", folder / ".env"
    where = "" if folder == Path() else f"in {folder}: "
    return [
        f"Copy {example} to {own} and set FANLIGHT_OPERATOR_TOKEN there, for example to {token}",
        f"Put your answers into {folder / 'kb'} and your site into {folder / 'fanlight.toml'}",
        f"Run {where}fanlight check, then fanlight run",
    ]


def _show(findings: list[Finding], output: Output) -> None:
    """One line each, and below what is to be mended its key and its remedy, whole: for copying."""
    for finding in findings:
        mark, style = _MARKS[finding.state]
        title = f"{finding.name:<{_WIDTH}}"
        if finding.state not in ("failed", "warned"):
            output.show(Text.assemble((mark, style), f" {title}", finding.detail))
            continue
        indent = " " * (_WIDTH + 2)
        output.show(Text.assemble((mark, style), f" {title}", (finding.key, "bold")))
        output.show(f"{indent}{finding.detail}", Text(f"{indent}{finding.remedy}", "dim"))


def _verdict(failed: int) -> Text:
    if failed:
        return Text(f"\n{failed} to mend.", "bold red")
    return Text("\nReady: fanlight run", "bold green")
