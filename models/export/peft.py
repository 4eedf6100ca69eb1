"""Reads an adapter as PEFT keeps it: adapter_model.safetensors, with adapter_config.json beside.

Decides which of PEFT's LoRA is read: plain, and rank-stabilised (Kalajdzievski, 2023,
arXiv:2312.03732), with ranks and alphas of their own for modules named plainly. Refuses what would
change the words if it were passed over: DoRA, biases, other modules that were trained. A config
whose rank is not the tensors' is refused too. Format: github.com/huggingface/peft, `LoraConfig`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from models.decoder.adapter import HIGHEST_RANK, Adapter
from models.decoder.safetensors import Stored, read_entries, read_tensor
from models.decoder.shape import Shape, read_config
from models.decoder.tensors import NAMES
from models.errors import BadFile

WEIGHTS: Final = "adapter_model.safetensors"
CONFIG: Final = "adapter_config.json"
_OURS: Final = {own: name for name, own in NAMES.items()}
_NAME: Final = re.compile(
    r"base_model\.model\.(?P<module>model\.layers\.(?P<layer>\d{1,6})\.(?P<matrix>\w+\.\w+))"
    r"\.lora_(?P<half>[AB])\.(?:default\.)?weight"
)
_PLAIN: Final = re.compile(r"[\w.]+")
_UNREAD: Final = (
    "use_dora", "fan_in_fan_out", "lora_bias", "modules_to_save", "target_parameters",
    "layer_replication", "alora_invocation_tokens", "use_qalora", "trainable_token_indices",
)  # fmt: skip
_BEGUN: Final = (True, False, None, "gaussian", "eva", "orthogonal")
"""Ways to begin that leave the base as it is; PiSSA and its like change it."""


def peft_adapter(path: Path, shape: Shape) -> Adapter:
    """Read an adapter. Raises `BadFile`."""
    config_path = path.with_name(CONFIG)
    config = read_config(config_path)
    _check_config(config_path, config)
    parts = {}
    for (layer, name), (module, down, up) in _pairs(path, shape).items():
        rank = down.shape[0]
        if (stated := _own(config, "rank_pattern", module, config.get("r"))) != rank:
            raise BadFile(
                f"{path.name} has rank {rank} in {module}, where {config_path.name} says {stated!r}"
            )
        alpha = _own(config, "alpha_pattern", module, config.get("lora_alpha"))
        if isinstance(alpha, bool) or not isinstance(alpha, int | float) or not _finite(alpha):
            raise BadFile(f"{config_path.name}: the alpha of {module} is {alpha!r}, no number.")
        scale = alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)
        a, b = read_tensor(path, down), read_tensor(path, up)
        parts[layer, name] = (a, b * np.float32(scale))
    return Adapter(parts)


def _check_config(path: Path, config: Mapping[str, Any]) -> None:
    if config.get("peft_type") != "LORA":
        raise BadFile(f"{path.name}: peft_type is {config.get('peft_type')!r}, not 'LORA'.")
    unread = [key for key in _UNREAD if config.get(key)]
    if config.get("bias", "none") != "none":
        unread.append("bias")
    if config.get("init_lora_weights") not in _BEGUN:
        unread.append("init_lora_weights")
    for key in unread:
        raise BadFile(f"{path.name}: {key} is {config[key]!r}, which is not read here.")


def _pairs(path: Path, shape: Shape) -> Mapping[tuple[int, str], tuple[str, Stored, Stored]]:
    """Of each matrix its module's name, A and B, with shapes that are the model's."""
    halves: dict[tuple[int, str], dict[str, Stored]] = {}
    modules = {}
    for stored in read_entries(path).values():
        found = _NAME.fullmatch(stored.name)
        name = _OURS.get(found["matrix"]) if found else None
        if found is None or name is None or int(found["layer"]) >= shape.layers:
            raise BadFile(f"{path.name} changes {stored.name!r}, which is not read here.")
        place = int(found["layer"]), name
        if found["half"] in halves.setdefault(place, {}):
            raise BadFile(f"{path.name} has lora_{found['half']} of {found['module']} twice.")
        halves[place][found["half"]] = stored
        modules[place] = found["module"]
    if not halves:
        raise BadFile(f"{path.name} changes nothing.")
    pairs = {}
    for place, both in halves.items():
        outer, inner = shape.matrices()[place[1]]
        rank = next(iter(both["A"].shape), 0) if "A" in both else 0
        if {half: each.shape for half, each in both.items()} != {
            "A": (rank, inner),
            "B": (outer, rank),
        }:
            raise BadFile(
                f"{path.name} is an adapter of another model: {modules[place]} does not make "
                f"{outer} of {inner}."
            )
        if not 0 < rank <= HIGHEST_RANK:
            raise BadFile(f"{path.name} has rank {rank}; 1 to {HIGHEST_RANK} is read.")
        pairs[place] = (modules[place], both["A"], both["B"])
    return pairs


def _own(config: Mapping[str, Any], key: str, module: str, common: Any) -> Any:
    """A module's own value, under its name or the end of it."""
    own = config.get(key) or {}
    if not isinstance(own, dict) or not all(_PLAIN.fullmatch(each) for each in own):
        raise BadFile(f"{CONFIG}: {key} has other keys than names of modules: not read here.")
    return next((own[each] for each in own if f".{module}".endswith(f".{each}")), common)


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
