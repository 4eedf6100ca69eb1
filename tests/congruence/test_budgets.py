"""What every store of budgets promises, and that nobody overspends however many reserve at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.model_routing.periods import DAY_S
from core.model_routing.spend import (
    HELD_S,
    KEPT_S,
    Account,
    Budgets,
    Heavy,
    Period,
    Settled,
)
from gateway.adapters.memory_budgets import MemoryBudgets
from gateway.adapters.redis_budgets import RedisBudgets, _account
from gateway.adapters.redis_link import RedisLink
from gateway.adapters.sql.truth import SqlTruth
from tests.congruence.samples import NOON, StandingClock
from tests.servers import PostgresServer, RedisServer

STORES = (
    "memory",
    "sqlite",
    pytest.param("postgresql", marks=pytest.mark.needs("postgresql")),
    pytest.param("redis", marks=pytest.mark.needs("redis-server")),
)
DAY = Account("site_a", "", "day", NOON - 3600, 1000)
MONTH = Account("site_a", "", "month", NOON - DAY_S, 5000)
ANNA = Account("site_a", "anon:anna", "day", NOON - 3600, 300)
BEN = Account("site_a", "anon:ben", "day", NOON - 3600, 300)
ELSEWHERE = Account("site_b", "", "day", NOON - 3600, 1000)
FREE = Account("site_c", "", "day", NOON - 3600)
EVERY = (DAY, MONTH, ANNA, BEN, ELSEWHERE, FREE)

type Opening = Callable[[], Awaitable[Budgets]]


@asynccontextmanager
async def opened(kind: str, place: str) -> AsyncIterator[Opening]:
    """Opens one store again and again, each time as another process would."""
    memory = MemoryBudgets()

    async with AsyncExitStack() as stack:

        async def make() -> Budgets:
            if kind == "memory":
                return memory
            if kind == "redis":
                budgets = RedisBudgets(RedisLink(place, deadline_s=20))
                stack.push_async_callback(budgets.close)
                return budgets
            truth = SqlTruth(place, clock=StandingClock(), deadline_s=20)
            await truth.start()
            stack.push_async_callback(truth.close)
            return truth.budgets

        yield make


@pytest.fixture(params=STORES)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def place(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a store that is empty."""
    if kind == "postgresql":
        postgres: PostgresServer = request.getfixturevalue("postgres_server")
        yield postgres.create_database()
    elif kind == "redis":
        redis: RedisServer = request.getfixturevalue("redis_server")
        asyncio.run(emptied(redis.url))
        yield redis.url
    else:
        yield f"sqlite:///{tmp_path}/truth.db"


async def emptied(url: str) -> None:
    link = RedisLink(url)
    await link.client.flushall()
    await link.close()


@pytest.fixture
async def open_budgets(kind: str, place: str) -> AsyncIterator[Opening]:
    async with opened(kind, place) as make:
        yield make


@pytest.fixture
async def budgets(open_budgets: Opening) -> Budgets:
    return await open_budgets()


async def test_money_is_held_in_every_account_or_in_none(budgets: Budgets) -> None:
    accounts = (ANNA, DAY, MONTH)
    assert (await budgets.reserve("k1", accounts, 200, NOON)).granted
    refused = await budgets.reserve("k2", accounts, 101, NOON)
    assert (refused.granted, refused.refused, refused.micros) == (False, ANNA, 101)
    assert await budgets.spent(accounts) == [200, 200, 200]
    assert (await budgets.reserve("k3", accounts, 100, NOON)).granted
    assert await budgets.spent((*accounts, BEN)) == [300, 300, 300, 0]


async def test_what_is_settled_takes_the_place_of_what_was_held(budgets: Budgets) -> None:
    await budgets.reserve("k1", (ANNA, DAY), 200, NOON)
    told = await budgets.settle("k1", 50, NOON)
    assert by_name(told) == {ANNA.name: (0, 50), DAY.name: (0, 50)}
    assert await budgets.spent((ANNA, DAY)) == [50, 50]
    await budgets.reserve("k2", (BEN, DAY), 200, NOON)
    assert by_name(await budgets.settle("k2", 30, NOON)) == {
        BEN.name: (0, 30),
        DAY.name: (50, 80),
    }


async def test_what_costs_more_than_was_held_is_counted_and_nothing_follows_it(
    budgets: Budgets,
) -> None:
    await budgets.reserve("k1", (DAY,), 900, NOON)
    await budgets.settle("k1", 1100, NOON)
    assert await budgets.spent((DAY,)) == [1100]
    assert not (await budgets.reserve("k2", (DAY,), 1, NOON)).granted


