"""All texts that the safety head learns from, drawn with a seed.

Decides how much of each kind of text there is: what the templates of this project can say, what the
packages hold, and of harmless texts enough of everything that visitors may write - questions, parts
of sentences, names, words in no order.
"""

from __future__ import annotations

import random
import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from kb.embed import START, Embedding
from models.embed.collect import collect
from models.embed.sources import LANGUAGES, load_sources
from models.safety.sources import HARMLESS, LABELS, Text, load_corpora, read_corpora

SEED: Final = 29
DRAWS: Final = 10
"""Texts of one line of the templates at most."""
INTERFACE: Final = 6_000
MIXES: Final = 2_500
LONGEST_MIX: Final = 8
SHORTEST: Final = 8
EMBED_SOURCES: Final = Path(__file__).parents[1] / "embed" / "sources.toml"

_SLOT: Final = re.compile(r"\{(\w+)\}")


def gather(cache: Path, embedding: Embedding) -> list[Text]:
    """The texts of all sources; packages are fetched into `cache`. Raises `SourceError`."""
    corpora, harmless = load_corpora()
    spoken = [*written(), *own_questions()]
    shown = interface(harmless, cache)
    found = [*spoken, *read_corpora(corpora, cache, SEED), *shown]
    found += mixes([each.text for each in (*spoken, *shown) if each.label == HARMLESS], embedding)
    return list({each.text: each for each in found if each.text.strip()}.values())


def written() -> list[Text]:
    """What the templates say, some texts a line."""
    rng = random.Random(SEED)  # noqa: S311 (draws examples, no secret)
    found = []
    for language in LANGUAGES:
        told = read_templates(language)
        slots = told.pop("slots")
        for label, table in told.items():
            for number, line in enumerate(table["lines"]):
                texts = {say(line, slots, rng) for _ in range(2 * DRAWS)}
                group = f"{language} {label} {number}"
                found += [Text(text, label, group) for text in sorted(texts)[:DRAWS]]
    return found


def read_templates(language: str) -> dict[str, Any]:
    """The slots and the lines of one language, by label."""
    text = (files("models.safety") / "templates" / f"{language}.toml").read_text(encoding="utf-8")
    told = tomllib.loads(text)
    unknown = told.keys() - {"slots", *LABELS}
    if unknown:
        raise ValueError(f"{language}.toml: there is no kind {min(unknown)!r}")
    return told


def say(line: str, slots: dict[str, list[str]], rng: random.Random) -> str:
    """A line with its slots filled, and theirs."""
    while _SLOT.search(line):
        line = _SLOT.sub(lambda slot: rng.choice(slots[slot[1]]), line)
    return " ".join(line.split())


def own_questions() -> list[Text]:
    """Harmless questions that come with the project: the background's, and those of the FAQ."""
    lines = (files("kb") / "background.txt").read_text(encoding="utf-8").splitlines()
    found = [line for line in lines if line and not line.startswith("#")]
    for language in LANGUAGES:
        text = (files("kb") / "data" / f"faq.{language}.md").read_text(encoding="utf-8")
        found += [line.removeprefix("- also: ").lstrip("# ") for line in text.splitlines()]
    return [Text(line, HARMLESS, line) for line in found if len(line) > SHORTEST]


def interface(names: list[str], cache: Path) -> list[Text]:
    """Harmless texts of the packages that the embedding was made from."""
    sources = [source for source in load_sources(EMBED_SOURCES) if source.name in names]
    rows, _ = collect(sources, cache, LANGUAGES)
    texts = sorted(
        {text for row in rows for key, text in row.items() if key in LANGUAGES}
        - {text for row in rows for text in row.values() if len(text) <= SHORTEST}
    )
    random.Random(SEED).shuffle(texts)  # noqa: S311 (draws examples, no secret)
    return [Text(text, HARMLESS, text) for text in texts[:INTERFACE]]


def mixes(texts: list[str], embedding: Embedding) -> list[Text]:
    """Harmless words in no order: half from harmless texts, half from what the embedding knows."""
    rng = random.Random(SEED)  # noqa: S311 (draws examples, no secret)
    said = [word for text in texts for word in text.split()]
    known = [name.removeprefix(START) for name in embedding.names() if name.startswith(START)]
    found = [
        " ".join(rng.choice(pool) for _ in range(rng.randint(1, LONGEST_MIX)))
        for _ in range(MIXES // 2)
        for pool in (said, known)
    ]
    return [Text(text, HARMLESS, text) for text in found]
