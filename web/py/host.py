"""The knowledge base inside a browser's worker: bytes of an index in, answers out.

It decides nothing itself. The gate and the route are ``core``, run here exactly as the gateway runs
them; what ``kb`` refuses (an index of another version, damaged bytes) is refused here unchanged.
Only the embedding may be missing or damaged: then words alone count. The worker passes JSON text
both ways, so that no object of one language lives on in the other.
"""

from __future__ import annotations

from pkgutil import get_data

from core.browse import topics_json
from core.device import embed_with, prompt_json
from core.respond import respond_json
from core.risk import FILE, read_topics
from kb import Index, IndexFormatError, load_index
from kb.embed import Embedding, load_embedding

__all__ = ["Host", "load"]

type Data = bytes | memoryview


class Host:
    """One loaded index, ready to answer; ``embedding`` is the release that it knows meanings by."""

    def __init__(self, index: Index, table: Embedding | None, embedding: str | None) -> None:
        self._index = index
        self._embed = embed_with(table)
        self._risk = read_topics((get_data("core", FILE) or b"{}").decode())
        self.embedding = embedding

    @property
    def release(self) -> str:
        """The short hash of the index's content."""
        return self._index.release

    def respond(self, request_json: str) -> str:
        """The response of ``core.respond`` to one request, both as JSON text."""
        return respond_json(self._index, request_json, self._risk)

    def prompt(self, request_json: str) -> str:
        """What a model on this device is given for one request, both as JSON text."""
        return prompt_json(self._index, request_json, self._embed)

    def topics(self, request_json: str) -> str:
        """What can be asked, as ``core.browse`` lists it, both as JSON text."""
        return topics_json(self._index, request_json)


def load(index_bytes: Data, embedding_bytes: Data | None = None) -> Host:
    """A host over the index in ``index_bytes``, beside the embedding where it can be read.

    Raises ``kb.IndexFormatError`` for bytes that are no index of this version.
    """
    table = _table(embedding_bytes)
    index = load_index(bytes(index_bytes), table)
    fits = table is not None and table.release == index.embedding
    return Host(index, table, table.release if table and fits else None)


def _table(packed: Data | None) -> Embedding | None:
    try:
        return None if packed is None else load_embedding(bytes(packed))
    except IndexFormatError:
        return None