async def test_settling_twice_or_what_nobody_holds_changes_nothing(budgets: Budgets) -> None:
    await budgets.reserve("k1", (ANNA,), 200, NOON)
    await budgets.settle("k1", 50, NOON)
    assert await budgets.settle("k1", 70, NOON) == []
    assert await budgets.settle("k9", 70, NOON) == []
    assert await budgets.spent((ANNA,)) == [50]


async def test_a_key_that_is_held_is_answered_as_the_first_time(budgets: Budgets) -> None:
    first = await budgets.reserve("k1", (ANNA,), 200, NOON)
    again = await budgets.reserve("k1", (ANNA, DAY), 290, NOON)
    assert again == first
    assert await budgets.spent((ANNA, DAY)) == [200, 0]
    await budgets.settle("k1", 0, NOON)
    assert (await budgets.reserve("k1", (ANNA,), 290, NOON)).micros == 290


async def test_a_turn_that_goes_on_holds_what_is_missing_or_what_it_held(budgets: Budgets) -> None:
    accounts = (ANNA, DAY)
    await budgets.reserve("k1", accounts, 100, NOON)
    more = await budgets.top_up("k1", accounts, 250, NOON + 1)
    assert (more.granted, more.micros) == (True, 250)
    assert await budgets.spent(accounts) == [250, 250]
    less = await budgets.top_up("k1", accounts, 200, NOON + 1)
    assert (less.granted, less.micros) == (True, 250)
    refused = await budgets.top_up("k1", accounts, 301, NOON + 1)
    assert (refused.refused, refused.micros) == (ANNA, 250)
    assert await budgets.spent(accounts) == [250, 250]
    await budgets.reserve("k2", (DAY,), 740, NOON)
    refused = await budgets.top_up("k1", accounts, 261, NOON + 1)
    assert (refused.refused, refused.micros) == (DAY, 250)
    told = by_name(await budgets.settle("k1", 240, NOON + 2))
    assert told == {ANNA.name: (0, 240), DAY.name: (0, 240)}
    assert await budgets.spent(accounts) == [240, 980]


async def test_what_nobody_holds_any_more_is_held_anew(budgets: Budgets) -> None:
    assert (await budgets.top_up("k1", (ANNA, DAY), 200, NOON)).micros == 200
    later = NOON + HELD_S + 1
    # It was slower than any turn may be: what it held is as good as given back.
    assert (await budgets.top_up("k1", (ANNA, DAY), 300, later)).granted
    assert await budgets.spent((ANNA, DAY)) == [300, 300]
    assert await budgets.sweep(later) == 0
    assert not (await budgets.top_up("k2", (ANNA, DAY), 1, later)).granted
    assert by_name(await budgets.settle("k1", 10, later)) == {ANNA.name: (0, 10), DAY.name: (0, 10)}


async def test_a_top_up_gets_what_a_dead_process_held_and_leaves_a_forgotten_account(
    budgets: Budgets,
) -> None:
    await budgets.reserve("dead", (ANNA,), 250, NOON - HELD_S)
    await budgets.reserve("k1", (ANNA, DAY), 50, NOON)
    assert (await budgets.top_up("k1", (ANNA, DAY), 300, NOON + 1)).granted
    await budgets.forget([ANNA])
    assert (await budgets.top_up("k1", (ANNA, DAY), 900, NOON + 1)).granted
    assert await budgets.spent((ANNA, DAY)) == [0, 900]
    await budgets.settle("k1", 20, NOON + 1)
    assert await budgets.spent((ANNA, DAY)) == [0, 20]


async def test_the_heaviest_of_each_kind_come_first(budgets: Budgets) -> None:
    began = ANNA.began
    day: tuple[str, Period, float] = (ANNA.site, "day", began)
    user = Account("site_a", "user:https://shop.example|ada", "day", began, 900)
    server = Account("site_a", "api", "day", began, 900)
    others = [replace(ANNA, period="month"), replace(ANNA, site="site_b")]
    for number, account in enumerate((ANNA, BEN, user, server, DAY, *others)):
        await budgets.reserve(f"k{number}", (account,), 100 + number, NOON)
    heavy = await budgets.heaviest(*day, "anon", 5)
    assert heavy == [Heavy(BEN.name, 101), Heavy(ANNA.name, 100)]
    assert await budgets.heaviest(*day, "user", 5) == [Heavy(user.name, 102)]
    await budgets.top_up("k0", (ANNA,), 200, NOON)
    assert await budgets.heaviest(*day, "anon", 1) == [Heavy(ANNA.name, 200)]
    await budgets.settle("k0", 7, NOON)
    await budgets.forget([BEN])
    assert await budgets.heaviest(*day, "anon", 5) == [Heavy(ANNA.name, 7)]
    assert await budgets.heaviest("site_z", "day", began, "anon", 5) == []


async def test_no_limit_is_counted_all_the_same(budgets: Budgets) -> None:
    assert (await budgets.reserve("k1", (FREE,), 10**12, NOON)).granted
    assert await budgets.spent((FREE,)) == [10**12]


