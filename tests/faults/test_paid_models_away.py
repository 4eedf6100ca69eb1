"""Models that cost money and call tools, behind a network and servers that fail.

As `test_models_away`, with tiers, learned choices and budgets on: whatever becomes of a turn,
before its first word or in the middle of its tools, it ends in time, and no money stays held.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from gateway.cli.bench.hook import hook
from gateway.cli.bench.mortal import SECRET, Mortal
from gateway.cli.bench.provider import REPLY, Calling, Failure, Provider
from tests.faults.house import House
from tests.faults.proxy import FAULTS, Mode, before, printed_seed
from tests.gateway.serving import served

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEARCH = Calling((("kb_search", '{"query": "which wire suits a lamp"}'),))
SETTLED_S = 3.0
BEFORE_A_WORD: tuple[Failure, ...] = ("hang", "garbage", "refuse", "busy", "decline")
IN_THE_MIDDLE: tuple[Failure, ...] = ("stall", "reset", "half", "error")
SITES = """
tools = ["kb.search"]
daily_usd = 100
monthly_usd = 1000
"""
MODELS = """
[routing]
mode = "{mode}"

[[tiers]]
name = "everyday"
models = ["first", "second"]

[[tiers]]
name = "hard"
models = ["second"]
low = 0.9

[permissions.zero_trust]
max_tier = "everyday"
rate_limit = 0
tool_access = ["kb.search"]
cost_budget_daily_usd = 100
cost_budget_monthly_usd = 1000

[[models]]
name = "first"
url = "http://127.0.0.1:{first}/v1"
model = "model-one"
read_usd = 1
written_usd = 4

[[models]]
name = "second"
dialect = "anthropic"
url = "http://127.0.0.1:{second}/v1"
model = "model-two"
read_usd = 3
written_usd = 15
"""


@dataclass
class PaidHouse(House):
    """One whose models cost money and can be told what to do; its money can be looked at."""

    one: Provider
    two: Provider

    async def settled(self) -> int:
        """Wait until no money is held; what was spent in all, in millionths of a US dollar."""
        async with asyncio.timeout(SETTLED_S * self.patience):
            while True:
                holds, held, spent = self._money()
                if holds == held == 0:
                    return spent
                await asyncio.sleep(0.05)

    def _money(self) -> tuple[int, int, int]:
        path = self.gateway.folder / ".fanlight" / "fanlight.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as truth:
            [holds] = truth.execute("SELECT count(*) FROM spending_holds").fetchone()
            [held, spent] = truth.execute(
                "SELECT coalesce(sum(held), 0), coalesce(sum(settled), 0) FROM spending "
                "WHERE subject = '' AND period = 'day'"
            ).fetchone()
        return holds, held, spent


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["tiered", "learned"])
async def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, long: bool
) -> AsyncIterator[PaidHouse]:
    seed = printed_seed()
    one, two = Provider(), Provider()
    with served(one) as first_url, served(two) as second_url:
        async with (
            hook(SECRET, random.Random(seed)) as webhook,
            before(urlsplit(first_url).port or 0, seed) as first,
            before(urlsplit(second_url).port or 0, seed + 1) as second,
        ):
            gateway = Mortal(
                tmp_path_factory.mktemp(request.param),
                webhook.port,
                ports=(first.port, second.port),
                more=MODELS.format(mode=request.param, first=first.port, second=second.port),
                site_more=SITES,
            )
            try:
                await gateway.start()
                yield PaidHouse(gateway, first, second, 1.0 if long else 2.0, one, two)
            finally:
                await gateway.stop()


@pytest.mark.parametrize("step", [*BEFORE_A_WORD, *IN_THE_MIDDLE])
async def test_a_model_that_fails_after_its_tools_ran_costs_no_more_than_it_said(
    house: PaidHouse, step: Failure
) -> None:
    await house.answered_by("model-one")
    spent = await house.settled()
    house.one.script.extend((SEARCH, step))
    turn = await house.ask()
    if step in IN_THE_MIDDLE:
        # It had begun to answer, and what a visitor has read is not begun anew.
        assert turn["escalate"]
        assert turn["reasons"][-1] == "model_unavailable"
    else:
        assert (turn["source"], turn["reply"]) == ("cloud", REPLY)
        assert b"tool_result" in house.two.asked[-1]  # the other has what the tools gave
    assert await house.settled() > spent  # the round that ran its tools is paid for
    house.one.script.clear()


@pytest.mark.parametrize("mode", FAULTS)
async def test_whatever_the_network_does_the_other_answers_and_no_money_stays_held(
    house: PaidHouse, mode: Mode
) -> None:
    await house.answered_by("model-one")
    await house.first.set(mode)
    turn = await house.ask()
    if turn["model"] is None:
        assert turn["escalate"]
        turn = await house.ask()
    assert (turn["source"], turn["reply"]) == ("cloud", REPLY)
    await house.settled()
    await house.first.set("pass")


async def test_where_all_models_fail_nothing_is_paid_and_both_come_back(house: PaidHouse) -> None:
    await house.answered_by("model-one")
    spent = await house.settled()
    await house.first.set("reset")
    await house.second.set("garbage")
    for _ in range(6):
        turn = await house.ask()
        assert (turn["escalate"], turn["source"], turn["reply"]) == (True, "kb", "")
        assert turn["reasons"][-1] == "model_unavailable"
    assert await house.settled() == spent
    heard = house.first.heard + house.second.heard
    await house.ask()
    # Both rest, save for one trial each where its time has come; a request may be heard in parts.
    assert house.first.heard + house.second.heard <= heard + 4
    await house.second.set("pass")
    await house.answered_by("model-two")
    await house.first.set("pass")
    await house.answered_by("model-one")
    await house.settled()
