"""Turns of a real small model over Fanlight's own questions and answers, for the fit.

Decides what is asked: phrasings that the index has not seen, of entries that it has (answerable),
and of a third of the entries that it has not (not answerable, though others are near). The prompt
is `core.device`'s own, the model SmolLM2-135M in llama.cpp at temperature 0, as in a browser.
`python -m models.local.turns FILE --weights GGUF` adds rows to FILE until all are asked; a row is
written as soon as it is there, and what is there is not asked again. With `--kb` and `--queries` it
asks another site's questions (`models.local.others`), to judge the fit and never to make it.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import random
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Final

from core.device import STOP, WINDOW, grounds
from core.prompting.compose import Asked, Window, compose
from core.prompting.quoting import entry_text
from core.prompting.template import DEVICE
from kb import Entry, Index, build_index, load_index, read_entries
from kb.bundled import load_bundled
from models.engines.llama import LlamaEngine, LlamaSettings
from models.engines.protocol import Call, Message, Sampling
from models.local.labels import is_right
from models.local.others import Question, read_others

SITE: Final = "Fanlight"
LOCALES: Final = ("en", "es", "he")
ASKED: Final = {"en": 4, "es": 2, "he": 1}
"""Phrasings that are asked of each entry: the model has little Spanish and no Hebrew."""
HIDDEN: Final = 3
"""Every so manieth entry is not in the index."""
KEPT: Final = 0.5
"""Share of an entry's other phrasings that the index has."""
SEED: Final = 7
REPLY: Final = 64
TIMEOUT_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class Row:
    """One turn as it is kept; `logprobs` are those of the reply's tokens, in hundredths."""

    question: str
    passages: list[str]
    reply: str
    right: bool
    site: str
    locale: str
    style: str
    retrieval: float
    finish: str
    logprobs: list[int]


def own_entries() -> list[Entry]:
    """Fanlight's own questions and answers, in all its languages."""
    found: list[Entry] = []
    for locale in LOCALES:
        name = f"faq.{locale}.md"
        stream = io.StringIO((files("kb") / "data" / name).read_text(encoding="utf-8"))
        found += read_entries(stream, format="markdown", source=name, locale=locale).entries
    return found


def split(entries: Iterable[Entry]) -> tuple[list[Entry], list[Question]]:
    """The entries as the index gets them, and what is asked, in an order without a pattern."""
    draw = random.Random(SEED)  # noqa: S311 - a sample, not a secret
    entries = list(entries)
    names = sorted({entry.id for entry in entries})
    draw.shuffle(names)
    hidden = set(names[::HIDDEN])
    kept, asked = [], []
    for entry in entries:
        variants = list(entry.variants)
        draw.shuffle(variants)
        count = int(KEPT * len(variants))
        asked += [
            Question(text, entry.id, entry.locale)
            for text in variants[count : count + ASKED[entry.locale]]
        ]
        if entry.id not in hidden:
            kept.append(replace(entry, variants=tuple(variants[:count])))
    draw.shuffle(asked)
    # Some stand in another language's entry too.
    known = {text for entry in kept for text in (entry.question, *entry.variants)}
    return kept, [question for question in asked if question.text not in known]


def entries_for(index: Index, question: Question) -> tuple[list[Entry], float]:
    """What a question finds, and how likely the best of it is."""
    hits = grounds(index, question.text, [], locale=question.locale)
    return [hit.entry for hit in hits], max((hit.confidence for hit in hits), default=0.0)


async def said(engine: LlamaEngine, messages: Sequence[Message]) -> tuple[str, list[float], str]:
    """A reply, the log-probability of each of its tokens, and why it ended."""
    call = Call(tuple(messages), Sampling(REPLY, stop=STOP, logprobs=1), TIMEOUT_S)
    text, logprobs, finish = "", [], "length"
    async for piece in engine.generate(call):
        text += piece.text
        logprobs += [token.chosen.logprob for token in piece.logprobs]
        finish = piece.finish or finish
    return text.strip(), logprobs, finish


async def turns(
    engine: LlamaEngine, index: Index, questions: Iterable[Question]
) -> AsyncIterator[Row]:
    """Ask each question, and label the reply."""
    for question in questions:
        entries, retrieval = entries_for(index, question)
        asked = Asked(SITE, question.text, question.locale, entries)
        composed = compose(asked, DEVICE, Window(WINDOW, REPLY))
        messages = [Message(one["role"], one["content"]) for one in composed.prompt.messages]
        reply, logprobs, finish = await said(engine, messages)
        gold = next((one for one in composed.entries if one.id == question.entry_id), None)
        yield Row(
            question.text,
            [entry_text(entry) for entry in composed.entries],
            reply,
            is_right(question.text, reply, entry_text(gold) if gold else None),
            question.entry_id,
            question.locale,
            "answerable" if gold else "not_answerable",
            round(retrieval, 4),
            finish,
            [round(100 * value) for value in logprobs],
        )


def asked_already(path: Path) -> Iterator[str]:
    """The questions that a file has."""
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)["question"]


async def main() -> None:
    """Ask what has not been asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--kb", type=Path, help="JSON Lines of {question, answer}, or gzip")
    parser.add_argument("--queries", type=Path, help="JSON Lines of {q1, q2, similar}, or gzip")
    parser.add_argument("--most", type=int, help="stop after so many")
    told = parser.parse_args()
    if (told.kb is None) != (told.queries is None):
        parser.error("--kb and --queries go together")
    kept, questions = read_others(told.kb, told.queries) if told.kb else split(own_entries())
    table = load_bundled()
    index = load_index(build_index(kept, embedding=table), table)
    known = set(asked_already(told.file))
    left = [question for question in questions if question.text not in known][: told.most]
    engine = LlamaEngine(told.weights, LlamaSettings("llama", WINDOW + REPLY, told.threads))
    await engine.load()
    try:
        with told.file.open("a", encoding="utf-8") as stream:
            async for row in turns(engine, index, left):
                stream.write(json.dumps(asdict(row), ensure_ascii=False) + "\n")
                stream.flush()
    finally:
        await engine.unload()


if __name__ == "__main__":
    asyncio.run(main())
