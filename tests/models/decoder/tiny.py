"""A tiny model of random numbers, in both forms, and a plain forward pass to hold ours against."""

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.decoder.tokens import _BYTES
from tests.models.samples import gguf, key, tensor, text

LAYERS, WIDTH, HEADS, KV_HEADS, HEAD, INNER, CONTEXT = 2, 32, 4, 2, 8, 48, 128
WORDS = [*sorted(_BYTES, key=lambda each: _BYTES[each]), "<|im_start|>", "<|im_end|>", "<mark>"]
THETA, EPSILON = 10_000.0, 2.0**-16
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}:{{ message.content }}<|im_end|>"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>{% endif %}"
)

type Numbers = NDArray[np.float32]


def sizes() -> dict[str, tuple[int, ...]]:
    """Names as safetensors has them, less `model.layers.N.` and `.weight`."""
    keys = KV_HEADS * HEAD
    return {
        "self_attn.q_proj": (WIDTH, WIDTH),
        "self_attn.k_proj": (keys, WIDTH),
        "self_attn.v_proj": (keys, WIDTH),
        "self_attn.o_proj": (WIDTH, WIDTH),
        "mlp.gate_proj": (INNER, WIDTH),
        "mlp.up_proj": (INNER, WIDTH),
        "mlp.down_proj": (WIDTH, INNER),
        "input_layernorm": (WIDTH,),
        "post_attention_layernorm": (WIDTH,),
    }


GGUF = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def weights(seed: int = 7) -> dict[str, Numbers]:
    """Random weights under safetensors' names; float16 holds them exactly."""
    random = np.random.default_rng(seed)

    def some(*shape: int) -> Numbers:
        if len(shape) == 1:
            return (1 + 0.1 * random.standard_normal(shape)).astype(np.float16).astype(np.float32)
        return (random.standard_normal(shape) * 0.4).astype(np.float16).astype(np.float32)

    found = {"model.embed_tokens.weight": some(len(WORDS), WIDTH), "model.norm.weight": some(WIDTH)}
    for layer in range(LAYERS):
        for name, shape in sizes().items():
            found[f"model.layers.{layer}.{name}.weight"] = some(*shape)
    return found


