"""The commands `fanlight eval kb` and `fanlight eval retrieval`.

Decides how labelled files are opened and what is printed: progress on stderr, the figures on
stdout, one JSON object with `--json`. What a figure means is decided in `kb.evaluate` and
`kb.retrieval`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from gateway.cli.builders import build, meaning
from gateway.cli.confidence import confidence_command, turns_command
from gateway.cli.distil import distil_command
from gateway.cli.learning import learning_command
from gateway.cli.router import router_command
from gateway.cli.safety import eval_safety_command
from gateway.cli.text_files import read_from
from kb import Index, load_index
from kb.evaluate import (
    Labelled,
    correction_of,
    entries_of,
    figures,
    judge,
    marked,
    read_labelled,
    sample_variants,
)
from kb.retrieval import (
    LabelRetriever,
    PassageRetriever,
    measure,
    read_corpus,
    read_questions,
)

_PATH = click.Path(path_type=Path)


@click.group("eval")
def eval_group() -> None:
    """Measure how good the answers are."""


eval_group.add_command(distil_command)
eval_group.add_command(confidence_command)
eval_group.add_command(turns_command)
eval_group.add_command(router_command)
eval_group.add_command(learning_command)
eval_group.add_command(eval_safety_command)


@eval_group.command("kb")
@click.option("--kb", "kb_path", required=True, type=_PATH, help="JSON Lines of {text, label}.")
@click.option(
    "--queries", required=True, type=_PATH, help="JSON Lines of {text, label, answerable}."
)
@click.option("--where", multiple=True, metavar="FIELD=VALUE", help="Keep rows with this value.")
@click.option("--kb-lang", help="Keep rows of the knowledge base whose lang is this.")
@click.option("--query-lang", help="Keep queries whose lang is this.")
@click.option("--near-oos", metavar="FIELD", help="Rows with this field true are out of scope.")
@click.option("--threshold", default=0.55, show_default=True, type=click.FloatRange(0, 1))
@click.option("--variants", type=click.IntRange(1), help="Keep so many texts of a label, drawn.")
@click.option(
    "--marked", "marks", default=0, type=click.IntRange(0),
    help="Queries that the owner marked: they correct the confidence, and are not counted.",
)  # fmt: skip
@click.option(
    "--out-of-scope", default=0.25, show_default=True, type=click.FloatRange(0, 0.95),
    help="Share of questions expected to have no answer.",
)  # fmt: skip
@click.option("--seed", default=0, show_default=True, help="Seed of all that is drawn.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def eval_kb_command(
    *,
    kb_path: Path,
    queries: Path,
    where: tuple[str, ...],
    kb_lang: str | None,
    query_lang: str | None,
    near_oos: str | None,
    threshold: float,
    variants: int | None,
    marks: int,
    out_of_scope: float,
    seed: int,
    as_json: bool,
) -> None:
    """Build an index from labelled texts, ask labelled queries, and print the figures."""
    conditions = dict(_condition(text) for text in where)
    rows = _labelled(kb_path, conditions, near_oos, kb_lang)
    if variants is not None:
        rows = sample_variants(rows, variants, seed)
    entries = entries_of(rows)
    asked = _labelled(queries, conditions, near_oos, query_lang)
    for path, found, option in ((kb_path, entries, "--kb-lang"), (queries, asked, "--query-lang")):
        if not found:
            raise click.ClickException(
                f"{path}: no row is left: check --where, {option} and --near-oos"
            )
    if marks >= len(asked):
        raise click.ClickException(f"--marked {marks}: there are only {len(asked)} queries")
    index = load_index(build(entries, seed=seed, out_of_scope=out_of_scope), meaning())
    if marks:
        index, asked = _corrected(index, asked, marks, seed)
    _print(asdict(figures(judge(index, asked, time.perf_counter, threshold), threshold)), as_json)


@eval_group.command("retrieval")
@click.option(
    "--corpus", required=True, type=_PATH,
    help="JSON Lines of {id, text, lang?}, or of {text, label, lang?}.",
)  # fmt: skip
@click.option(
    "--queries", required=True, type=_PATH,
    help="JSON Lines of {passage, question}, or of {text, label, lang?}.",
)  # fmt: skip
@click.option("--query-lang", help="Language of the questions, such as en.")
@click.option("--corpus-lang", help="Language of the corpus, such as es.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def eval_retrieval_command(
    *,
    corpus: Path,
    queries: Path,
    query_lang: str | None,
    corpus_lang: str | None,
    as_json: bool,
) -> None:
    """Find passages (or labels) by meaning, also across languages, and print the figures."""
    embedding = meaning()
    if embedding is None:
        raise click.ClickException("this installation has no embedding: reinstall fanlight")
    items, labelled = read_from(
        corpus, lambda stream: read_corpus(stream, str(corpus), corpus_lang)
    )
    questions = read_from(queries, lambda stream: read_questions(stream, str(queries), query_lang))
    for path, found in ((corpus, items), (queries, questions)):
        if not found:
            raise click.ClickException(f"{path}: no row is left: check the languages")
    retriever = (LabelRetriever if labelled else PassageRetriever)(items, embedding)
    _print(asdict(measure(retriever, questions, time.perf_counter)), as_json)


def _corrected(
    index: Index, asked: Sequence[Labelled], marks: int, seed: int
) -> tuple[Index, list[Labelled]]:
    """Let an owner mark some of the queries; give the corrected index and the other queries."""
    own, others = marked(asked, marks, seed)
    owned = [(one.text, one.label if one.answerable else None) for one in own]
    return index.corrected(correction_of(index, owned)), others


def _print(found: dict[str, float | int | None], as_json: bool) -> None:
    rounded = {
        name: round(value, 4) if isinstance(value, float) else value
        for name, value in found.items()
    }
    if as_json:
        click.echo(json.dumps(rounded))
    else:
        for name, value in rounded.items():
            click.echo(f"{name:>12}  {'-' if value is None else value}")


def _condition(text: str) -> tuple[str, str]:
    field, equals, value = text.partition("=")
    if not field or not equals:
        raise click.BadParameter(f"{text!r} must be FIELD=VALUE", param_hint="--where")
    return field, value


def _labelled(
    path: Path, where: dict[str, str], near_oos: str | None, language: str | None
) -> list[Labelled]:
    def read(stream: Iterable[str]) -> list[Labelled]:
        rows = read_labelled(stream, str(path), where=where, near_oos=near_oos)
        return [row for row in rows if language in {None, row.locale}]

    return read_from(path, read)
