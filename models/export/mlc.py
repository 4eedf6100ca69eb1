"""Writes a model as the folder that WebLLM loads: shards, their index, tokenizer and config.

A library that was compiled for the architecture and the quantisation runs any weights of them. Its
name is not written down here: whoever lists the model for WebLLM names it. Decides the context
(4,096 tokens at most, as WebLLM's own lists have it, unless more is asked for), and that the
likeliest word is taken where a request says no temperature: small models ramble otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from models.errors import BadFile, BadRequest, ModelError
from models.export.base import Base, Weighted, merged
from models.export.parameters import (
    QUANTISATIONS,
    Quantisation,
    count,
    parameters,
    parameters_size,
)
from models.export.shards import Shards
from models.export.target import MARK
from models.registry.progress import Told

CONTEXT: Final = 4096
PIECE: Final = 1024
"""Tokens of a prompt that are read at once by a library compiled from this config."""

TOKENIZER: Final = "tokenizer.json"
_SMALL: Final = 32 << 20
"""More than the small files take."""


@dataclass(frozen=True, slots=True)
class Words:
    """A tokenizer's file, and what the config says of tokens and messages."""

    document: str
    conversation: dict[str, Any]
    start: int | None
    stops: Sequence[int]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is written; `context` is how many tokens a conversation may have."""

    base: Base
    adapters: Weighted
    quantisation: Quantisation
    words: Words
    context: int


def read_words(base: Base) -> Words:
    """The base's tokenizer and chat template. Raises `BadFile` where MLC cannot have them."""
    try:
        # In an extra of their own: GGUF is written without.
        from models.decoder.template import ChatTemplate  # noqa: PLC0415
        from models.decoder.tokens import gguf_tokens  # noqa: PLC0415
        from models.export.conversation import conversation_of  # noqa: PLC0415

        tokens = gguf_tokens(base.path, base.header)
        source = base.header.keys.get("tokenizer.chat_template")
        if not isinstance(source, str):
            raise BadFile(f"{base.path.name} has no chat template: WebLLM could put no messages.")
        conversation = conversation_of(ChatTemplate(source))
    except ImportError as error:
        install = 'pip install "fanlight[server,jax]"'
        raise ModelError(f"MLC's folder needs jinja2 and tokenizers. Install: {install}") from error
    stops = sorted(tokens.ends)
    said = conversation.document(stops, tokens.start)
    return Words(tokens.document(), said, tokens.start, stops)


def planned(base: Base, adapters: Weighted, quantisation: str, context: int | None) -> Plan:
    """What to write; a context that is not named is `CONTEXT`, or the model's where that is less.

    Raises `BadFile` where MLC cannot have the base's words, `BadRequest` for too long a context.
    """
    most = base.tensors.shape.context
    if context is not None and context > most:
        raise BadRequest(f"The model has a context of {most} tokens, not {context}.", "context")
    return Plan(
        base,
        adapters,
        QUANTISATIONS[quantisation],
        read_words(base),
        context or min(most, CONTEXT),
    )


def folder_size(plan: Plan) -> int:
    """How many bytes the folder will take, at most."""
    return parameters_size(plan.base.tensors, plan.quantisation) + _SMALL


def write_mlc(plan: Plan, folder: Path, told: Told) -> None:
    """Write the base with adapters in it; `told` hears bytes of parameters, and of how many.

    Raises `BadFile` where the quantisation cannot hold what comes out.
    """
    tensors = merged(plan.base.tensors, plan.adapters)
    shards, total = Shards(folder), parameters_size(tensors, plan.quantisation)
    for name, numbers in parameters(tensors, plan.quantisation):
        shards.add(name, numbers)
        told(shards.stored, total)
    shards.close(count(tensors))
    (folder / TOKENIZER).write_text(plan.words.document, encoding="utf-8")
    text = json.dumps(_config(plan), indent=2, ensure_ascii=False)
    (folder / MARK).write_text(text + "\n", encoding="utf-8")


def _config(plan: Plan) -> dict[str, Any]:
    """Fields as MLC's own have them (github.com/mlc-ai/mlc-llm, `mlc_chat_config.py`)."""
    shape, words, context = plan.base.tensors.shape, plan.words, plan.context
    theta = int(shape.theta) if shape.theta.is_integer() else shape.theta
    sizes = {"context_window_size": context, "prefill_chunk_size": min(context, PIECE)}
    model = {
        "hidden_size": shape.width,
        "intermediate_size": shape.inner,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "head_dim": shape.head,
        "num_hidden_layers": shape.layers,
        "rms_norm_eps": shape.epsilon,
        "vocab_size": shape.vocabulary,
        "tie_word_embeddings": plan.base.tensors.output is None,
        "position_embedding_base": theta,
        "rope_scaling": None,
        "tensor_parallel_shards": 1,
        "max_batch_size": 1,
        **sizes,
    }
    return {
        "version": "0.1.0",
        "model_type": "llama",
        "quantization": plan.quantisation.name,
        "model_config": model,
        "vocab_size": shape.vocabulary,
        "active_vocab_size": shape.vocabulary,
        **sizes,
        "sliding_window_size": -1,
        "attention_sink_size": -1,
        "tensor_parallel_shards": 1,
        "temperature": 0.0,
        "top_p": 1.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "repetition_penalty": 1.0,
        "tokenizer_files": [TOKENIZER],
        "tokenizer_info": {
            "token_postproc_method": "byte_level",
            "prepend_space_in_encode": False,
            "strip_space_in_decode": False,
        },
        "conv_template": words.conversation,
        **({} if words.start is None else {"bos_token_id": words.start}),
        "eos_token_id": list(words.stops),
    }
