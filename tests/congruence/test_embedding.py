"""Vectors that are kept, over every cache."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence

import pytest

from core.errors import Unavailable
from core.ports import Purpose, Vector
from gateway.adapters.memory_cache import MemoryCache
from gateway.embedding import KEPT_S, CachedEmbedder, key_of, packed
from tests.congruence.conftest import Cached
from tests.congruence.samples import StandingClock


class Counting:
    """An embedder whose vectors tell the text's length; it counts what it is asked."""

    def __init__(self, model: str = "m") -> None:
        self.model = model
        self.asked: list[tuple[tuple[str, ...], Purpose]] = []
        self.dimensions = 2

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> list[Vector]:
        self.asked.append((tuple(texts), purpose))
        return [self._vector(text) for text in texts]

    def _vector(self, text: str) -> Vector:
        numbers = [1.0, len(text), *[0.0] * (self.dimensions - 2)]
        return array("f", (each / math.hypot(*numbers) for each in numbers))


async def test_a_text_is_embedded_once_for_each_purpose_and_model(cached: Cached) -> None:
    inner = Counting()
    own = CachedEmbedder(inner, cached.cache)
    first = await own.embed(["caf\u00e9  au\nlait", "tea", "tea"], "query")
    again = await own.embed(["tea", "cafe\u0301 au lait "], "query")
    assert inner.asked == [(("caf\u00e9 au lait", "tea"), "query")]
    assert [list(each) for each in again] == [list(first[1]), list(first[0])]
    await own.embed(["tea"], "passage")
    other = Counting("other")
    await CachedEmbedder(other, cached.cache).embed(["tea"], "query")
    assert len(inner.asked) == 2
    assert len(other.asked) == 1


async def test_what_is_kept_is_32_bit_floats_under_a_name_without_the_text(cached: Cached) -> None:
    inner = Counting()
    (vector,) = await CachedEmbedder(inner, cached.cache).embed(["secret"], "query")
    key = key_of("m", "secret", "query")
    assert key.startswith("embedding:v1:m:")
    assert "secret" not in key
    assert await cached.cache.get(key) == packed(vector)
    assert len(packed(vector)) == 12


@pytest.mark.parametrize("kept", ["", "no base64!", "AAAA"])
async def test_what_is_damaged_is_made_again(cached: Cached, kept: str) -> None:
    inner = Counting()
    key = key_of("m", "tea", "query")
    await cached.cache.put(key, kept, 60)
    (vector,) = await CachedEmbedder(inner, cached.cache).embed(["tea"], "query")
    assert len(inner.asked) == 1
    assert await cached.cache.get(key) == packed(vector)


async def test_vectors_of_other_dimensions_are_made_again(cached: Cached) -> None:
    inner = Counting()
    own = CachedEmbedder(inner, cached.cache)
    await own.embed(["old"], "query")
    inner.dimensions = 3
    found = await own.embed(["old", "new"], "query")
    assert [len(each) for each in found] == [3, 3]
    assert inner.asked[1:] == [(("new",), "query"), (("old",), "query")]


async def test_being_wanted_again_keeps_it_for_as_long_anew() -> None:
    clock = StandingClock()
    cache, inner = MemoryCache(clock=clock), Counting()
    own = CachedEmbedder(inner, cache)
    for _ in range(3):
        await own.embed(["tea"], "query")
        clock.now += KEPT_S - 1
    assert len(inner.asked) == 1
    clock.now += 2
    await own.embed(["tea"], "query")
    assert len(inner.asked) == 2


async def test_a_cache_that_is_full_or_fails_costs_time_alone() -> None:
    inner = Counting()
    own = CachedEmbedder(inner, MemoryCache(clock=StandingClock(), capacity=1))
    assert len(await own.embed(["a", "b", "c"], "query")) == 3

    class Failing(MemoryCache):
        async def get(self, key: str) -> str | None:
            raise Unavailable("gone")

    own = CachedEmbedder(inner, Failing(clock=StandingClock()))
    assert len(await own.embed(["a"], "query")) == 1