def permuted[T: (np.float32, np.float64)](rows: NDArray[T]) -> NDArray[T]:
    """Rows of q or k as GGUF has them: pairs side by side."""
    halves = rows.reshape(-1, 2, HEAD // 2, *rows.shape[1:])
    return halves.swapaxes(1, 2).reshape(rows.shape)


def gguf_name(name: str) -> str:
    if name in ("model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"):
        return {"model.e": "token_embd.weight", "model.n": "output_norm.weight"}.get(
            name[:7], "output.weight"
        )
    _, _, layer, *own, _ = name.split(".")
    return f"blk.{layer}.{GGUF['.'.join(own)]}.weight"


def gguf_file(
    path: Path, numbers: Mapping[str, Numbers], *, keys: Mapping[str, bytes] | None = None
) -> Path:
    """The model as GGUF, in F32; `keys` replaces what the header says, or with b"" leaves out."""
    named = {
        gguf_name(name): permuted(each) if "q_proj" in name or "k_proj" in name else each
        for name, each in numbers.items()
    }
    return write_gguf(path, {**header(), **(keys or {})}, named)


def write_gguf(path: Path, keys: Mapping[str, bytes], named: Mapping[str, Numbers]) -> Path:
    data, tensors = b"", []
    for name, each in named.items():
        tensors.append(tensor(name, each.shape[::-1], 0, len(data)))
        data += each.astype("<f4").tobytes()
        data += bytes(-len(data) % 32)
    path.write_bytes(gguf([each for each in keys.values() if each], tensors, data))
    return path


def number(name: str, value: int) -> bytes:
    return key(name, 4, struct.pack("<I", value))


def real(name: str, value: float) -> bytes:
    return key(name, 6, struct.pack("<f", value))


def texts(name: str, values: list[str]) -> bytes:
    return key(name, 9, struct.pack("<IQ", 8, len(values)) + b"".join(map(text, values)))


def header() -> dict[str, bytes]:
    """What a GGUF header says of the model, each key with its name before it."""
    kinds = [1] * 256 + [3, 3, 4]
    keys = [
        key("general.architecture", 8, text("llama")),
        number("llama.block_count", LAYERS),
        number("llama.context_length", CONTEXT),
        number("llama.embedding_length", WIDTH),
        number("llama.feed_forward_length", INNER),
        number("llama.attention.head_count", HEADS),
        number("llama.attention.head_count_kv", KV_HEADS),
        real("llama.attention.layer_norm_rms_epsilon", EPSILON),
        key("tokenizer.ggml.model", 8, text("gpt2")),
        key("tokenizer.ggml.pre", 8, text("smollm")),
        texts("tokenizer.ggml.tokens", WORDS),
        key(
            "tokenizer.ggml.token_type", 9, struct.pack(f"<IQ{len(kinds)}i", 5, len(kinds), *kinds)
        ),
        texts("tokenizer.ggml.merges", []),
        number("tokenizer.ggml.eos_token_id", 257),
        key("tokenizer.chat_template", 8, text(TEMPLATE)),
    ]
    return {each[8 : 8 + each[0]].decode(): each for each in keys}


def adapter_file(
    path: Path,
    parts: Mapping[str, tuple[Numbers, Numbers]],
    *,
    alpha: float,
    keys: Mapping[str, bytes] | None = None,
) -> Path:
    """A LoRA adapter as llama.cpp loads it: by weight, A (rank, in) and B (out, rank)."""
    named = {}
    for name, (a, b) in parts.items():
        own = gguf_name(name)
        named[f"{own}.lora_a"] = a
        named[f"{own}.lora_b"] = permuted(b) if "q_proj" in name or "k_proj" in name else b
    said = {
        "architecture": key("general.architecture", 8, text("llama")),
        "type": key("general.type", 8, text("adapter")),
        "adapter": key("adapter.type", 8, text("lora")),
        "alpha": real("adapter.lora.alpha", alpha),
    }
    return write_gguf(path, {**said, **(keys or {})}, named)


def random_adapter(seed: int, rank: int = 4) -> dict[str, tuple[Numbers, Numbers]]:
    """Random changes of every matrix but those of the last layer's feed-forward part."""
    random = np.random.default_rng(seed)
    return {
        f"model.layers.{layer}.{name}.weight": (
            random.standard_normal((rank, shape[1])).astype(np.float32) * 0.3,
            random.standard_normal((shape[0], rank)).astype(np.float32) * 0.3,
        )
        for layer in range(LAYERS)
        for name, shape in sizes().items()
        if len(shape) == 2 and not (layer and name.startswith("mlp"))
    }


def safetensors_file(folder: Path, numbers: Mapping[str, Numbers], kind: str = "F32") -> Path:
    """The model as safetensors, with its config.json beside."""
    config = {
        "model_type": "llama",
        "hidden_size": WIDTH,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS,
        "intermediate_size": INNER,
        "vocab_size": len(WORDS),
        "max_position_embeddings": CONTEXT,
        "rope_theta": THETA,
        "rms_norm_eps": EPSILON,
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    rows: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    data = b""
    for name, each in numbers.items():
        raw = each.astype({"F32": "<f4", "F16": "<f2"}[kind]).tobytes()
        rows[name] = {
            "dtype": kind,
            "shape": list(each.shape),
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    head = json.dumps(rows).encode()
    path = folder / "model.safetensors"
    path.write_bytes(struct.pack("<Q", len(head)) + head + data)
    return path


def plain_logits(numbers: Mapping[str, Numbers], tokens: list[int]) -> NDArray[np.float64]:
    """Logits (length, vocabulary) in float64, head by head, with GGUF's interleaved rotation."""
    states = numbers["model.embed_tokens.weight"][tokens].astype(np.float64)
    for layer in range(LAYERS):
        own = {
            name: numbers[f"model.layers.{layer}.{name}.weight"].astype(np.float64)
            for name in sizes()
        }
        normed = _norm(states, own["input_layernorm"])
        queries = normed @ permuted(own["self_attn.q_proj"]).T
        keys = normed @ permuted(own["self_attn.k_proj"]).T
        values = normed @ own["self_attn.v_proj"].T
        mixed = []
        for head in range(HEADS):
            shared = head // (HEADS // KV_HEADS)
            q = _turned(queries[:, head * HEAD : (head + 1) * HEAD])
            k = _turned(keys[:, shared * HEAD : (shared + 1) * HEAD])
            scores = q @ k.T / np.sqrt(HEAD)
            scores[np.triu_indices(len(tokens), 1)] = -np.inf
            scores = np.exp(scores - scores.max(-1, keepdims=True))
            scores /= scores.sum(-1, keepdims=True)
            mixed.append(scores @ values[:, shared * HEAD : (shared + 1) * HEAD])
        states = states + np.concatenate(mixed, -1) @ own["self_attn.o_proj"].T
        normed = _norm(states, own["post_attention_layernorm"])
        gate = normed @ own["mlp.gate_proj"].T
        inner = gate / (1 + np.exp(-gate)) * (normed @ own["mlp.up_proj"].T)
        states = states + inner @ own["mlp.down_proj"].T
    output = numbers.get("lm_head.weight", numbers["model.embed_tokens.weight"])
    return _norm(states, numbers["model.norm.weight"]) @ output.T.astype(np.float64)


def _norm(states: NDArray[np.float64], weight: NDArray[Any]) -> NDArray[np.float64]:
    scale = np.sqrt((states**2).mean(-1, keepdims=True) + EPSILON)
    normed: NDArray[np.float64] = states / scale * weight
    return normed


def _turned(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    turned = np.empty_like(rows)
    for place, row in enumerate(rows):
        for pair in range(HEAD // 2):
            turn = np.exp(1j * place * THETA ** (-2 * pair / HEAD))
            found = (row[2 * pair] + 1j * row[2 * pair + 1]) * turn
            turned[place, 2 * pair : 2 * pair + 2] = found.real, found.imag
    return turned
