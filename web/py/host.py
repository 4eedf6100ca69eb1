"""The knowledge base inside a browser's worker: bytes of an index in, answers out.

It decides nothing itself. The gate and the route are ``core``, run here exactly as the gateway runs
them; what ``kb`` refuses (an index of another version, damaged bytes) is refused here unchanged.
The worker passes JSON text both ways, so that no object of one language lives on in the other.
"""

from __future__ import annotations

from core.respond import respond_json
from kb import Index, load_index

__all__ = ["Host", "load"]


class Host:
    """One loaded index, ready to answer."""

    def __init__(self, index: Index) -> None:
        self._index = index

    @property
    def release(self) -> str:
        """The short hash of the index's content."""
        return self._index.release

    def respond(self, request_json: str) -> str:
        """The response of ``core.respond`` to one request, both as JSON text."""
        return respond_json(self._index, request_json)


def load(index_bytes: bytes | memoryview) -> Host:
    """A host over the index in ``index_bytes``.

    Raises ``kb.IndexFormatError`` for bytes that are no index of this version.
    """
    return Host(load_index(bytes(index_bytes)))