async def test_an_account_that_is_named_twice_pays_once(budgets: Budgets) -> None:
    await budgets.reserve("k1", (ANNA, ANNA), 200, NOON)
    assert await budgets.spent((ANNA,)) == [200]
    await budgets.settle("k1", 10, NOON)
    assert await budgets.spent((ANNA,)) == [10]


async def test_what_a_process_held_that_died_is_given_back_after_its_time_and_once(
    open_budgets: Opening,
) -> None:
    dead = await open_budgets()
    await dead.reserve("k1", (ANNA, DAY), 200, NOON)
    await dead.reserve("k2", (DAY,), 100, NOON + 60)
    alive = await open_budgets()
    assert await alive.sweep(NOON + HELD_S) == 0
    assert await alive.spent((ANNA, DAY)) == [200, 300]
    assert await alive.sweep(NOON + HELD_S + 1) == 1
    assert await alive.sweep(NOON + HELD_S + 1) == 0
    assert await alive.spent((ANNA, DAY)) == [0, 100]
    # It was not dead, but slow: what it would settle is not held any more.
    assert await dead.settle("k1", 150, NOON + HELD_S + 2) == []
    assert await alive.spent((ANNA, DAY)) == [0, 100]


async def test_nobody_is_refused_for_what_was_held_too_long(budgets: Budgets) -> None:
    await budgets.reserve("k1", (ANNA,), 300, NOON)
    assert not (await budgets.reserve("k2", (ANNA,), 10, NOON + HELD_S)).granted
    assert (await budgets.reserve("k2", (ANNA,), 10, NOON + HELD_S + 1)).granted
    assert await budgets.spent((ANNA,)) == [10]


async def test_a_new_day_is_a_new_account(budgets: Budgets) -> None:
    await budgets.reserve("k1", (ANNA, MONTH), 300, NOON)
    tomorrow = Account("site_a", "anon:anna", "day", ANNA.began + DAY_S, 300)
    assert (await budgets.reserve("k2", (tomorrow, MONTH), 300, NOON + DAY_S)).granted
    assert await budgets.spent((ANNA, tomorrow, MONTH)) == [300, 300, 600]


async def test_accounts_are_forgotten_when_their_time_is_over(budgets: Budgets) -> None:
    await budgets.reserve("k1", (ANNA, MONTH), 100, NOON)
    await budgets.settle("k1", 100, NOON)
    if isinstance(budgets, RedisBudgets):
        # There the server lets them go by itself.
        for account in (ANNA, MONTH):
            left_ms = await budgets._link.client.pttl(_account(account))
            due_s = account.began + KEPT_S[account.period] - NOON
            assert due_s - 60 <= left_ms / 1000 <= due_s
        return
    await budgets.sweep(ANNA.began + KEPT_S["day"])
    assert await budgets.spent((ANNA, MONTH)) == [100, 100]
    await budgets.sweep(ANNA.began + KEPT_S["day"] + 1)
    assert await budgets.spent((ANNA, MONTH)) == [0, 100]
    await budgets.sweep(MONTH.began + KEPT_S["month"] + 1)
    assert await budgets.spent((ANNA, MONTH)) == [0, 0]


async def test_forgotten_accounts_are_gone_and_the_others_pay_on(budgets: Budgets) -> None:
    await budgets.reserve("k1", (ANNA, DAY), 100, NOON)
    await budgets.forget([ANNA])
    assert await budgets.spent((ANNA, DAY)) == [0, 100]
    await budgets.reserve("k2", (ANNA, DAY), 10, NOON)
    assert by_name(await budgets.settle("k1", 60, NOON)) == {DAY.name: (0, 60)}
    assert await budgets.spent((ANNA, DAY)) == [10, 70]


