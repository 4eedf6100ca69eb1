"""The command `fanlight kb nearest`: entries by the meaning that a server of embeddings sees.

Decides what of an entry is embedded, its question with its answer, and that a server which reranks,
where one is set, orders the first of what was found. Refuses to run without a server of embeddings.
What the gateway itself answers with is not changed by it: `fanlight kb ask` shows that.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from math import sumprod
from pathlib import Path
from typing import Final

import click
from rich.table import Table

from core.errors import Unavailable
from core.ports import Embedder, Reranker
from gateway.cli.output import Output, json_option
from gateway.configuration import ConfigurationError, read_settings
from gateway.services import open_encoders
from gateway.settings import Settings
from kb import Entry, IndexFormatError
from kb.load import stored_entries

RERANKED: Final = 32


@dataclass(frozen=True, slots=True)
class Near:
    """An entry with the cosine of its vector, and what a reranker says of it."""

    entry: Entry
    cosine: float
    score: float | None = None


@click.command("nearest")
@click.option(
    "--index", "path", required=True, type=click.Path(path_type=Path),
    help="An index from `kb build`.",
)  # fmt: skip
@click.option("--config", type=click.Path(path_type=Path), help="Instead of ./fanlight.toml.")
@click.option("--limit", default=5, show_default=True, type=click.IntRange(1, RERANKED))
@json_option
@click.argument("question")
def nearest_command(
    path: Path, config: Path | None, limit: int, as_json: bool, question: str
) -> None:
    """Show the entries nearest to QUESTION by the servers of [embeddings] and [rerank]."""
    output = Output(as_json)
    try:
        settings = read_settings(config, os.environ)
        entries = stored_entries(path.read_bytes())
        found = asyncio.run(_nearest(settings, entries, question))[:limit]
    except ConfigurationError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}: see `fanlight kb build`") from error
    except (IndexFormatError, Unavailable) as error:
        raise click.ClickException(str(error)) from error
    rows = [
        {
            "id": each.entry.id,
            "locale": each.entry.locale,
            "question": each.entry.question,
            "cosine": round(each.cosine, 4),
            "score": None if each.score is None else round(each.score, 4),
        }
        for each in found
    ]
    output.result({"question": question, "nearest": rows})
    output.show(_table(found))


async def _nearest(settings: Settings, entries: Sequence[Entry], question: str) -> list[Near]:
    async with open_encoders(settings) as encoders:
        if encoders.embedder is None:
            raise Unavailable("no server of embeddings is set: set embeddings.url and .model")
        found = await _embedded(encoders.embedder, entries, question)
        if encoders.reranker is None:
            return found
        return await _reranked(encoders.reranker, found[:RERANKED], question)


async def _embedded(embedder: Embedder, entries: Sequence[Entry], question: str) -> list[Near]:
    (asked,) = await embedder.embed([question], "query")
    vectors = await embedder.embed([_text(entry) for entry in entries], "passage")
    pairs = zip(entries, vectors, strict=True)
    found = [Near(entry, sumprod(asked, vector)) for entry, vector in pairs]
    return sorted(found, key=lambda each: -each.cosine)


async def _reranked(reranker: Reranker, found: Sequence[Near], question: str) -> list[Near]:
    scores = await reranker.rerank(question, [_text(each.entry) for each in found])
    pairs = zip(found, scores, strict=True)
    scored = [Near(each.entry, each.cosine, score) for each, score in pairs]
    return sorted(scored, key=lambda each: -(each.score or 0.0))


def _text(entry: Entry) -> str:
    return f"{entry.question}\n{entry.answer}"


def _table(found: Sequence[Near]) -> Table:
    table = Table("entry", "", "question", "cosine", "reranked")
    for each in found:
        score = "" if each.score is None else f"{each.score:.3f}"
        question = each.entry.question
        table.add_row(each.entry.id, each.entry.locale, question, f"{each.cosine:.3f}", score)
    return table
