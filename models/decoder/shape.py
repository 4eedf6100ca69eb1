"""The sizes of a Llama-family decoder, from the header of a GGUF file or from a config.json.

Refuses what the forward pass does not do: scaled rotary embeddings, partial rotation, biases, other
activations. Passing one over would give wrong words, not an error.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from models.errors import BadFile
from models.gguf.header import Header

LARGEST: Final = 1 << 20
"""No model has more layers, heads or dimensions."""

_LONGEST_CONFIG: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes: `head` is the width of one head, `inner` that of the feed-forward part.

    `theta` is the base of the rotary embedding, `epsilon` what keeps norms from dividing by zero.
    """

    layers: int
    width: int
    heads: int
    kv_heads: int
    head: int
    inner: int
    vocabulary: int
    context: int
    theta: float
    epsilon: float

    def __post_init__(self) -> None:
        for name in ("layers", "width", "heads", "kv_heads", "head", "inner", "vocabulary"):
            if not 0 < getattr(self, name) <= LARGEST:
                raise BadFile(f"{name} is {getattr(self, name)}; 1 to {LARGEST} is taken.")
        if self.heads % self.kv_heads or self.head % 2:
            raise BadFile(
                f"{self.heads} heads of {self.head} cannot share {self.kv_heads} keys in pairs."
            )
        if not all(math.isfinite(each) and each > 0 for each in (self.theta, self.epsilon)):
            raise BadFile("The base of its rotary embedding, or its epsilon, is not positive.")

    def matrices(self) -> dict[str, tuple[int, int]]:
        """The matrices of a layer by our names, each (out, in)."""
        queries, keys = self.heads * self.head, self.kv_heads * self.head
        return {
            "q": (queries, self.width),
            "k": (keys, self.width),
            "v": (keys, self.width),
            "o": (self.width, queries),
            "gate": (self.inner, self.width),
            "up": (self.inner, self.width),
            "down": (self.width, self.inner),
        }


def gguf_shape(header: Header) -> Shape:
    """The sizes that a GGUF header states. Raises `BadFile` for what is not run here."""
    name = "llama"
    width = header.count(f"{name}.embedding_length")
    heads = header.count(f"{name}.attention.head_count")
    kv_heads = heads
    if f"{name}.attention.head_count_kv" in header.keys:
        kv_heads = header.count(f"{name}.attention.head_count_kv")
    head = width // heads
    if width % heads:
        raise BadFile(f"Its width {width} is not shared evenly by {heads} heads.")
    for key in ("rope.dimension_count", "attention.key_length", "attention.value_length"):
        if header.keys.get(f"{name}.{key}", head) != head:
            raise BadFile(f"{name}.{key} is not {head}, the width of a head: not run here.")
    if header.keys.get(f"{name}.rope.scaling.type", "none") != "none":
        raise BadFile("Its rotary embedding is scaled, which is not run here.")
    tokens = next((each for each in header.tensors if each.name == "token_embd.weight"), None)
    return Shape(
        layers=header.count(f"{name}.block_count"),
        width=width,
        heads=heads,
        kv_heads=kv_heads,
        head=head,
        inner=header.count(f"{name}.feed_forward_length"),
        vocabulary=tokens.shape[-1] if tokens else 0,
        context=header.count(f"{name}.context_length"),
        theta=_real(header.keys, f"{name}.rope.freq_base", 10_000.0),
        epsilon=_real(header.keys, f"{name}.attention.layer_norm_rms_epsilon", None),
    )


def config_shape(path: Path) -> Shape:
    """The sizes that a config.json states. Raises `BadFile` for what is not run here."""
    config = read_config(path)
    if config.get("model_type") != "llama":
        raise BadFile(f"{path.name}: model_type is {config.get('model_type')!r}, not 'llama'.")
    if config.get("hidden_act", "silu") != "silu" or config.get("attention_bias"):
        raise BadFile(f"{path.name}: its activation or its biases are not run here.")
    scaled = any(config.get(key) is not None for key in ("rope_scaling", "rope_parameters"))
    if scaled or config.get("mlp_bias"):
        raise BadFile(f"{path.name}: its rotary embedding is scaled, or it has biases: not run.")
    width, heads = _whole(config, "hidden_size"), _whole(config, "num_attention_heads")
    return Shape(
        layers=_whole(config, "num_hidden_layers"),
        width=width,
        heads=heads,
        kv_heads=_whole(config, "num_key_value_heads", heads),
        head=_whole(config, "head_dim", width // heads),
        inner=_whole(config, "intermediate_size"),
        vocabulary=_whole(config, "vocab_size"),
        context=_whole(config, "max_position_embeddings"),
        theta=_real(config, "rope_theta", 10_000.0),
        epsilon=_real(config, "rms_norm_eps", None),
    )


def read_config(path: Path) -> dict[str, Any]:
    """The object in a small JSON file. Raises `BadFile`."""
    try:
        with path.open("rb") as file:
            config = json.loads(file.read(_LONGEST_CONFIG))
    except OSError as error:
        raise BadFile(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise BadFile(f"{path.name} is not JSON.") from error
    if not isinstance(config, dict):
        raise BadFile(f"{path.name} is not a JSON object.")
    return config


def _whole(config: Mapping[str, Any], key: str, missing: int | None = None) -> int:
    value = config.get(key)
    if value is None:
        value = missing
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= 1 << 32:
        raise BadFile(f"{key} is {value!r}, which is no positive whole number.")
    return value


def _real(values: Mapping[str, Any], key: str, missing: float | None) -> float:
    value = values.get(key, missing)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise BadFile(f"{key} is {value!r}, which is no number.")
    return float(value)
