"""Collects the training texts: `python -m models.embed.collect --cache DIR --out FILE.jsonl.gz`.

Decides which texts of a source stand beside each other in a row, what is kept of them and in what
order. The rows are sorted and said once, so that the same sources give the same bytes. Refuses a
source it cannot fetch or read; then nothing is written.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Final

from models.embed.archives import fetch_archive, read_members
from models.embed.clean import clean
from models.embed.readers import Texts, read_texts
from models.embed.sources import LANGUAGES, Source, SourceError, load_sources

SOURCES: Final = Path(__file__).parent / "sources.toml"
MAX_WORDS: Final = 60_000
# Of a hundred ways to ask for the weather, the first ones say it all.
MAX_PARAPHRASES: Final = 25

# Where the key is the English text itself.
_KEYED_BY_ENGLISH: Final = frozenset({"po", "mo", "javascript-english"})
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’״׳\"][^\W\d_]+)*")

type Row = dict[str, str]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; gives 0, or 2 with the reason on standard error."""
    options = _parser().parse_args(arguments)
    languages = tuple(options.languages.split(","))
    if not set(languages) <= set(LANGUAGES):
        _say(f"--languages must be among {','.join(LANGUAGES)}, not {options.languages}")
        return 2
    try:
        sources = load_sources(options.sources)
        rows, counts = collect(_chosen(sources, options.only), options.cache, languages)
    except SourceError as error:
        _say(str(error))
        return 2
    _write(options.out, gzipped(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows))
    if options.words:
        _write(options.words, "".join(word_lines(counts)).encode())
    _report(rows)
    return 0


def _chosen(sources: list[Source], name: str | None) -> list[Source]:
    chosen = [source for source in sources if name in (None, source.name)]
    if not chosen:
        raise SourceError(f"--only {name}: no such source; take a name of sources.toml")
    return chosen


def collect(
    sources: Iterable[Source], cache: Path, languages: tuple[str, ...]
) -> tuple[list[Row], dict[str, Counter[str]]]:
    """Give the rows of all sources, and each language's words with their counts."""
    rows: list[Row] = []
    lists: list[tuple[str, dict[str, int]]] = []
    for source in sources:
        texts = _texts_of(source, cache)
        if source.kind == "word":
            lists += [(language, counts_of(found)) for language, found in texts.items()]
            continue
        found = [
            {"source": source.name, "kind": source.kind, **row}
            for unit in align(texts, keyed_by_english=source.format in _KEYED_BY_ENGLISH)
            if (row := clean_unit(unit, languages, names=source.kind == "name"))
        ]
        _say(f"{source.name}: {len(found)} rows")
        rows += found
    rows = once(rows)
    return rows, count_words(rows, lists, languages)


def _texts_of(source: Source, cache: Path) -> dict[str, Texts]:
    texts: dict[str, Texts] = {}
    members = read_members(source, fetch_archive(source, cache))
    for language, files in members.items():
        texts[language] = {}
        for file, data in files.items():
            try:
                found = read_texts(source.format, data)
            except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
                place = file.replace("\x1f", " ")
                raise SourceError(
                    f"source {source.name}: the {language} file of pattern {place} is not"
                    f" {source.format} ({error}); correct format or paths"
                ) from error
            for key, said in found.items():
                texts[language][key if source.kind == "word" else f"{file}\x1e{key}"] = said
    return texts


def align(texts: dict[str, Texts], *, keyed_by_english: bool) -> Iterator[Row]:
    """Put the texts of one key beside each other, a language absent where it has none.

    Where a key has several texts a language they all say the same, so the n-th ones make a row.
    """
    keys = dict.fromkeys(key for of_language in texts.values() for key in of_language)
    for key in keys:
        said = {
            language: found[key][:MAX_PARAPHRASES]
            for language, found in texts.items()
            if key in found
        }
        if keyed_by_english and "en" not in said:
            said["en"] = [key.partition("\x1e")[2]]
        for unit in zip_longest(*said.values()):
            yield {language: text for language, text in zip(said, unit, strict=True) if text}


def clean_unit(unit: Row, languages: tuple[str, ...], *, names: bool) -> Row:
    """Clean each text of a unit; a translation that equals the English is none, unless a name."""
    cleaned = {
        language: text
        for language in languages
        if language in unit and (text := clean(unit[language], language))
    }
    english = cleaned.get("en", "").casefold()
    if not names and cleaned.get("es", "").casefold() == english:
        cleaned.pop("es", None)
    return cleaned


def once(rows: list[Row]) -> list[Row]:
    """Sort the rows and drop each one whose texts all stand in another one already."""
    rows = sorted(rows, key=lambda row: (len(row), [row.get(name, "") for name in _ORDER]))
    seen: set[tuple[tuple[str, str], ...]] = set()
    kept: list[Row] = []
    for row in reversed(rows):
        texts = [(name, row[name]) for name in LANGUAGES if name in row]
        if tuple(texts) in seen:
            continue
        for choice in range(1, 2 ** len(texts)):
            seen.add(tuple(text for place, text in enumerate(texts) if choice >> place & 1))
        kept.append(row)
    return sorted(kept, key=lambda row: [row.get(name, "") for name in _ORDER])


_ORDER: Final = ("kind", "source", *LANGUAGES)


def counts_of(texts: Texts) -> dict[str, int]:
    """Read the counts of a word list; what is no word, or has no count, is passed over."""
    return {
        word.lower(): int(said[0])
        for word, said in texts.items()
        if said[0].isdigit() and _WORD.fullmatch(word)
    }


def count_words(
    rows: Iterable[Row], lists: Iterable[tuple[str, dict[str, int]]], languages: tuple[str, ...]
) -> dict[str, Counter[str]]:
    """Count the words of the rows; a word list weighs as much as all rows of its language."""
    counts: dict[str, Counter[str]] = {language: Counter() for language in languages}
    for row in rows:
        for language in counts.keys() & row.keys():
            counts[language].update(word.lower() for word in _WORD.findall(row[language]))
    totals = {language: max(1, found.total()) for language, found in counts.items()}
    for language, listed in lists:
        if language in counts:
            share = totals[language] / max(1, sum(listed.values()))
            for word, count in listed.items():
                counts[language][word] += max(1, round(count * share))
    return counts


def word_lines(counts: dict[str, Counter[str]]) -> Iterator[str]:
    """Yield `language, word, count` with tabs between, the commonest first."""
    for language, found in counts.items():
        ranked = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
        for word, count in ranked[:MAX_WORDS]:
            yield f"{language}\t{word}\t{count}\n"


def gzipped(lines: Iterable[str]) -> bytes:
    """Compress lines so that the same lines give the same bytes."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as stream:
        for line in lines:
            stream.write(line.encode())
    return buffer.getvalue()


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(data)
    partial.replace(path)


def _report(rows: list[Row]) -> None:
    pairs = Counter("-".join(name for name in LANGUAGES if name in row) for row in rows)
    _say(f"{len(rows)} rows: " + ", ".join(f"{name} {pairs[name]}" for name in sorted(pairs)))


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m models.embed.collect", description=__doc__)
    parser.add_argument("--cache", type=Path, required=True, help="folder of the archives")
    parser.add_argument("--out", type=Path, required=True, help="the rows, as .jsonl.gz")
    parser.add_argument("--words", type=Path, help="the words of each language, as .tsv")
    parser.add_argument("--languages", default=",".join(LANGUAGES))
    parser.add_argument("--only", help="one source, by its name")
    parser.add_argument("--sources", type=Path, default=SOURCES, help="the sources, as TOML")
    return parser


if __name__ == "__main__":
    sys.exit(main())
