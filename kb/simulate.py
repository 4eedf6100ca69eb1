"""Who will ask: users simulated from the knowledge base, since nobody has labelled real ones.

Decides which phrasings are kept back, which entries are hidden so that their questions have no
answer, how a text is spoiled by typing and rewording, and how much each kind weighs. Refuses to
run long: each kind is sampled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, Protocol

from kb.choice import Situation
from kb.evidence import situation
from kb.features import STOP_STEMS, text_key
from kb.find import Finder
from kb.normalise import stem

HIDDEN: Final = 0.2
HELD_OUT: Final = 0.2
FEW: Final = 5
"""Phrasings under which a unit's are reworded too: holding out one of three asks too much."""
KEPT: Final = 0.45
"""Share of a question's words that a reworded one has too."""
_EFFORT: Final = ((60_000, 5, 300), (400_000, 3, 400), (None, 2, 700))
"""Rounds, and questions of a kind in a round, up to so many phrasings times entries: large
knowledge bases need fewer rounds for as many questions, and each takes longer."""
_EVIDENCE: Final = (2.0, 0.5)
"""Weight of all situations, a unit and a phrasing: copies of a question are not independent."""
IN_SCOPE: Final = ("clean", "noised", "reworded")
OUT_OF_SCOPE: Final = ("hidden", "background")


class Bench(Protocol):
    """A knowledge base that can be searched with some of its phrasings only."""

    texts: Sequence[str]
    unit_of: Sequence[int]
    unit_ids: Sequence[str]

    def finder(self, kept: Sequence[int], background: Sequence[str]) -> Finder:
        """Give a finder over the phrasings `kept`; `background` is what nobody answers."""
        ...


@dataclass(frozen=True, slots=True)
class _Case:
    kind: str
    text: str
    expected: str | None


def simulate(
    bench: Bench,
    background: Sequence[str],
    *,
    seed: int,
    out_of_scope: float,
    progress: Callable[[float], None] = lambda _: None,
) -> list[Situation]:
    """Ask the simulated questions, and give what was seen with what would have been right."""
    rounds, most = _effort(len(bench.texts) * len(bench.unit_ids))
    known = {text_key(text) for text in bench.texts}
    strangers = [text for text in background if text_key(text) not in known]
    seen: dict[str, list[Situation]] = {}
    for number in range(rounds):
        rng = Random(f"{seed}:{number}")  # noqa: S311 (repeatable, nothing secret)
        own = rng.sample(strangers, len(strangers))
        taught, unheard = own[: len(own) // 2], own[len(own) // 2 :]
        kept, cases = _split(bench, unheard, rng, most)
        finder = bench.finder(kept, taught)
        for at, case in enumerate(cases):
            if at % 50 == 0:
                progress((number + at / len(cases)) / rounds)
            _, clues = finder.find(case.text)
            seen.setdefault(case.kind, []).append(situation(clues, bench.unit_ids, case.expected))
    total = _EVIDENCE[0] * len(bench.unit_ids) + _EVIDENCE[1] * len(bench.texts)
    return _weigh(seen, total, out_of_scope)


def _effort(size: int) -> tuple[int, int]:
    return next((rounds, most) for limit, rounds, most in _EFFORT if limit is None or size <= limit)


def _weigh(
    seen: Mapping[str, Sequence[Situation]], total: float, out_of_scope: float
) -> list[Situation]:
    """Give in-scope and out-of-scope situations their declared shares, each kind its part."""
    weighed: list[Situation] = []
    for kinds, share in ((IN_SCOPE, 1 - out_of_scope), (OUT_OF_SCOPE, out_of_scope)):
        present = [kind for kind in kinds if seen.get(kind)]
        for kind in present:
            weight = total * share / len(present) / len(seen[kind])
            weighed += [Situation(one.candidates, one.right, weight) for one in seen[kind]]
    return weighed


def _split(
    bench: Bench, background: Sequence[str], rng: Random, most: int
) -> tuple[list[int], list[_Case]]:
    """Hide some entries, keep back some phrasings; give what is kept, and the questions."""
    ids = sorted(set(bench.unit_ids))
    hidden = set(rng.sample(ids, max(1, round(HIDDEN * len(ids))) if len(ids) > 1 else 0))
    texts = bench.texts
    kept: list[int] = []
    cases: dict[str, list[_Case]] = {kind: [] for kind in (*IN_SCOPE, *OUT_OF_SCOPE)}
    of_unit: dict[int, list[int]] = {}
    for number, unit in enumerate(bench.unit_of):
        of_unit.setdefault(unit, []).append(number)
    for unit, numbers in of_unit.items():
        own = bench.unit_ids[unit]
        if own in hidden:
            cases["hidden"] += [_Case("hidden", texts[n], None) for n in numbers]
            continue
        held = {n for n in numbers if rng.random() < HELD_OUT} if len(numbers) > 1 else set()
        held = held if len(held) < len(numbers) else set(numbers[1:])
        kept += [n for n in numbers if n not in held]
        cases["clean"] += [_Case("clean", texts[n], own) for n in sorted(held)]
        cases["noised"] += [_Case("noised", texts[n], own) for n in sorted(held)]
        if len(numbers) < FEW:
            source = rng.choice([n for n in numbers if n not in held])
            cases["reworded"].append(_Case("reworded", texts[source], own))
    cases["background"] = [_Case("background", text, None) for text in background]
    return kept, _sampled(cases, background, rng, most)


def _sampled(
    cases: dict[str, list[_Case]], background: Sequence[str], rng: Random, most: int
) -> list[_Case]:
    fillers = [word for text in background for word in text.split()] or ["something"]
    change = {"noised": spoil, "reworded": reword}
    chosen: list[_Case] = []
    for kind, every in cases.items():
        some = every if len(every) <= most else rng.sample(every, most)
        for case in some:
            text = change[kind](case.text, rng, fillers) if kind in change else case.text
            chosen.append(_Case(kind, text, case.expected))
    return chosen


def reword(text: str, rng: Random, fillers: Sequence[str]) -> str:
    """Give the text as another visitor might ask the same: about half of its words, among others.

    It stands in for the variants that an entry with nothing but its question lacks.
    """
    parts = text.split()
    content = [at for at, word in enumerate(parts) if stem(word.lower()) not in STOP_STEMS]
    kept = rng.choice(content) if content else 0
    said: list[str] = []
    for at, word in enumerate(parts):
        chance = rng.random()
        if at == kept or chance < KEPT:
            said.append(word)
        elif chance < (1 + KEPT) / 2:
            said.append(rng.choice(fillers))
    return " ".join(said)


def spoil(text: str, rng: Random, fillers: Sequence[str]) -> str:
    """Give the text as a hurried user might write it: a word dropped, reworded or misspelt."""
    parts = text.split()
    content = [at for at, word in enumerate(parts) if stem(word.lower()) not in STOP_STEMS]
    if not content:
        return text
    at = rng.choice(content)
    change = rng.random()
    if change < 1 / 3 and len(parts) > 2:
        del parts[at]
    elif change < 2 / 3 and len(content) > 1:
        parts[at] = rng.choice(fillers)
    else:
        parts[at] = misspell(parts[at], rng)
    return " ".join(parts)


def misspell(word: str, rng: Random) -> str:
    """Swap two letters, drop one or double one; a word of under four letters stays."""
    if len(word) < 4:
        return word
    at = rng.randrange(1, len(word) - 1)
    match rng.randrange(3):
        case 0:
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        case 1:
            return word[:at] + word[at + 1 :]
        case _:
            return word[:at] + word[at] + word[at:]
