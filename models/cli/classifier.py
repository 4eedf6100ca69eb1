"""`fanlight models classifier`: fit the head of the command classifier, and say how good it is."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import click
import httpx
from rich.table import Table

from core.commands.head import Shares
from core.commands.labels import LABELS
from gateway.cli.output import Output, json_option
from models.commands.evaluate import Report, compare
from models.commands.examples import Example, read_examples, read_feedback
from models.commands.fit import fit, lessons, written
from models.commands.likelihoods import likelihoods_of
from models.errors import ModelError

KEY: Final = "FANLIGHT_MODELS_KEY"
_FILE: Final = click.Path(path_type=Path, dir_okay=False)


@click.group("classifier")
def classifier_group() -> None:
    """The command classifier: how good it is, and its next fit."""


_feedback = click.option(
    "--feedback", type=_FILE, help="What `fanlight commands feedback` wrote: to be learnt from too."
)
_model_url = click.option(
    "--model-url", help="A model server whose likelihoods count, such as http://127.0.0.1:8010/v1."
)
_model = click.option("--model", default="smollm2-135m", show_default=True, help="Its model.")


@classifier_group.command("eval")
@_feedback
@_model_url
@_model
@click.option("--wrong", is_flag=True, help="List every command that was not called what it is.")
@json_option
def eval_command(
    feedback: Path | None, model_url: str | None, model: str, wrong: bool, as_json: bool
) -> None:
    """Fit on all families but those held out, and measure on these, beside the keyword rules."""
    output = Output(as_json)
    examples, told = _gathered(feedback, model_url, model, output)
    reports = compare(examples, told)
    output.result({"held_out": [each.document() for each in reports]})
    for each in reports:
        output.show(*_shown(each))
    if wrong:
        rows = reports[-1].wrong
        output.show(*(f"{label} called {given}: {command}" for command, label, given in rows))


@classifier_group.command("fit")
@click.argument("file", type=_FILE)
@_feedback
@_model_url
@_model
@json_option
def fit_command(
    file: Path, feedback: Path | None, model_url: str | None, model: str, as_json: bool
) -> None:
    """Fit the head on every family, those held out too, and write its weights into FILE."""
    output = Output(as_json)
    examples, told = _gathered(feedback, model_url, model, output)
    head = fit(lessons(examples, told))
    file.write_text(written(head), encoding="utf-8")
    output.result({"file": str(file), "examples": len(examples), "features": len(head.rows)})
    output.show(f"{file}: {len(head.rows)} features from {len(examples)} commands.")


def _gathered(
    feedback: Path | None, model_url: str | None, model: str, output: Output
) -> tuple[list[Example], Mapping[str, Shares] | None]:
    try:
        examples = [*read_examples(), *(read_feedback(feedback) if feedback else ())]
        if model_url is None:
            return examples, None
        key = os.environ.get(KEY, "")
        headers = {"authorization": f"Bearer {key}"} if key else {}
        with httpx.Client(base_url=model_url.rstrip("/") + "/", headers=headers) as client:
            return examples, likelihoods_of(examples, client, model)
    except (ModelError, OSError) as error:
        output.result({"detail": str(error)})
        raise click.ClickException(str(error)) from error


def _shown(each: Report) -> Sequence[str | Table]:
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("is / called")
    for label in LABELS:
        table.add_column(label, justify="right")
    for label in LABELS:
        counts = (str(each.confusion.get((label, given), 0)) for given in LABELS)
        table.add_row(label, *counts)
    deletes = len(each.deletes_as_reads)
    line = (
        f"{each.name}: {each.accuracy:.1%} of {each.count} right, {deletes} DELETE called READ, "
        f"calibration error {each.calibration_error:.3f}"
    )
    return (line, table, *(f"  DELETE called READ: {command}" for command in each.deletes_as_reads))
