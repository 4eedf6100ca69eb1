"""What an app is given: its services, already built by a composition root."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.jose import thumbprint
from core.ports import Cache, Clock, Random, Signer, Target, Transport, Truth, Verifier
from gateway.bell import Bell
from gateway.settings import Settings
from kb import Index, load_index
from kb.embed import Embedding


@dataclass(frozen=True, slots=True)
class PackedEmbedding:
    """An embedding: ready to use, and as the bytes that browsers fetch."""

    table: Embedding
    packed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SiteKnowledge:
    """A site's knowledge base: searchable, and as the bytes that browsers fetch.

    `embedding` is the one that the index was built with; None where it is asked by words alone.
    """

    index: Index
    packed: bytes = field(repr=False)
    embedding: PackedEmbedding | None = None


def load_knowledge(packed: bytes, embedding: PackedEmbedding | None) -> SiteKnowledge:
    """Load an index beside an embedding; one that it was not built with is left aside.

    Raises `kb.IndexFormatError`.
    """
    index = load_index(packed, embedding.table if embedding else None)
    fits = embedding is not None and embedding.table.release == index.embedding
    return SiteKnowledge(index, packed, embedding if fits else None)


@dataclass(frozen=True, slots=True)
class WebFile:
    """A built web asset: its bytes as they are and, where that is smaller, under brotli."""

    content: bytes
    media_type: str
    brotli: bytes | None = None


@dataclass(frozen=True, slots=True)
class Services:
    """The gateway's parts.

    `transport` is None when no model is configured; `web` has the built assets by their path below
    the web folder, and is empty where something else serves them.
    """

    settings: Settings
    clock: Clock
    random: Random
    signer: Signer
    verifier: Verifier
    cache: Cache
    truth: Truth
    transport: Transport | None
    targets: Mapping[str, Target]
    knowledge: Mapping[str, SiteKnowledge]
    web: Mapping[str, WebFile] = field(default_factory=dict)
    bell: Bell = field(default_factory=Bell)

    @property
    def kid(self) -> str:
        """The gateway key's id."""
        return thumbprint(self.signer.jwk)
