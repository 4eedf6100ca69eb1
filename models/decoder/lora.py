"""The pool of adapters that the rows of a batch gather theirs from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from models.decoder.adapter import Adapter
from models.decoder.forward import Gates, Lora
from models.decoder.shape import Shape


class Pool:
    """The adapters that rows may have. Its first place is empty: a row without any gathers it.

    Sizes grow to the next power of two, so that few of them are ever compiled.
    """

    def __init__(self, shape: Shape, kind: Any) -> None:
        self._shape = shape
        self._kind = kind
        self._adapters: dict[str, Adapter] = {}
        self._places: dict[str, int] = {}
        self._arrays: dict[str, tuple[Any, Any]] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The adapters in it."""
        return tuple(self._adapters)

    def put(self, name: str, adapter: Adapter) -> None:
        """Add one, or replace it."""
        self._adapters = {**self._adapters, name: adapter}
        self._lay_out()

    def drop(self, name: str) -> None:
        """Remove one that no row has."""
        self._adapters = {own: each for own, each in self._adapters.items() if own != name}
        self._lay_out()

    def lora(self, rows: Sequence[Mapping[str, float]]) -> Lora:
        """What the forward pass takes for rows with these adapters; None where no row has any."""
        most = max(map(len, rows))
        if not most:
            return None
        several = _grown(most)
        places = np.zeros((len(rows), several), np.int32)
        gates = np.zeros((len(rows), several), np.float32)
        for at, row in enumerate(rows):
            places[at, : len(row)] = [self._places[name] for name in row]
            gates[at, : len(row)] = list(row.values())
        chosen: Gates = (jnp.asarray(places), jnp.asarray(gates))
        return self._arrays, chosen

    def _lay_out(self) -> None:
        self._places = {name: at for at, name in enumerate(self._adapters, 1)}
        self._arrays = {}
        if not self._adapters:
            return
        count = _grown(len(self._adapters) + 1)
        rank = _grown(max(each.rank for each in self._adapters.values()))
        changed = {name for each in self._adapters.values() for _, name in each.parts}
        for name in sorted(changed):
            outer, inner = self._shape.matrices()[name]
            down = np.zeros((self._shape.layers, count, rank, inner), np.float32)
            up = np.zeros((self._shape.layers, count, outer, rank), np.float32)
            for own, adapter in self._adapters.items():
                for (layer, changes), (a, b) in adapter.parts.items():
                    if changes == name:
                        down[layer, self._places[own], : len(a)] = a
                        up[layer, self._places[own], :, : len(a)] = b
            self._arrays[name] = (jnp.asarray(down, self._kind), jnp.asarray(up, self._kind))


def _grown(count: int) -> int:
    return 1 << (count - 1).bit_length()
