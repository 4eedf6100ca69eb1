"""The knowledge base inside a browser's worker: bytes of an index in, answers out.

It decides nothing itself. The gate and the route are ``core``, run here exactly as the gateway runs
them; what ``kb`` refuses (an index of another version, damaged bytes) is refused here unchanged.
Only the embedding may be missing or damaged: then words alone count. The worker passes JSON text
both ways, so that no object of one language lives on in the other.
"""

from __future__ import annotations

from functools import cached_property
from pkgutil import get_data
from typing import TYPE_CHECKING

from core.browse import topics_json
from core.respond import respond_json, texts_json
from core.risk import FILE, read_topics
from kb import Index, IndexFormatError, load_index
from kb.embed import Embedding, load_embedding

if TYPE_CHECKING:
    from core.device import Device

__all__ = ["Host", "load"]

type Data = bytes | memoryview


class Host:
    """One loaded index, ready to answer; ``embedding`` is the release that it knows meanings by."""

    def __init__(self, index: Index, table: Embedding | None, embedding: str | None) -> None:
        self._index = index
        self._table = table
        self._risk = read_topics(_data(FILE))
        self.embedding = embedding

    @property
    def release(self) -> str:
        """The short hash of the index's content."""
        return self._index.release

    def respond(self, request_json: str) -> str:
        """The response of ``core.respond`` to one request, both as JSON text."""
        return respond_json(self._index, request_json, self._risk)

    @cached_property
    def _device(self) -> Device:
        # Imported when it is first wanted: most visitors run no model, and Python starts sooner.
        from core.confidence.device import FILE as WEIGHTS  # noqa: PLC0415
        from core.device import Device  # noqa: PLC0415

        return Device(self._index, self._table, _data(WEIGHTS))

    def prompt(self, request_json: str) -> str:
        """What a model on this device is given for one request, both as JSON text."""
        return self._device.prompt(request_json)

    def judge(self, request_json: str) -> str:
        """What is shown of such a model's reply, both as JSON text."""
        return self._device.judge(request_json)

    def texts(self) -> str:
        """What an encoder encodes of the index, as JSON text."""
        return texts_json(self._index)

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


def _data(name: str) -> str:
    return (get_data("core", name) or b"").decode()
