"""Which tokens the static embedding has a vector for.

Decides between pieces of a public subword vocabulary (they cover any word) and frequent whole words
(one vector says more than three pieces). Refuses pieces that normalising would change: no text has
them once it is normalised.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kb.embed import START, segment
from kb.normalise import normalise

WORD_SCORE: Final = -9.0
"""Log-probability of a whole word: below any split of it into two likely pieces."""
_LETTERS: Final = re.compile(r"[a-z0-9\u05d0-\u05ea]+\Z")
_LONGEST_PIECE: Final = 24


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Tokens in the order of their ids, and their log-probabilities."""

    names: tuple[str, ...]
    scores: tuple[float, ...]


def read_pieces(tokenizer: Path) -> dict[str, float]:
    """Give the pieces of a Unigram `tokenizer.json` that a normalised text can have."""
    model = json.loads(tokenizer.read_text(encoding="utf-8"))["model"]
    if model.get("type") != "Unigram":
        raise ValueError(f"{tokenizer}: a Unigram tokenizer is needed, not {model.get('type')}")
    pieces: dict[str, float] = {}
    for name, score in model["vocab"]:
        bare = name.removeprefix(START)
        usable = len(bare) <= _LONGEST_PIECE and _LETTERS.match(bare) and normalise(bare) == bare
        if usable:
            pieces[name] = float(score)
    return pieces


def choose(
    counts: Mapping[str, float], pieces: Mapping[str, float], most_pieces: int, most_words: int
) -> Vocabulary:
    """Choose the commonest pieces over the counted words, and the commonest words beside them.

    Single characters always stay, so that every word in a known script has tokens.
    """
    names = list(pieces)
    ids = {name: at for at, name in enumerate(names)}
    scores = [pieces[name] for name in names]
    longest = max(map(len, names))
    used: dict[str, float] = defaultdict(float)
    for word, count in counts.items():
        for token in segment(word, ids, scores, longest):
            used[names[token]] += count
    single = [name for name in names if len(name.removeprefix(START)) == 1]
    ranked = sorted(used, key=lambda name: (-used[name], name))
    alone = set(single)
    common = [name for name in ranked if name not in alone]
    kept = dict.fromkeys((*single, *common[: most_pieces - len(single)]))
    whole = _whole_words(counts, kept, most_words)
    chosen = sorted(kept) + whole
    return Vocabulary(tuple(chosen), tuple(pieces.get(name, WORD_SCORE) for name in chosen))


def _whole_words(counts: Mapping[str, float], kept: Iterable[str], most: int) -> list[str]:
    taken = set(kept)
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    usable = (word for word in ranked if len(word) > 1 and not word.isdigit())
    whole = [START + word for word in usable if START + word not in taken]
    return sorted(whole[:most])
