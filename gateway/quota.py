"""Quotas: how many calls somebody may make in a minute, and what the response says of it.

It decides the `RateLimit-Policy` and `RateLimit` fields (draft-ietf-httpapi-ratelimit-headers-10):
each policy by its name, with `q` calls in `w` seconds, `r` left and `t` seconds until they are
given anew. The cache counts; when it cannot, the call is refused with `Unavailable`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from core.ports import Cache
from gateway import problems

MINUTE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Standing:
    """Where somebody stands with one policy after this call."""

    policy: str
    quota: int
    left: int
    reset_s: int


class Quotas:
    """Counts calls by policy and by whom they are of."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    async def spend(self, policy: str, whose: str, per_minute: int) -> Standing:
        """Count one call; raises `Problem` when the quota was spent before."""
        used, ends_in_s = await self._cache.count(f"{policy}:{whose}", MINUTE_S)
        reset_s = max(1, math.ceil(ends_in_s))
        standing = Standing(policy, per_minute, max(0, per_minute - used), reset_s)
        if used > per_minute:
            raise problems.too_many(ends_in_s, fields(standing))
        return standing


def fields(*standings: Standing) -> dict[str, str]:
    """The response fields that say where somebody stands."""
    policies = (f'"{one.policy}";q={one.quota};w={MINUTE_S:g}' for one in standings)
    lefts = (f'"{one.policy}";r={one.left};t={one.reset_s}' for one in standings)
    return {"ratelimit-policy": ", ".join(policies), "ratelimit": ", ".join(lefts)}
