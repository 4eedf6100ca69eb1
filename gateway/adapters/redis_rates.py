"""Rates in Redis, for several gateway processes: each call is one script.

It decides by the server's own clock, which is one for all, so that a gateway whose clock is wrong
holds nobody up. A window is one value: the number of its newest part and a count for each part, as
in `core.model_routing.windows`, under a digest, and gone by itself once it is past. It does not
open the way: whoever holds the link closes it.
"""

from __future__ import annotations

from typing import Final

from core.digest import sha256_hex
from core.model_routing.windows import PART_S, PARTS, Limited, Whose, limited
from core.ports import Clock
from gateway.adapters.redis_cache import PREFIX
from gateway.adapters.redis_link import RedisLink

DEADLINE_S: Final = 0.5
"""Where it takes longer a process counts by itself, and the visitor has waited for no more."""

_RATE: Final = f"{PREFIX}rate:"
_DIGEST_LETTERS: Final = 40

_WINDOWS: Final = f"""
local parts, part_s = {PARTS}, {PART_S}
local now = tonumber(ARGV[1])
if not now then
  local told = redis.call('TIME')
  now = tonumber(told[1]) + tonumber(told[2]) / 1000000
end
local answer, free = {{string.format('%.6f', now)}}, true
local moved = {{}}
for i = 1, #KEYS do
  local found, newest, sum = {{}}, math.floor(now / part_s), 0
  for number in string.gmatch(redis.call('GET', KEYS[i]) or '', '%d+') do
    found[#found + 1] = tonumber(number)
  end
  local passed = newest - (found[1] or newest)
  if passed < 0 then newest, passed = found[1], 0 end
  local window = {{string.format('%d', newest)}}
  for at = 1, parts do
    local count = at > passed and found[1 + at - passed] or 0
    window[1 + at] = count
    sum = sum + count
  end
  if sum + 1 > tonumber(ARGV[2 + i]) then free = false end
  moved[i] = window
  answer[1 + i] = table.concat(window, ' ')
end
if free and ARGV[2] == 'take' then
  for i = 1, #KEYS do
    moved[i][2] = moved[i][2] + 1
    redis.call('SET', KEYS[i], table.concat(moved[i], ' '), 'PX', parts * part_s * 1000)
  end
end
return answer
"""
"""The time, and the windows as they were found; a turn is counted where none of them is full."""


class RedisRates:
    """A `Rates` over a link to one server; `limit` is everybody's turns a minute together.

    Without a `clock` the server's own counts.
    """

    def __init__(self, link: RedisLink, limit: int, clock: Clock | None = None) -> None:
        self._link = link
        self._limit = limit
        self._clock = clock
        self._windows = link.client.register_script(_WINDOWS)

    async def close(self) -> None:
        """Close the link."""
        await self._link.close()

    async def take(self, subject: str, limit: int) -> Limited | None:
        """Count a turn of this subject; one that has to wait is not counted."""
        return await self._ask("take", subject, limit)

    async def look(self, subject: str, limit: int) -> Limited | None:
        """Whether this subject would have to wait now; counts nothing."""
        return await self._ask("look", subject, limit)

    async def _ask(self, what: str, subject: str, limit: int) -> Limited | None:
        both: tuple[tuple[Whose, str, int], ...] = (
            ("everybody", _RATE, self._limit),
            ("subject", _name(subject), limit),
        )
        wanted = [one for one in both if one[2]]
        if not wanted:
            return None
        keys = [key for _, key, _ in wanted]
        now = "" if self._clock is None else repr(self._clock())
        args: list[str | int] = [now, what, *(most for _, _, most in wanted)]
        told = await self._link.call(lambda: self._windows(keys=keys, args=args))
        at = float(told[0])
        for (whose, _, most), window in zip(wanted, told[1:], strict=True):
            part, *counts = map(int, window.split())
            found = limited(whose, most, counts, part, at)
            if found is not None:
                return found
        return None


def _name(subject: str) -> str:
    digest = sha256_hex(subject.encode("utf-8", "surrogatepass"))
    return f"{_RATE}{digest[:_DIGEST_LETTERS]}"