def by_name(told: Sequence[Settled]) -> dict[str, tuple[int, int]]:
    return {one.account: (one.before, one.after) for one in told}


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn of one of a few visitors: what it holds and what it then costs, as a share.

    `share` is None for one whose process dies; `again` for one that settles twice at once.
    `rounds` are what its tools make dearer, one after the other.
    """

    accounts: tuple[Account, ...]
    micros: int
    share: float | None
    again: bool
    rounds: tuple[int, ...] = ()


shares = st.none() | st.floats(0, 1, allow_nan=False)
turns = st.builds(
    Turn,
    st.sampled_from(
        [(ANNA, DAY, MONTH), (BEN, DAY, MONTH), (DAY, MONTH), (DAY, ANNA), (ELSEWHERE,), (FREE,)]
    ),
    st.integers(1, 400),
    shares,
    st.booleans(),
    st.lists(st.integers(1, 200), max_size=4).map(tuple),
)


@dataclass
class Ledger:
    """What the turns were told, beside what the store says."""

    spent: dict[str, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    passed: list[Settled] = field(default_factory=list)
    granted: list[Turn] = field(default_factory=list)

    def add(self, into: dict[str, int], turn: Turn, micros: int) -> None:
        for account in turn.accounts:
            into[account.name] = into.get(account.name, 0) + micros


async def run_turn(budgets: Budgets, key: str, turn: Turn, ledger: Ledger) -> None:
    made = await budgets.reserve(key, turn.accounts, turn.micros, NOON)
    if not made.granted:
        return
    turn = replace(turn, micros=await go_on(budgets, key, turn))
    ledger.granted.append(turn)
    if turn.share is None:
        ledger.add(ledger.held, turn, turn.micros)
        return
    cost = int(turn.micros * turn.share)
    ledger.add(ledger.spent, turn, cost)
    times = 2 if turn.again else 1
    told = await asyncio.gather(*(budgets.settle(key, cost, NOON) for _ in range(times)))
    assert sum(map(bool, told)) == 1
    ledger.passed += [one for some in told for one in some]


async def go_on(budgets: Budgets, key: str, turn: Turn) -> int:
    """What is held once a round was refused, or all of them are over."""
    held = turn.micros
    for more in turn.rounds:
        made = await budgets.top_up(key, turn.accounts, held + more, NOON)
        assert made.micros == (held + more if made.granted else held)
        if not made.granted:
            break
        held += more
    return held


def elsewhere(account: Account, race: int) -> Account:
    """The same of a race of its own."""
    return replace(account, site=f"{account.site}_{race}")


def of_race(accounts: Sequence[Account], race: int) -> tuple[Account, ...]:
    return tuple(elsewhere(one, race) for one in accounts)


async def watch(budgets: Budgets, every: Sequence[Account]) -> None:
    """Nobody ever sees an account over its limit."""
    while True:
        for account, taken in zip(every, await budgets.spent(every), strict=True):
            assert not account.limit or taken <= account.limit, account
        await asyncio.sleep(0)


async def race(kind: str, place: str, asked: Sequence[Turn], number: int) -> None:
    """All turns at once, over three processes' ways to one store."""
    async with opened(kind, place) as make:
        ways = [await make() for _ in range(3)]
        ledger = Ledger()
        every = [elsewhere(one, number) for one in EVERY]
        asked = [replace(one, accounts=of_race(one.accounts, number)) for one in asked]
        watching = asyncio.create_task(watch(ways[0], every))
        await asyncio.gather(
            *(
                run_turn(ways[one % 3], f"{number}-{one}", turn, ledger)
                for one, turn in enumerate(asked)
            )
        )
        assert not watching.done() or watching.exception() is None
        watching.cancel()
        for account, taken in zip(every, await ways[1].spent(every), strict=True):
            name = account.name
            assert taken == ledger.spent.get(name, 0) + ledger.held.get(name, 0)
            assert not account.limit or taken <= account.limit
        told_one_after_the_other(ledger)
        # Three sweep at once: what was held is given back once.
        given = await asyncio.gather(*(way.sweep(NOON + HELD_S + 1) for way in ways))
        assert sum(given) == sum(turn.share is None for turn in ledger.granted)
        taken_now = await ways[2].spent(every)
        assert taken_now == [ledger.spent.get(one.name, 0) for one in every]


def told_one_after_the_other(ledger: Ledger) -> None:
    """What was passed in an account is passed once: the steps lie end to end."""
    for name, spent in ledger.spent.items():
        steps = sorted((one.before, one.after) for one in ledger.passed if one.account == name)
        reached = 0
        for before, after in steps:
            assert before == reached
            reached = after
        assert reached == spent


@pytest.mark.timeout(400)
def test_however_many_reserve_at_once_nobody_overspends(kind: str, place: str) -> None:
    numbers = iter(range(10**9))

    @settings(
        max_examples=settings().max_examples // (1 if kind in ("memory", "redis") else 3),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(turns, min_size=2, max_size=24))
    def runs(asked: list[Turn]) -> None:
        asyncio.run(race(kind, place, asked, next(numbers)))

    runs()


async def test_what_all_fits_is_refused_to_nobody(open_budgets: Opening) -> None:
    ways = [await open_budgets() for _ in range(3)]
    made = await asyncio.gather(
        *(ways[one % 3].reserve(f"k{one}", (DAY, MONTH), 20, NOON) for one in range(50))
    )
    assert all(one.granted for one in made)
    more = await asyncio.gather(
        *(ways[one % 3].reserve(f"m{one}", (DAY, MONTH), 20, NOON) for one in range(9))
    )
    assert [one.refused for one in more] == [DAY] * 9
    assert await ways[0].spent((DAY, MONTH)) == [1000, 1000]
