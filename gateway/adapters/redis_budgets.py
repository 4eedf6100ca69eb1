"""Budgets in Redis: each call is one script, which the server runs while nobody else's runs.

It decides that accounts and reservations have digests for names, as all else has there. What it
counts lives as long as the server's memory, or its append-only file: after a flush every account
begins anew, which is why the truth counts where the settings do not say otherwise (docs/adr/0038).
It does not open the way: whoever holds the link closes it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from redis.commands.core import AsyncScript

from core.digest import sha256_hex
from core.model_routing.spend import (
    HELD_S,
    KEPT_S,
    KINDS,
    Account,
    Heavy,
    Kind,
    Period,
    Reservation,
    Settled,
    account_name,
)
from gateway.adapters.redis_cache import PREFIX
from gateway.adapters.redis_link import RedisLink

_HOLDS: Final = f"{PREFIX}holds"
_ACCOUNT: Final = f"{PREFIX}spent:"
_HEAVY: Final = f"{PREFIX}heavy:"
_DIGEST_LETTERS: Final = 40
AT_ONCE: Final = 500

_MOVE: Final = """
local function move(hold, spent)
  local row = redis.call('HGETALL', hold)
  local told, micros = {}, nil
  for i = 1, #row, 2 do
    if row[i] == 'micros' then micros = tonumber(row[i + 1]) end
  end
  for i = 1, #row, 2 do
    local account, heavy = row[i], row[i + 1]
    if account ~= 'micros' and redis.call('EXISTS', account) == 1 then
      if heavy ~= '' then redis.call('ZINCRBY', heavy, spent - micros, account) end
      redis.call('HINCRBY', account, 'held', -micros)
      local after = redis.call('HINCRBY', account, 'settled', spent)
      told[#told + 1] = account
      told[#told + 1] = after
    end
  end
  redis.call('DEL', hold)
  redis.call('ZREM', KEYS[1], hold)
  return told
end
local function give_back(before)
  local old = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. before, 'LIMIT', 0, 500)
  for _, hold in ipairs(old) do move(hold, 0) end
  return #old
end
local function taken(account)
  local row = redis.call('HMGET', account, 'settled', 'held')
  return (tonumber(row[1]) or 0) + (tonumber(row[2]) or 0)
end
"""
"""A hold is a hash: `micros`, and a field for each account that it holds them in, with the sorted
set that has the account among those of its kind, or nothing for a site's own."""

_HOLD: Final = f"""{_MOVE}
local micros, at, before = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local function over(missing, here)
  for i = 3, #KEYS do
    local limit = tonumber(ARGV[3 * i - 5])
    if limit > 0 and here(KEYS[i]) and taken(KEYS[i]) + missing > limit then return i - 2 end
  end
  return 0
end
local function refused(missing, here)
  local by = over(missing, here)
  if by > 0 and give_back(before) > 0 then by = over(missing, here) end
  return by
end
local function add(account, heavy, more)
  redis.call('HINCRBY', account, 'held', more)
  if heavy ~= '' then redis.call('ZINCRBY', heavy, more, account) end
end
local function reserve()
  local by = refused(micros, function() return true end)
  if by > 0 then return {{by, micros}} end
  redis.call('HSET', KEYS[2], 'micros', micros)
  for i = 3, #KEYS do
    local heavy = ARGV[3 * i - 3]
    redis.call('HSET', KEYS[2], KEYS[i], heavy)
    redis.call('HINCRBY', KEYS[i], 'settled', 0)
    redis.call('PEXPIRE', KEYS[i], ARGV[3 * i - 4])
    add(KEYS[i], heavy, micros)
    if heavy ~= '' then redis.call('PEXPIRE', heavy, ARGV[3 * i - 4]) end
  end
  redis.call('ZADD', KEYS[1], at, KEYS[2])
  return {{0, micros}}
end
local held = tonumber(redis.call('HGET', KEYS[2], 'micros') or '')
"""
"""What is given back is the number of the account that refuses, from 1, or 0; then what is held."""
_RESERVE: Final = f"""{_HOLD}
if held then return {{0, held}} end
return reserve()
"""
_TOP_UP: Final = f"""{_HOLD}
if held and tonumber(redis.call('ZSCORE', KEYS[1], KEYS[2])) < tonumber(before) then
  move(KEYS[2], 0)
  held = nil
end
if not held then return reserve() end
local missing = micros - held
if missing <= 0 then return {{0, held}} end
local function mine(account) return redis.call('HEXISTS', KEYS[2], account) == 1 end
local by = refused(missing, mine)
if by > 0 then return {{by, held}} end
for i = 3, #KEYS do
  if mine(KEYS[i]) then add(KEYS[i], ARGV[3 * i - 3], missing) end
end
redis.call('HSET', KEYS[2], 'micros', micros)
return {{0, micros}}
"""

_SETTLE: Final = f"{_MOVE} return move(KEYS[2], ARGV[1])"
_SWEEP: Final = f"{_MOVE} return give_back(ARGV[1])"
_SPENT: Final = f"""{_MOVE}
local sums = {{}}
for i = 2, #KEYS do sums[i - 1] = taken(KEYS[i]) end
return sums
"""
_FORGET: Final = """
for _, hold in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  for i = 2, #KEYS do redis.call('HDEL', hold, KEYS[i]) end
end
for i = 2, #KEYS do
  redis.call('DEL', KEYS[i])
  if ARGV[i - 1] ~= '' then redis.call('ZREM', ARGV[i - 1], KEYS[i]) end
end
return 0
"""


class RedisBudgets:
    """A `Budgets` over a link to one server."""

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        register = link.client.register_script
        self._reserve = register(_RESERVE)
        self._top_up = register(_TOP_UP)
        self._settle = register(_SETTLE)
        self._sweep = register(_SWEEP)
        self._spent = register(_SPENT)
        self._forget = register(_FORGET)

    async def close(self) -> None:
        """Close the link."""
        await self._link.close()

    async def reserve(
        self, key: str, accounts: Sequence[Account], micros: int, at: float
    ) -> Reservation:
        """Hold `micros` in all of these accounts, or in none."""
        return await self._held(self._reserve, key, accounts, micros, at)

    async def top_up(
        self, key: str, accounts: Sequence[Account], micros: int, at: float
    ) -> Reservation:
        """Hold `micros` in all under a key."""
        return await self._held(self._top_up, key, accounts, micros, at)

    async def settle(self, key: str, micros: int, at: float) -> list[Settled]:
        """Put what was really spent in the place of what was held."""
        keys = [_HOLDS, _hold(key)]
        told = await self._link.call(lambda: self._settle(keys=keys, args=[micros]))
        pairs = zip(told[::2], told[1::2], strict=True)
        return [
            Settled(name.decode("ascii").removeprefix(_ACCOUNT), int(after) - micros, int(after))
            for name, after in pairs
        ]

    async def _held(
        self, script: AsyncScript, key: str, accounts: Sequence[Account], micros: int, at: float
    ) -> Reservation:
        accounts = list({one.name: one for one in accounts}.values())
        keys = [_HOLDS, _hold(key), *map(_account, accounts)]
        args: list[str | int] = [micros, repr(at), repr(at - HELD_S)]
        for one in accounts:
            args += [one.limit, _milliseconds(one, at), _heavy(one)]
        by, held = await self._link.call(lambda: script(keys=keys, args=args))
        return Reservation(key, int(held), accounts[int(by) - 1] if by else None)

    async def spent(self, accounts: Sequence[Account]) -> list[int]:
        """What each account has spent and holds."""
        keys = [_HOLDS, *map(_account, accounts)]
        sums = await self._link.call(lambda: self._spent(keys=keys))
        return [int(one) for one in sums]

    async def heaviest(
        self, site: str, period: Period, began: float, kind: Kind, most: int
    ) -> list[Heavy]:
        """The accounts of a site's visitors of this kind that have most spent and held."""
        heavy, client = _heavy_of(site, period, began, kind), self._link.client
        found: Any = await self._link.call(
            lambda: client.zrange(heavy, 0, max(0, most - 1), desc=True, withscores=True)
        )
        return [
            Heavy(name.decode("ascii").removeprefix(_ACCOUNT), int(micros))
            for name, micros in found[:most]
        ]

    async def sweep(self, at: float) -> int:
        """Give back what was held for longer than `HELD_S`; how many reservations that were.

        Accounts go by themselves when their time is over.
        """
        given, args = 0, [repr(at - HELD_S)]
        while True:
            some = int(await self._link.call(lambda: self._sweep(keys=[_HOLDS], args=args)))
            given += some
            if some < AT_ONCE:
                return given

    async def forget(self, accounts: Sequence[Account]) -> None:
        """Forget these accounts, and what is held in them."""
        keys = [_HOLDS, *map(_account, accounts)]
        args = [_heavy(one) for one in accounts]
        await self._link.call(lambda: self._forget(keys=keys, args=args))


def _hold(key: str) -> str:
    digest = sha256_hex(key.encode("utf-8", "surrogatepass"))
    return f"{PREFIX}hold:{digest[:_DIGEST_LETTERS]}"


def _heavy(account: Account) -> str:
    """The sorted set of this account's kind; none for a site's own, its server's and operators'."""
    kind = account.subject.partition(":")[0]
    if kind not in KINDS or kind == account.subject:
        return ""
    return _heavy_of(account.site, account.period, account.began, kind)


def _heavy_of(site: str, period: Period, began: float, kind: str) -> str:
    return f"{_HEAVY}{account_name(site, f'{kind}:', period, began)}"


def _milliseconds(account: Account, at: float) -> int:
    """How long an account is kept from `at` on; no clock but the caller's is asked."""
    return max(1, math.ceil((account.began + KEPT_S[account.period] - at) * 1000))


def _account(account: Account) -> str:
    return f"{_ACCOUNT}{account.name}"
