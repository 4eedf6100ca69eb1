"""Who will ask: users simulated from the knowledge base, since nobody has labelled real ones.

Decides which phrasings are kept back, which entries are hidden so that their questions have no
answer, how a text is spoiled by typing and rewording, and how much each kind weighs. Refuses to
run long: each kind is sampled.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
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
HIDDEN_PART: Final = 0.4
"""The part of the questions without an answer that asks for hidden entries. Their phrasings are
the nearest strangers that there can be: what real visitors ask in vain is mostly further off."""


class Bench(Protocol):
    """A knowledge base that can be searched with some of its phrasings only."""

    texts: Sequence[str]
    unit_of: Sequence[int]
    unit_ids: Sequence[str]

    def finder(self, kept: Sequence[int], background: Sequence[str]) -> Finder:
        """Give a finder over the phrasings `kept`; `background` is what nobody answers."""
        ...


@dataclass(frozen=True, slots=True)
class Case:
    """One simulated question of a kind, with the entry id that would be right; None: none is."""

    kind: str
    text: str
    expected: str | None


@dataclass(frozen=True, slots=True)
class Round:
    """A knowledge base that lacks some of its texts, and the questions to ask it, with kinds."""

    finder: Finder
    cases: Sequence[Case]


def simulate(
    bench: Bench,
    background: Sequence[str],
    *,
    seed: int,
    out_of_scope: float,
    progress: Callable[[float], None] = lambda _: None,
) -> list[Situation]:
    """Ask the simulated questions, and give what was seen with what would have been right."""
    seen: dict[str, list[Situation]] = {}
    every = round_count(bench)
    for number, one in enumerate(rounds(bench, background, str(seed))):
        for at, case in enumerate(one.cases):
            if at % 50 == 0:
                progress((number + at / len(one.cases)) / every)
            _, clues = one.finder.find(case.text)
            seen.setdefault(case.kind, []).append(situation(clues, bench.unit_ids, case.expected))
    total = _EVIDENCE[0] * len(bench.unit_ids) + _EVIDENCE[1] * len(bench.texts)
    return _weigh(seen, total, out_of_scope)


def rounds(bench: Bench, background: Sequence[str], seed: str) -> Iterator[Round]:
    """Give the simulated questions round by round, each beside what may be known when it is asked.

    Another seed hides other entries and asks other questions.
    """
    _, most = _effort(len(bench.texts) * len(bench.unit_ids))
    known = {text_key(text) for text in bench.texts}
    strangers = [text for text in background if text_key(text) not in known]
    for number in range(round_count(bench)):
        rng = Random(f"{seed}:{number}")  # noqa: S311 (repeatable, nothing secret)
        own = rng.sample(strangers, len(strangers))
        taught, unheard = own[: len(own) // 2], own[len(own) // 2 :]
        kept, cases = _split(bench, unheard, rng, most)
        yield Round(bench.finder(kept, taught), cases)


def round_count(bench: Bench) -> int:
    """Give how many rounds there are: the larger the knowledge base, the fewer."""
    return _effort(len(bench.texts) * len(bench.unit_ids))[0]


def shares(kinds: Collection[str], out_of_scope: float) -> dict[str, float]:
    """Give each kind that is there its share of all questions: `out_of_scope` for those without an
    answer (`HIDDEN_PART` of it for hidden entries), the rest in equal parts for the others."""
    found: dict[str, float] = {}
    for group, share in (
        (dict.fromkeys(IN_SCOPE, 1.0), 1 - out_of_scope),
        (dict(zip(OUT_OF_SCOPE, (HIDDEN_PART, 1 - HIDDEN_PART), strict=True)), out_of_scope),
    ):
        parts = {kind: part for kind, part in group.items() if kind in kinds}
        whole = sum(parts.values())
        found |= {kind: share * part / whole for kind, part in parts.items()}
    return found


def _effort(size: int) -> tuple[int, int]:
    return next((rounds, most) for limit, rounds, most in _EFFORT if limit is None or size <= limit)


def _weigh(
    seen: Mapping[str, Sequence[Situation]], total: float, out_of_scope: float
) -> list[Situation]:
    """Give in-scope and out-of-scope situations their declared shares, each kind its part."""
    weighed: list[Situation] = []
    for kind, share in shares(seen, out_of_scope).items():
        weight = total * share / len(seen[kind])
        weighed += [Situation(one.candidates, one.right, weight) for one in seen[kind]]
    return weighed


def _split(
    bench: Bench, background: Sequence[str], rng: Random, most: int
) -> tuple[list[int], list[Case]]:
    """Hide some entries, keep back some phrasings; give what is kept, and the questions."""
    ids = sorted(set(bench.unit_ids))
    hidden = set(rng.sample(ids, max(1, round(HIDDEN * len(ids))) if len(ids) > 1 else 0))
    texts = bench.texts
    kept: list[int] = []
    cases: dict[str, list[Case]] = {kind: [] for kind in (*IN_SCOPE, *OUT_OF_SCOPE)}
    of_unit: dict[int, list[int]] = {}
    for number, unit in enumerate(bench.unit_of):
        of_unit.setdefault(unit, []).append(number)
    for unit, numbers in of_unit.items():
        own = bench.unit_ids[unit]
        if own in hidden:
            cases["hidden"] += [Case("hidden", texts[n], None) for n in numbers]
            continue
        held = {n for n in numbers if rng.random() < HELD_OUT} if len(numbers) > 1 else set()
        held = held if len(held) < len(numbers) else set(numbers[1:])
        kept += [n for n in numbers if n not in held]
        cases["clean"] += [Case("clean", texts[n], own) for n in sorted(held)]
        cases["noised"] += [Case("noised", texts[n], own) for n in sorted(held)]
        if len(numbers) < FEW:
            source = rng.choice([n for n in numbers if n not in held])
            cases["reworded"].append(Case("reworded", texts[source], own))
    cases["background"] = [Case("background", text, None) for text in background]
    return kept, _sampled(cases, background, rng, most)


def _sampled(
    cases: dict[str, list[Case]], background: Sequence[str], rng: Random, most: int
) -> list[Case]:
    fillers = [word for text in background for word in text.split()] or ["something"]
    change = {"noised": spoil, "reworded": reword}
    chosen: list[Case] = []
    for kind, every in cases.items():
        some = every if len(every) <= most else rng.sample(every, most)
        for case in some:
            text = change[kind](case.text, rng, fillers) if kind in change else case.text
            chosen.append(Case(kind, text, case.expected))
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
