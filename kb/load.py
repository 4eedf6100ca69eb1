"""From the bytes of an index to something that can be searched.

Decides nothing that was not decided at build time. Refuses bytes that another version wrote, and
damaged ones, in one error; it imports no more than a browser needs.
"""

from __future__ import annotations

import json
from array import array
from typing import Any, cast

from kb.calibrate import Calibration
from kb.codec import VOCABULARY, IndexFormatError, Section, decode
from kb.entry import Entry, Link
from kb.rank import Ranker
from kb.search import ExactKeys, Index
from kb.tables import Postings, Tables
from kb.vocabulary import Vocabulary


def load_index(data: bytes) -> Index:
    """Read an index. Raises `IndexFormatError` for bytes that this version did not write."""
    sections, release = decode(data)
    try:
        return _unpack(sections, release)
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise IndexFormatError(f"damaged index: {error!r}; build it again") from error


def _entry(row: list[Any]) -> Entry:
    links = tuple(Link(title, url) for title, url in row[5])
    return Entry(row[0], row[1], row[2], row[3], tuple(row[4]), links, tuple(row[6]), bool(row[7]))


def _unpack(sections: dict[str, Section], release: str) -> Index:
    def names(section: str) -> dict[str, int]:
        text = cast(str, sections[section])
        return {name: number for number, name in enumerate(text.split("\n"))} if text else {}

    def arrays(*wanted: str) -> list[Any]:
        return [sections[name] for name in wanted]

    def block(name: str) -> Postings:
        fields = ("idf", "starts", "phrasings", "scales")
        idf, starts, phrasings, scales = arrays(*(f"{name}_{field}" for field in fields))
        return Postings(idf, starts, phrasings, scales, arrays(f"{name}_unseen")[0][0])

    vocabulary = Vocabulary(
        names("word_names"), names("gram_names"),
        *arrays(*VOCABULARY),
    )  # fmt: skip
    tables = Tables(block("words"), block("pairs"), *arrays("unit_of", "unit_starts", "unit_norms"))
    pair_keys = cast("array[int]", sections["pair_keys"])
    meta = json.loads(cast(str, sections["meta"]))
    return Index(
        entries=[_entry(row) for row in json.loads(cast(str, sections["entries"]))],
        ranker=Ranker(tables, vocabulary, dict(zip(pair_keys, range(len(pair_keys)), strict=True))),
        calibration=Calibration(tuple(meta["coefficients"])),
        exact=ExactKeys(*arrays("key_digests", "key_phrasings")),
        release=release,
    )
