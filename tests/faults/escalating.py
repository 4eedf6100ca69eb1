"""A process that commits escalations without end, and says which ones were acknowledged.

Run as `python -m tests.faults.escalating DATABASE_URL SEED`; it writes an acknowledged number a
line. It is made to be killed.
"""

import asyncio
import os
import sys
import time
from itertools import count

from core.truth import Committed
from gateway.adapters.sql.truth import SqlTruth
from tests.congruence.samples import (
    PAGER,
    a_link,
    a_request,
    a_turn,
    a_work,
    by_browser,
    named,
    opened,
)

TASKS = 24
HOOKS = (("hook", "webhook"), PAGER)


async def escalate(truth: SqlTruth, numbers: "count[int]") -> None:
    """Escalate one turn after the other, each first by the gateway and then by the browser."""
    while True:
        number = next(numbers)
        escalation = opened(number, a_request(number, number), targets=HOOKS)
        link = a_link(f"r{number}", sid=f"s_{number}")
        turn = a_turn(number, number)
        await truth.commit(a_work(f"k{number}", turn=turn, escalation=escalation, link=link))
        if number % 3 == 0:
            later = opened(number + 1, by_browser(number, number), by_gateway=False)
            committed = await truth.commit(a_work(f"b{number}", escalation=later))
            assert committed == Committed(named("e", number), "queued")
        # One write of a short line is whole or absent.
        os.write(sys.stdout.fileno(), f"{number}\n".encode())


async def main(url: str, first: int) -> None:
    """Open the store and escalate from many tasks at once."""
    truth = SqlTruth(url, clock=time.time)
    await truth.start()
    numbers = count(first)
    await asyncio.gather(*(escalate(truth, numbers) for _ in range(TASKS)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
