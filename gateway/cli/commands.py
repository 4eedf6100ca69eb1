"""`fanlight commands`: what a command would do, and what operators said of such answers.

`classify` needs neither a gateway nor a model, and runs nothing. `feedback` reads the store that
the gateway uses, as the lines that the next fit learns from.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Final

import click

from core.commands.ensemble import classify
from core.commands.feedback import MOST_READ, Judgement
from core.encoding import timestamp
from core.errors import Unavailable
from gateway.adapters.command_head import load_command_head
from gateway.adapters.sql.truth import SqlTruth
from gateway.cli.keys import config_option
from gateway.cli.output import Output, as_rows, json_option
from gateway.configuration import ConfigurationError, read_settings

_DAY_S: Final = 86_400.0


@click.group("commands")
def commands_group() -> None:
    """Shell commands and SQL: what they would do."""


@commands_group.command("classify")
@click.argument("command")
@json_option
def classify_command(command: str, as_json: bool) -> None:
    """Say whether COMMAND reads, creates, updates or deletes. Nothing is run."""
    output = Output(as_json)
    found = classify(command, load_command_head())
    output.result(
        {
            "classification": found.label,
            "confidence": round(found.confidence, 4),
            "reasoning": found.reasoning,
            "method": found.method,
        }
    )
    output.show(f"{found.label} ({found.confidence:.0%}, {found.method})", f"  {found.reasoning}")


@commands_group.command("feedback")
@click.option(
    "--days", default=365, show_default=True, type=click.IntRange(1), help="How far back."
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@config_option
@json_option
def feedback_command(days: int, file: Path, config: Path | None, as_json: bool) -> None:
    """Write what operators said of classifications into FILE, a JSON object a line."""
    output = Output(as_json)
    try:
        url = read_settings(config, os.environ).database_url
        found = asyncio.run(_judgements(url, days))
        lines = (json.dumps(_row(each), ensure_ascii=False) + "\n" for each in found)
        file.write_text("".join(lines), encoding="utf-8")
    except ConfigurationError as error:
        output.flaws(error.flaws)
        output.result({"flaws": as_rows(error.flaws)})
        raise SystemExit(1) from error
    except (Unavailable, OSError) as error:
        raise click.ClickException(str(error)) from error
    output.result({"file": str(file), "judgements": len(found)})
    output.show(f"{file}: {len(found)} judgements." if found else f"{file}: nobody said anything.")


async def _judgements(url: str, days: int) -> list[Judgement]:
    truth = SqlTruth(url, clock=time.time)
    await truth.start()
    try:
        return await truth.commands.judgements(time.time() - days * _DAY_S, MOST_READ)
    finally:
        await truth.close()


def _row(each: Judgement) -> dict[str, str]:
    return {
        "command": each.command,
        "given": each.given,
        "expected": each.expected,
        "at": timestamp(each.at),
    }
