"""The settings of servers that embed and rerank.

Decides keys, types and defaults, and which kinds of server there are.
"""

from __future__ import annotations

from typing import Final

from gateway.configuration.setting import Setting

EMBEDDING_KINDS: Final = ("fanlight", "openai", "tei")
RERANK_KINDS: Final = ("tei", "cohere")

ENCODER_SETTINGS: Final = (
    Setting(
        *("embeddings", "url", "string"),
        "The base of a server of embeddings, ending in `/v1`; of text-embeddings-inference the "
        "address alone. Without it nothing is embedded by a server.",
    ),
    Setting(*("embeddings", "model", "string"), "The model's name, as that server knows it."),
    Setting(
        *("embeddings", "kind", "string"),
        "How it is asked: `fanlight` (`fanlight models serve --embed`), `openai` (any other in "
        "that dialect), `tei` (text-embeddings-inference, at `/embed`).",
        "fanlight",
    ),
    Setting(
        *("embeddings", "dimensions", "integer"),
        "How many numbers a vector must have; others are refused. 0: as many as the first has.",
        0,
        low=0,
        high=8_192,
    ),
    Setting(
        *("embeddings", "query_prefix", "string"),
        "What goes before a text that looks for something, where the model was trained with it: "
        "`query: ` for E5. `fanlight` models bring their own.",
        "",
    ),
    Setting(
        *("embeddings", "passage_prefix", "string"),
        "The same before a text that is to be found.",
        "",
    ),
    Setting(
        *("rerank", "url", "string"),
        "A server that reranks passages, to which `/rerank` is added. Without it none is asked.",
    ),
    Setting(
        *("rerank", "model", "string"),
        "The model's name; text-embeddings-inference has only one, and needs none.",
    ),
    Setting(
        *("rerank", "kind", "string"),
        "How it is asked: `tei` (text-embeddings-inference), `cohere` (Cohere, Jina, vLLM).",
        "tei",
    ),
)
