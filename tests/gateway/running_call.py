"""A process that begins an idempotent call and never ends it. It is made to be killed.

Run as `python -m tests.gateway.running_call REDIS_URL MARK_S`; it says `begun` once it has.
"""

import asyncio
import secrets
import sys
import time

from gateway.adapters.memory import MemoryTruth
from gateway.adapters.redis_cache import RedisCache
from gateway.idempotency import Idempotency
from tests.congruence.samples import ANNA

KEY = "k"
TURN = "t_running"
BODY = "0" * 64
LONGEST_S = 60.0


async def main(url: str, mark_s: float) -> None:
    """Begin the call, and go on with it until the end."""
    cache = RedisCache(url, clock=time.time, random=secrets.token_bytes)
    await cache.start()
    calls = Idempotency(MemoryTruth(clock=time.time), cache, time.time, LONGEST_S, mark_s=mark_s)
    assert await calls.begin(ANNA, KEY, BODY, TURN) is None
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    await asyncio.sleep(LONGEST_S)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
