"""The knowledge base: read entries, build a calibrated index, and search it.

Standard library only, synchronous and pure: the same code runs on a server, at the edge and in a
browser.
"""

from kb.codec import IndexFormatError
from kb.entry import Entry, Link, Problem, Reading, SystemText
from kb.index import build_index, load_index
from kb.language import detect_language
from kb.readers import merge_readings, read_entries
from kb.search import Hit, Index

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
    "load_index",
    "merge_readings",
    "read_entries",
]
