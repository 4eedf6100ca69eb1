"""A teacher that remembers: its vectors are kept on disk, for encoding takes most of the time.

Decides the file's form (float16, by text). Refuses nothing; another teacher needs another file.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.embed.encoder import Encoder

type Vectors = NDArray[np.float32]

_TELL_S: Final = 20


class Cached:
    """An encoder before a file of the vectors that it has given."""

    def __init__(self, encoder: Encoder, path: Path) -> None:
        self._encoder = encoder
        self._path = path

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Give float32 vectors of shape (texts, width), each of length one."""
        known = self._read()
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        if missing:
            say(f"{self._path.stem}: {len(missing):,} texts")
            known |= dict(
                zip(missing, self._encoder.encode(missing, self._progress()), strict=True)
            )
            self._write(known)
        return np.stack([known[text] for text in texts])

    def _read(self) -> dict[str, Vectors]:
        if not self._path.exists():
            return {}
        with np.load(self._path, allow_pickle=False) as kept:
            vectors = kept["vectors"].astype(np.float32)
            return dict(zip(kept["texts"].tolist(), vectors, strict=True))

    def _write(self, known: dict[str, Vectors]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        names = list(known)
        vectors = np.stack([known[name] for name in names]).astype(np.float16)
        np.savez(self._path, texts=np.array(names), vectors=vectors)

    def _progress(self) -> _Teller:
        return _Teller(self._path.stem)


class _Teller:
    """Says every now and then how far it is."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._told = time.monotonic()

    def __call__(self, share: float) -> None:
        if time.monotonic() - self._told > _TELL_S:
            self._told = time.monotonic()
            say(f"{self._name}: {share:.0%}")


def say(text: str) -> None:
    """Tell the person who waits."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
