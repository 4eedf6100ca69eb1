"""A `Cache` in Redis, for several gateway processes: fails closed, and knows when it has forgotten.

It decides when what was promised may have been lost. Every process of a Redis server has a `run_id`
of its own; the cache keeps an epoch in Redis that names it. Each claim compares the two and names
the epoch that it believes in, all in its one round trip. After a restart, a flush or the promotion
of a replica they differ: a new epoch begins, `since` moves on, and what was signed before is
refused. It refuses a server that evicts keys, and a replica. Keys are digests. The reasoning is in
docs/adr/0015.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from core.digest import sha256_hex
from core.encoding import b64url_encode
from core.errors import Unavailable
from core.ports import Clock, Random
from gateway.adapters.redis_link import DEADLINE_S, RedisLink

SETTLE_S: Final = 6.0
"""How far ahead of ours a clock may be that signs what we admit (5 s), and one for other
gateways' clocks: for so long after an epoch's beginning nothing that was admitted before it can
be told from what is new."""

PREFIX: Final = "fanlight:"
EPOCH_KEY: Final = f"{PREFIX}epoch"
_DIGEST_LETTERS: Final = 40

_CLAIM: Final = """
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local epoch = redis.call('GET', KEYS[1])
if not epoch or string.sub(epoch, 1, #run) ~= run then
  epoch = run .. ARGV[2]
  redis.call('SET', KEYS[1], epoch)
end
if epoch ~= ARGV[1] then return epoch end
if redis.call('SET', KEYS[2], '', 'NX', 'PX', ARGV[3]) then return 1 end
return 0
"""
"""1 or 0 for a claim under the epoch that its caller believes in; else the epoch that it is."""
_COUNT: Final = """
local count = redis.call('INCR', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  left = tonumber(ARGV[1])
end
return {count, left}
"""


class RedisCache:
    """A `Cache` in the Redis server that `url` names; `start` it before anything else."""

    def __init__(
        self,
        url: str,
        *,
        clock: Clock,
        random: Random,
        settle_s: float = SETTLE_S,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._clock = clock
        self._random = random
        self._settle_s = settle_s
        self._epoch = ""
        self._since = math.inf
        self._link = RedisLink(url, deadline_s=deadline_s)
        client = self._link.client
        self._claim = client.register_script(_CLAIM)
        self._count = client.register_script(_COUNT)

    @property
    def since(self) -> float:
        """Unix seconds from which on the cache has forgotten nothing."""
        return self._since

    async def start(self) -> None:
        """Reach the server and learn its epoch; raises `Unavailable` with the remedy."""
        try:
            await self._begin(await self._ask("", "", 0.001))
        except Unavailable as exc:
            await self._link.close()
            raise Unavailable(f"{exc}. FANLIGHT_REDIS_URL names the server.") from exc

    async def close(self) -> None:
        """Close the connections."""
        await self._link.close()

    async def claim(self, key: str, ttl_s: float) -> bool:
        """Take `key` for `ttl_s` seconds; False when somebody holds it."""
        answer = await self._ask(self._epoch, key, ttl_s)
        if isinstance(answer, bytes):
            # This call's sender signs again, and is believed once the epoch has begun.
            await self._begin(answer)
            raise Unavailable("Redis has forgotten what it was told, and begins anew")
        return bool(answer)

    async def release(self, key: str) -> None:
        """Give `key` back."""
        await self._link.call(lambda: self._link.client.delete(_name("claim", key)))

    async def count(self, key: str, window_s: float) -> tuple[int, float]:
        """Count one event of `key`; how many in this window, and seconds until it ends."""
        keys, args = [_name("count", key)], [_milliseconds(window_s)]
        count, left_ms = await self._link.call(lambda: self._count(keys=keys, args=args))
        return int(count), int(left_ms) / 1000

    async def put(self, key: str, value: str, ttl_s: float) -> None:
        """Keep a value for `ttl_s` seconds."""
        name, ttl_ms = _name("value", key), _milliseconds(ttl_s)
        await self._link.call(lambda: self._link.client.set(name, value, px=ttl_ms))

    async def get(self, key: str) -> str | None:
        """The value, or None when it is gone."""
        found = await self._link.call(lambda: self._link.client.get(_name("value", key)))
        return found.decode("utf-8") if isinstance(found, bytes) else found

    async def _ask(self, epoch: str, key: str, ttl_s: float) -> Any:
        begins = math.ceil(self._clock() + self._settle_s)
        new = f" {begins} {b64url_encode(self._random(8))}"
        keys = [EPOCH_KEY, _name("claim", key)]
        args: list[str | int] = [epoch, new, _milliseconds(ttl_s)]
        return await self._link.call(lambda: self._claim(keys=keys, args=args))

    async def _begin(self, answer: bytes) -> None:
        """Believe in this epoch from now on, if its server is fit to be believed."""
        _refuse_forgetful(await self._link.call(self._link.client.info))
        epoch = answer.decode("ascii")
        begins = float(epoch.split(" ")[1])
        # Another server's older epoch never takes back what this process has refused.
        self._since = begins if math.isinf(self._since) else max(self._since, begins)
        self._epoch = epoch


def _refuse_forgetful(info: Mapping[str, Any]) -> None:
    policy = info.get("maxmemory_policy", "noeviction")
    if info.get("maxmemory", 0) and policy != "noeviction":
        raise Unavailable(
            f"Redis evicts keys (maxmemory-policy {policy}), so that a call could be replayed:"
            " set maxmemory-policy noeviction"
        )


def _name(kind: str, key: str) -> str:
    """The key in Redis: what it stands for cannot be read from it."""
    digest = sha256_hex(key.encode("utf-8", "surrogatepass"))
    return f"{PREFIX}{kind}:{digest[:_DIGEST_LETTERS]}"


def _milliseconds(seconds: float) -> int:
    return max(1, math.ceil(seconds * 1000))
