"""How much of what a question needs a short prompt keeps of a long conversation.

Decides the figure: of the turns that a question's answer rests on, the share that is kept whole,
by `distil`, by the last six turns, by the last turns that fit, and by turns drawn at random, all
within the same tokens. Refuses rows that lack a field. Opens nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from core.prompting.budget import estimate
from core.prompting.distil import Embed, Line, distil
from kb.json_rows import json_object, text_field

WINDOW: Final = 6


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation: its lines, and the number of each by its id."""

    lines: Sequence[Line]
    numbers: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Probe:
    """A question about a conversation, and the numbers of the lines that its answer rests on."""

    talk: str
    question: str
    evidence: Sequence[int]


@dataclass(frozen=True, slots=True)
class Recall:
    """Shares of evidence turns that are kept within a budget, over `turns` of `questions`.

    Of the `shares` `blind` is `distil` with no question to look from.
    """

    shares: Mapping[str, float]
    questions: int
    turns: int


def read_talks(lines: Iterable[str], source: str) -> dict[str, Talk]:
    """Conversations from JSON Lines of {conv, dia_id, speaker, text}."""
    found: dict[str, tuple[list[Line], dict[str, int]]] = {}
    for number, text in enumerate(lines, 1):
        if text.strip():
            where = f"{source}:{number}"
            row = json_object(text, where)
            said, numbers = found.setdefault(text_field(row, "conv", where), ([], {}))
            numbers[text_field(row, "dia_id", where)] = len(said)
            said.append(Line(text_field(row, "speaker", where), text_field(row, "text", where)))
    return {name: Talk(said, numbers) for name, (said, numbers) in found.items()}


def read_probes(lines: Iterable[str], source: str, talks: Mapping[str, Talk]) -> list[Probe]:
    """Questions from JSON Lines of {conv, question, evidence}; without evidence they are left out,
    and so are those whose `evidence_ok` is false."""
    found = []
    for number, text in enumerate(lines, 1):
        if text.strip():
            where = f"{source}:{number}"
            row = json_object(text, where)
            name, question = text_field(row, "conv", where), text_field(row, "question", where)
            if name not in talks:
                raise ValueError(f"{where}: there is no conversation {name!r}")
            evidence = _evidence(row, talks[name], where)
            if evidence and row.get("evidence_ok") is not False:
                found.append(Probe(name, question, evidence))
    return found


def _evidence(row: Mapping[str, Any], talk: Talk, where: str) -> list[int]:
    told = row.get("evidence")
    if not isinstance(told, list):
        raise ValueError(f"{where}: evidence must be a list of ids of turns")
    return [talk.numbers[one] for one in told if one in talk.numbers]


def measure(
    talks: Mapping[str, Talk],
    probes: Sequence[Probe],
    embed: Embed,
    budget: int,
    *,
    seed: int = 0,
    told: Callable[[int], None] = lambda _done: None,
) -> Recall:
    """The figures over all probes; `told` hears how many are done."""
    draw = Random(seed)  # noqa: S311 - a baseline, not a secret
    vectors: dict[str, Sequence[float] | None] = {}

    def known(text: str) -> Sequence[float] | None:
        if text not in vectors:
            vectors[text] = embed(text)
        return vectors[text]

    blind = {
        name: _whole(distil(talk.lines, "", budget, embed=known)) for name, talk in talks.items()
    }
    kept = dict.fromkeys(
        ("distil", "words_only", "blind", "last_six", "last_that_fit", "random"), 0
    )
    for done, probe in enumerate(probes, 1):
        lines = talks[probe.talk].lines
        everything = range(len(lines))
        shown = {
            "distil": _whole(distil(lines, probe.question, budget, embed=known)),
            "words_only": _whole(distil(lines, probe.question, budget)),
            "blind": blind[probe.talk],
            "last_six": _filled(lines, everything[: -WINDOW - 1 : -1], budget),
            "last_that_fit": _filled(lines, everything[::-1], budget),
            "random": _filled(lines, draw.sample(everything, len(lines)), budget),
        }
        for name, numbers in shown.items():
            kept[name] += sum(number in numbers for number in probe.evidence)
        told(done)
    turns = sum(len(probe.evidence) for probe in probes)
    shares = {name: count / max(1, turns) for name, count in kept.items()}
    return Recall(shares, len(probes), turns)


def _whole(kept: Iterable[Any]) -> frozenset[int]:
    """What is kept whole: of a cut line nobody knows whether it has what is needed."""
    return frozenset(line.number for line in kept if line.whole)


def _filled(lines: Sequence[Line], order: Iterable[int], budget: int) -> frozenset[int]:
    """The first lines of an order that fit."""
    found = set()
    for number in order:
        cost = estimate(f"{lines[number].speaker}: {lines[number].text}") + 1
        if cost <= budget:
            budget -= cost
            found.add(number)
    return frozenset(found)
