"""Whether a GGUF file holds the model that it is loaded as.

An engine's native code asserts what it expects, and an assertion ends the process: what can be
seen in a header is seen here first. Refuses another architecture, and shapes that contradict the
sizes that the header states.
"""

from __future__ import annotations

from typing import Final

from models.errors import BadFile
from models.gguf.header import Array, Header

LARGEST: Final = 1 << 20
"""No model has more layers, heads or dimensions."""


def check_fitness(header: Header, architecture: str) -> None:
    """Raise `BadFile` where the file is another model than is said, or contradicts itself."""
    found = header.text("general.architecture")
    if found != architecture:
        raise BadFile(f"It is a {found} model, where the catalogue says {architecture}.")
    sizes = {
        name: _size(header, f"{architecture}.{name}")
        for name in ("block_count", "context_length", "embedding_length", "attention.head_count")
    }
    shapes = {tensor.name: tensor.shape for tensor in header.tensors}
    embedding = shapes.get("token_embd.weight")
    width = sizes["embedding_length"]
    if embedding is None or len(embedding) != 2 or embedding[0] != width:
        raise BadFile(f"token_embd.weight is {embedding}, where rows of {width} are stated.")
    tokens = header.keys.get("tokenizer.ggml.tokens")
    if not isinstance(tokens, Array) or tokens.count != embedding[1]:
        held = tokens.count if isinstance(tokens, Array) else "no"
        raise BadFile(f"It has {held} tokens and {embedding[1]} rows of token_embd.weight.")
    blocks = {name.split(".")[1] for name in shapes if name.startswith("blk.")}
    if blocks != {str(number) for number in range(sizes["block_count"])}:
        raise BadFile(f"It states {sizes['block_count']} blocks and holds {len(blocks)}.")


def _size(header: Header, key: str) -> int:
    size = header.count(key)
    if size > LARGEST:
        raise BadFile(f"{key} is {size}; more than {LARGEST} is refused.")
    return size
