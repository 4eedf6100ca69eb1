"""Reads `[embeddings]` and `[rerank]`, with everything that is wrong with them.

Decides what must agree: a server that is named with its model, a kind that there is, and prefixes
only where the server brings none of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from gateway.configuration import rules
from gateway.configuration.encoder_table import EMBEDDING_KINDS, RERANK_KINDS
from gateway.configuration.flaws import Flaw
from gateway.configuration.reader import Values, read_table
from gateway.settings import EmbeddingSettings, RerankSettings, Secret

EMBEDDINGS_URL: Final = "FANLIGHT_EMBEDDINGS_URL"
EMBEDDINGS_MODEL: Final = "FANLIGHT_EMBEDDINGS_MODEL"
EMBEDDINGS_KEY: Final = "FANLIGHT_EMBEDDINGS_KEY"
RERANK_KEY: Final = "FANLIGHT_RERANK_KEY"


def read_encoders(
    document: Mapping[str, Any],
    environ: Mapping[str, str],
    private: Collection[str],
    flaws: list[Flaw],
) -> tuple[EmbeddingSettings | None, RerankSettings | None]:
    """The servers that embed and rerank; None for one that is not set."""
    embeddings = read_table(document.get("embeddings", {}), "embeddings", "embeddings", flaws)
    rerank = read_table(document.get("rerank", {}), "rerank", "rerank", flaws)
    return (
        _embeddings(embeddings, environ, private, flaws),
        _rerank(rerank, environ, private, flaws),
    )


def _embeddings(
    values: Values, environ: Mapping[str, str], private: Collection[str], flaws: list[Flaw]
) -> EmbeddingSettings | None:
    url, where = rules.either(environ, EMBEDDINGS_URL, values["url"], "embeddings.url")
    model, named = rules.either(environ, EMBEDDINGS_MODEL, values["model"], "embeddings.model")
    key = environ.get(EMBEDDINGS_KEY, "")
    if not url:
        _alone({named: model, EMBEDDINGS_KEY: key}, "embeddings.url", flaws)
        return None
    kind = rules.one_of(values["kind"], EMBEDDING_KINDS, "kind", "embeddings.kind", flaws)
    _base(url, private, where, flaws, versioned=kind != "tei")
    if not model and kind != "tei":
        remedy = f"Set embeddings.model or {EMBEDDINGS_MODEL}."
        flaws.append(Flaw(named, f"{where} is set, but no model is named.", remedy))
    for prefix in ("query_prefix", "passage_prefix"):
        if values[prefix] and kind == "fanlight":
            detail = "A fanlight server puts its models' prefixes before the texts itself."
            remedy = 'Take it out, or set embeddings.kind to "openai".'
            flaws.append(Flaw(f"embeddings.{prefix}", detail, remedy))
    return EmbeddingSettings(
        url.rstrip("/"),
        model or url,  # what is kept of a nameless model belongs to its address
        kind,
        Secret(key),
        values["dimensions"],
        values["query_prefix"],
        values["passage_prefix"],
    )


def _rerank(
    values: Values, environ: Mapping[str, str], private: Collection[str], flaws: list[Flaw]
) -> RerankSettings | None:
    url, model, key = values["url"] or "", values["model"] or "", environ.get(RERANK_KEY, "")
    if not url:
        _alone({"rerank.model": model, RERANK_KEY: key}, "rerank.url", flaws)
        return None
    kind = rules.one_of(values["kind"], RERANK_KINDS, "kind", "rerank.kind", flaws)
    _base(url, private, "rerank.url", flaws, versioned=False)
    if not model and kind != "tei":
        detail = "rerank.url is set, but no model is named."
        flaws.append(Flaw("rerank.model", detail, "Set it to the server's name of the model."))
    return RerankSettings(url.rstrip("/"), model, kind, Secret(key))


def _base(
    url: str, private: Collection[str], where: str, flaws: list[Flaw], *, versioned: bool
) -> None:
    address = rules.outbound(url, private, where, flaws)
    if address is None:
        return
    if "?" in address.rest or "#" in address.rest:
        detail = "This has a query or a fragment."
        flaws.append(Flaw(where, detail, "Write the base address only."))
    elif versioned and not address.rest.startswith("/"):
        remedy = f"Write {address.origin}/v1, or the base path that this server has."
        flaws.append(Flaw(where, "This has no path.", remedy))


def _alone(given: Mapping[str, str], needed: str, flaws: list[Flaw]) -> None:
    for name, value in given.items():
        if value:
            remedy = f"Set {needed} too, or take this out."
            flaws.append(Flaw(name, "There is no server to use it with.", remedy))
