"""Which model makes room for another."""

import asyncio
from dataclasses import dataclass, field

import pytest

from models.engines.memory import Memory
from models.engines.room import Room
from models.errors import NoMemory


@dataclass
class Tenant:
    """A model that takes 30 of whatever there is; it ends its use when a test says so."""

    name: str
    used_at: float = 0.0
    loaded: bool = True
    idle: bool = True
    memory: int = 30
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def give_up(self) -> None:
        self.asked.set()
        if not self.idle:
            await self.ended.wait()
        self.loaded = False


def room(*tenants: Tenant, limit: int | None = None, free: int = 1_000) -> Room:
    def read() -> Memory:
        return Memory(1_000, free - sum(each.memory for each in tenants if each.loaded))

    made = Room(limit, read)
    for each in tenants:
        made.add(each)
    return made


async def test_the_least_recently_used_goes_and_no_more_than_must() -> None:
    old, new, wanted = Tenant("old", 1), Tenant("new", 2), Tenant("wanted", loaded=False)
    await room(old, new, wanted, limit=90).make(wanted)
    assert (old.loaded, new.loaded) == (True, True)
    await room(old, new, wanted, limit=80).make(wanted)
    assert (old.loaded, new.loaded) == (False, True)


async def test_one_that_nobody_uses_goes_first() -> None:
    busy, idle = Tenant("busy", 1, idle=False), Tenant("idle", 2)
    wanted = Tenant("wanted", loaded=False)
    await room(busy, idle, wanted, limit=60).make(wanted)
    assert (busy.loaded, idle.loaded) == (True, False)


async def test_where_all_are_used_one_is_waited_for() -> None:
    busy, wanted = Tenant("busy", idle=False), Tenant("wanted", loaded=False)
    making = asyncio.create_task(room(busy, wanted, limit=40).make(wanted))
    await busy.asked.wait()
    assert not making.done()
    busy.ended.set()
    await making
    assert not busy.loaded


async def test_one_that_is_being_loaded_counts_and_is_waited_for() -> None:
    first, second = Tenant("first", loaded=False), Tenant("second", loaded=False)
    shared = room(first, second, limit=40)
    await shared.make(first)
    making = asyncio.create_task(shared.make(second))
    await asyncio.sleep(0)
    assert not making.done()
    first.loaded = True
    shared.settled(first)
    await making
    assert not first.loaded


async def test_a_machine_with_little_left_counts_as_a_limit() -> None:
    old, wanted = Tenant("old"), Tenant("wanted", loaded=False)
    found = []
    for free in (130, 100):
        await room(old, wanted, free=free).make(wanted)
        found.append(old.loaded)
    assert found == [True, False]
    # Nothing more can be done here: the machine's owner said nothing against trying.
    await room(wanted, free=10).make(wanted)


async def test_one_that_is_too_large_is_refused_in_numbers_and_unloads_nobody() -> None:
    old, wanted = Tenant("old"), Tenant("wanted", loaded=False, memory=2_000_000)
    with pytest.raises(NoMemory, match="wanted takes about 2 MB and models may take 1 MB"):
        await room(old, wanted, limit=1_000_000).make(wanted)
    assert old.loaded


async def test_while_running_an_idle_one_goes_and_one_alone_stays() -> None:
    old, new = Tenant("old", 1, idle=False), Tenant("new", 2)
    shared = room(old, new, limit=50)
    await shared.look()
    assert (old.loaded, new.loaded) == (True, False)
    old.idle, old.memory = True, 60
    await shared.look()
    assert old.loaded
