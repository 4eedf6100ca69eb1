"""`fanlight models safety`: fit the safety head, and say which prompts it had seen the like of."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

import click

from core.safety.head import Head
from core.safety.measure import measure, texts_of
from gateway.cli.output import Output, json_option
from kb.bundled import load_bundled
from kb.embed import Embedding
from models.embed.sources import SourceError
from models.safety.examples import gather
from models.safety.fit import fit, written
from models.safety.sources import Text
from models.safety.unseen import unseen

_FILE: Final = click.Path(path_type=Path, dir_okay=False)
_FOLDER: Final = click.Path(path_type=Path, file_okay=False)

_cache = click.option(
    "--cache", type=_FOLDER, required=True, help="Where the packages' archives are kept."
)


@click.group("safety")
def safety_group() -> None:
    """The safety head: its next fit."""


@safety_group.command("fit")
@click.argument("file", type=_FILE)
@_cache
@json_option
def fit_command(file: Path, cache: Path, as_json: bool) -> None:
    """Fetch the texts, fit the head, and write its weights into FILE."""
    output = Output(as_json)
    texts, embedding = _gathered(cache)
    weights = fit(texts, embedding, output.tell)
    file.write_text(written(weights), encoding="utf-8")
    labels = Counter(each.label for each in texts)
    output.result({"file": str(file), "texts": labels, "features": len(weights.rows)})
    output.show(f"{file}: {len(weights.rows)} features from {len(texts)} texts.")


@safety_group.command("eval")
@click.argument("file", type=_FILE)
@_cache
@click.option("--prompts", type=_FILE, required=True, help="JSON Lines of {text, kind, source?}.")
@json_option
def eval_command(file: Path, cache: Path, prompts: Path, as_json: bool) -> None:
    """Fit the head anew on all texts but those that share a run of words with a prompt."""
    output = Output(as_json)
    texts, embedding = _gathered(cache)
    rows = _rows(prompts)
    asked = [text for row in rows for text in texts_of(row)]
    kept = unseen(texts, asked)
    output.tell(f"{len(texts) - len(kept)} of {len(texts)} texts share a run of words")
    head = Head(fit(kept, embedding, output.tell), embedding)
    file.write_text(written(head.weights), encoding="utf-8")
    named: dict[str, list[str]] = {}
    for row in rows:
        name = " ".join(str(row[key]) for key in ("kind", "source") if key in row)
        named.setdefault(name, []).extend(texts_of(row))
    shares, _ = measure(head, named.items(), lambda: 0.0)
    output.result({"texts": len(kept), "shares": {each.name: each.document() for each in shares}})
    output.show(*(f"{each.name}: {each.unsafe:.1%} of {each.count}" for each in shares))


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
        # Not splitlines: JSON may hold other ends of lines unescaped.
        return [json.loads(line) for line in text.split("\n") if line]
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{path}: {error}") from error


def _gathered(cache: Path) -> tuple[list[Text], Embedding]:
    embedding = load_bundled()
    if embedding is None:
        raise click.ClickException("this installation has no embedding: reinstall fanlight")
    try:
        return gather(cache, embedding), embedding
    except SourceError as error:
        raise click.ClickException(str(error)) from error
