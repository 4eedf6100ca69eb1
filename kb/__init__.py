"""The knowledge base: read entries, build a calibrated index, and search it.

Standard library only, synchronous and pure: the same code runs on a server, at the edge and in a
browser. What only an owner's machine needs, reading and building, is imported when first used: a
browser loads and searches, and starts sooner without the rest.
"""

import importlib
import typing

from kb.codec import IndexFormatError
from kb.entry import Entry, Link, Problem, Reading, SystemText
from kb.follow import follow_up
from kb.language import detect_language
from kb.load import load_index
from kb.search import Hit, Index

if typing.TYPE_CHECKING:
    from kb.build import build_index
    from kb.readers import merge_readings, read_entries

__all__ = [
    "Entry",
    "Hit",
    "Index",
    "IndexFormatError",
    "Link",
    "Problem",
    "Reading",
    "SystemText",
    "build_index",
    "detect_language",
    "follow_up",
    "load_index",
    "merge_readings",
    "read_entries",
]

_ON_FIRST_USE: typing.Final = {
    "build_index": "kb.build",
    "merge_readings": "kb.readers",
    "read_entries": "kb.readers",
}


def __getattr__(name: str) -> object:
    """Import one of the names that a browser has no use for."""
    module = _ON_FIRST_USE.get(name)
    if module is None:
        raise AttributeError(f"module 'kb' has no attribute {name!r}")
    return getattr(importlib.import_module(module), name)
