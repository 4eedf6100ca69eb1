"""Turns of a real small model over our own questions and answers, for the fit.

Decides how they are asked: as the panel asks, with the prompt of `core.device`, a window of 512
tokens, and what an entry said before a question that goes on from it. The model is SmolLM2-135M in
llama.cpp at temperature 0, and a reply that turns in a circle is ended as `writing.ts` ends it.
`python -m models.local.turns FILE --weights GGUF` adds rows to FILE until all are asked; a row is
written as soon as it is there, and what is there is not asked again. With `--kb` and `--queries` it
asks another site's questions (`models.local.others`), to judge the fit and never to make it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from core.device import REPLY, STOP, WINDOW, ground_of, grounds, passages_for
from core.messages import MemoryTurn
from core.prompting.compose import Asked, Composed, Window, compose
from core.prompting.quoting import entry_text
from core.prompting.template import DEVICE
from core.respond import respond
from core.route import Signals
from kb import Hit, Index, build_index, load_index
from kb.bundled import load_bundled
from models.engines.llama import LlamaEngine, LlamaSettings
from models.engines.protocol import Call, Message, Sampling
from models.local.knowledge import Place, Question, places
from models.local.labels import is_right
from models.local.others import read_others

TIMEOUT_S: Final = 300.0
PARAMETERS: Final = 135_000_000
LOOP: Final = re.compile(r"(.{12,200}?)\s*\1\s*\1$", re.DOTALL)
"""The same words three times over, as `web/src/panel/device/writing.ts` has it."""
ON_DEVICE: Final = Signals(network="offline", engine="ready")


@dataclass(frozen=True, slots=True)
class Row:
    """One turn as it is kept; `logprobs` are those of the reply's tokens, in hundredths.

    `site` is the entry that was asked of, which a fold holds whole; `earlier` the question before;
    `route` who would answer without a network; `sentence` that which speaks for the question.
    """

    question: str
    passages: Sequence[str]
    reply: str
    right: bool
    site: str
    locale: str
    style: str
    retrieval: float
    finish: str
    logprobs: list[int]
    earlier: str = ""
    route: str = ""
    speaks: float = 0.0
    sentence: str = ""


def index_of(place: Place) -> Index:
    """The place's index, as its owner would build it."""
    table = load_bundled()
    return load_index(build_index(place.entries, embedding=table), table)


def hits_for(index: Index, question: Question) -> tuple[Hit, ...]:
    """What a question finds, after what was read before it."""
    history = [question.earlier.question] if question.earlier else []
    found = grounds(index, question.text, history, locale=question.locale)
    return found[: passages_for(PARAMETERS)]


def composed_for(place: Place, question: Question, hits: Sequence[Hit]) -> Composed:
    """The prompt, as the panel's Python composes it."""
    before = question.earlier
    turns = (
        [MemoryTurn("user", before.question), MemoryTurn("assistant", before.answer)]
        if before
        else []
    )
    entries = [hit.entry for hit in hits]
    asked = Asked(place.name, question.text, question.locale, entries, turns)
    return compose(asked, DEVICE, Window(WINDOW, REPLY))


async def said(engine: LlamaEngine, messages: Sequence[Message]) -> tuple[str, list[float], str]:
    """A reply, the log-probability of each of its tokens, and why it ended."""
    call = Call(tuple(messages), Sampling(REPLY, stop=STOP, logprobs=1), TIMEOUT_S)
    text, logprobs, finish = "", [], "length"
    async for piece in engine.generate(call):
        text += piece.text
        logprobs += [token.chosen.logprob for token in piece.logprobs]
        finish = piece.finish or finish
        if LOOP.search(text):
            return text.strip(), logprobs, "length"
    return text.strip(), logprobs, finish


async def turns(
    engine: LlamaEngine, place: Place, index: Index, questions: Iterable[Question]
) -> AsyncIterator[Row]:
    """Ask each question, and label the reply."""
    for question in questions:
        hits = hits_for(index, question)
        composed = composed_for(place, question, hits)
        messages = [Message(one["role"], one["content"]) for one in composed.prompt.messages]
        reply, logprobs, finish = await said(engine, messages)
        yield _row(index, question, hits, composed, (reply, logprobs, finish))


def _row(
    index: Index,
    question: Question,
    hits: Sequence[Hit],
    composed: Composed,
    told: tuple[str, list[float], str],
) -> Row:
    reply, logprobs, finish = told
    ground = ground_of(index, question.text, hits, composed.entries)
    gold = next((one for one in composed.entries if one.id == question.entry_id), None)
    text = entry_text(gold) if gold and question.answerable else None
    return Row(
        question.text,
        ground.passages,
        reply,
        is_right(question.text, reply, text, question.facts),
        question.entry_id,
        question.locale,
        "not_answerable" if text is None else "answerable",
        round(ground.retrieval, 4),
        finish,
        [round(100 * value) for value in logprobs],
        question.earlier.question if question.earlier else "",
        _route(index, question),
        round(ground.speaks, 4),
        ground.sentence,
    )


def _route(index: Index, question: Question) -> str:
    history = [question.earlier.question] if question.earlier else []
    told = respond(index, question.text, locale=question.locale, history=history, signals=ON_DEVICE)
    return told.route.target


def asked_already(path: Path) -> Iterator[tuple[str, str]]:
    """The questions that a file has, each with the one before it."""
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            yield row["question"], row["earlier"]


async def main() -> None:
    """Ask what has not been asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--kb", type=Path, help="JSON Lines of {question, answer}, or gzip")
    parser.add_argument("--queries", type=Path, help="JSON Lines of {q1, q2, similar}, or gzip")
    parser.add_argument("--most", type=int, help="stop after so many of a site")
    told = parser.parse_args()
    if (told.kb is None) != (told.queries is None):
        parser.error("--kb and --queries go together")
    sites = [read_others(told.kb, told.queries)] if told.kb else list(places())
    known = set(asked_already(told.file))
    engine = LlamaEngine(told.weights, LlamaSettings("llama", WINDOW + REPLY, told.threads))
    await engine.load()
    try:
        with told.file.open("a", encoding="utf-8") as stream:
            for place in sites:
                left = [
                    one
                    for one in place.questions
                    if (one.text, one.earlier.question if one.earlier else "") not in known
                ]
                async for row in turns(engine, place, index_of(place), left[: told.most]):
                    stream.write(json.dumps(asdict(row), ensure_ascii=False) + "\n")
                    stream.flush()
    finally:
        await engine.unload()


if __name__ == "__main__":
    asyncio.run(main())
