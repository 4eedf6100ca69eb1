"""Turns whose models call tools: over every store of budgets, at once, none of them overspends.

The model bills all that it may: every token of each prompt, and the longest reply each time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.breaker import Breaker
from core.errors import Unavailable
from core.messages import Usage
from core.model_routing.caller import WIDGET, Caller
from core.model_routing.decision import Price
from core.model_routing.periods import SiteBudget
from core.model_routing.permissions import Permissions
from core.model_routing.spend import Reservation
from core.ports import Piece, Prompt, ToolCall
from gateway.adapters.memory_budgets import MemoryBudgets
from gateway.pipeline.affording import affordable, cost
from gateway.pipeline.assemble import Passages
from gateway.pipeline.models import Model, tokens_of
from gateway.pipeline.reach import Patience
from gateway.pipeline.route import Preference
from gateway.pipeline.spending import Spending, SpendingRules
from gateway.pipeline.state import TurnState
from gateway.pipeline.tools.tool import Context
from gateway.pipeline.tools.toolbox import House, toolbox
from gateway.pipeline.transport import Streaming
from tests.congruence.samples import NOON, StandingClock
from tests.congruence.test_budgets import kind, opened, place  # noqa: F401 - fixtures
from tests.gateway.pipeline.asked import asked

PRICE = Price(1, 2)
"""Of a million tokens in dollars, so that a token is a millionth or two of one."""
MINE = Permissions(
    cost_budget_daily_usd=0.01, cost_budget_monthly_usd=0, tool_access=("shelf.look",)
)
TEXT = {"type": "string"}


@dataclass
class Shelf:
    """A tool whose result is so many words long."""

    words: int
    name = "shelf.look"
    description = "Looks something up."
    most_a_turn = 0
    parameters: Mapping[str, Any] = field(
        default_factory=lambda: {"type": "object", "properties": {}}
    )
    returns: Mapping[str, Any] = field(
        default_factory=lambda: {
            "type": "object",
            "properties": {"rows": {"type": "array", "items": TEXT}},
            "required": ["rows"],
        }
    )

    async def run(self, arguments: Mapping[str, Any], context: Context) -> Mapping[str, Any]:
        return {"rows": ["counter " * self.words]}


class Greedy:
    """Calls the tool so often, and then answers; `text` is said beside each call."""

    model = "greedy"

    def __init__(self, rounds: int, text: str = "") -> None:
        self.rounds = rounds
        self.text = text
        self.asked = 0

    async def stream(self, prompt: Prompt) -> AsyncIterator[Piece]:
        self.asked += 1
        await asyncio.sleep(0)
        calls = (ToolCall(f"c{self.asked}", "shelf_look", "{}"),)
        if prompt.may_call and prompt.tools and self.asked <= self.rounds:
            yield Piece(self.text, calls=calls)
        else:
            yield Piece("It is at the counter.")
        yield Piece(usage=Usage(tokens_of(prompt), prompt.max_tokens))

    async def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True)
class Asking:
    """A turn: how often its model calls, and what a result is."""

    visitor: str
    rounds: int
    words: int


async def ask(
    spending: Spending, key: str, asking: Asking, number: int, text: str = ""
) -> tuple[TurnState, Greedy]:
    """The turn's state once it has been answered and settled."""
    server = Greedy(asking.rounds, text)
    model = Model("greedy", server, Breaker(lambda: 0.0), 128_000, price=PRICE)
    site = f"site_{number}"
    caller = Caller(site, f"anon:{asking.visitor}", WIDGET)
    state = asked()
    state = replace(
        state,
        request=replace(state.request, turn_id=key),
        site=replace(state.site, key=site, tools=("shelf.look",)),
        caller=caller,
        allowed=MINE,
    )
    try:
        state = await Preference([model], spending).run(state)
        if state.turn is None:
            state = await Passages().run(state)
            box = toolbox((Shelf(asking.words),), House(rounds=4))
            stage = Streaming(Patience(10.0, rounds=1), tools=box, purse=spending)
            state = await stage.run(state)
    finally:
        spending.settle(caller, key, state.bill)
    await spending.settled(20)
    return state, server


askings = st.builds(
    Asking, st.sampled_from(["anna", "ben"]), st.integers(0, 5), st.sampled_from([0, 40, 400])
)


async def race(kind: str, place: str, turns: list[Asking], usd: float, number: int) -> None:  # noqa: F811
    """All at once over three processes' ways to one store."""
    rules = SpendingRules({f"site_{number}": SiteBudget(usd)})
    async with opened(kind, place) as make:
        ways = [Spending(await make(), StandingClock(), rules, deadline_s=20) for _ in range(3)]
        states = await asyncio.gather(
            *(ask(ways[at % 3], f"t_{at}", turn, number) for at, turn in enumerate(turns))
        )
        [day, _] = await ways[0].use.of_site(f"site_{number}")
    assert day.micros == sum(state.bill.micros for state, _ in states)
    assert day.micros <= day.limit
    for visitor in ("anna", "ben"):
        paid = [
            state.bill.micros
            for (state, _), turn in zip(states, turns, strict=True)
            if turn.visitor == visitor
        ]
        assert sum(paid) <= MINE.cost_budget_daily_usd * 1e6
    for state, _ in states:
        assert state.turn is None or state.turn.reasons[-1] in ("budget_spent", "tools_unfinished")


@pytest.mark.timeout(400)
def test_no_loop_of_tools_and_no_race_of_them_overspends(kind: str, place: str) -> None:  # noqa: F811
    numbers = iter(range(10**9))

    @settings(
        max_examples=settings().max_examples // (1 if kind == "memory" else 4),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(askings, min_size=1, max_size=8), st.sampled_from([0.001, 0.004, 0.02]))
    def runs(turns: list[Asking], usd: float) -> None:
        asyncio.run(race(kind, place, turns, usd, next(numbers)))

    runs()


def counting(budgets: Any, usd: float) -> Spending:
    clock = StandingClock()
    clock.now = NOON
    return Spending(budgets, clock, SpendingRules({"site_1": SiteBudget(usd)}))


async def whole() -> int:
    """What the longest of these turns costs, in millionths of a dollar."""
    spending = counting(MemoryBudgets(), 1.0)
    state, server = await ask(spending, "t_0", LONG, 1)
    assert (state.turn, server.asked) == (None, 4)
    return state.bill.micros


LONG = Asking("anna", 3, 300)


async def test_a_round_that_is_too_dear_ends_them_and_a_person_is_asked() -> None:
    all_of_it = await whole()
    spending = counting(MemoryBudgets(), all_of_it * 0.8 / 1e6)
    state, server = await ask(spending, "t_1", LONG, 1)
    assert 1 <= server.asked < 4
    assert state.turn is not None
    assert (state.turn.reply, state.turn.reasons[-1]) == ("", "budget_spent")
    assert state.turn.escalate
    [day, _] = await spending.use.of_site("site_1")
    assert 0 < day.micros == state.bill.micros < day.limit


async def test_what_was_said_beside_the_calls_stays_where_another_round_is_too_dear() -> None:
    spending = counting(MemoryBudgets(), await whole() * 0.8 / 1e6)
    said = "Order 7 is at the counter."
    state, server = await ask(spending, "t_1", LONG, 1, said)
    assert state.turn is None
    assert state.written is not None
    assert state.written.reply == "\n\n".join([said] * server.asked)
    assert len(state.tool_runs) == server.asked < 4


async def test_a_cheaper_model_goes_on_where_the_dear_one_cannot() -> None:
    spending = counting(MemoryBudgets(), 0.001)
    dear, cheap, free = (
        Model(name, Greedy(0), Breaker(lambda: 0.0), price=price)
        for name, price in (("dear", Price(9, 90)), ("cheap", PRICE), ("free", Price()))
    )
    prompt = Prompt([{"role": "user", "content": "x" * 400}], 64)
    state = replace(asked(), caller=Caller("site_1", "anon:anna", WIDGET), allowed=MINE)
    paid = await affordable(spending, state, prompt, [dear, free, cheap])
    assert [model.name for model in paid.models] == ["free", "cheap"]
    [day, _] = await spending.use.of_site("site_1")
    assert day.micros == cost(prompt, cheap)
    alone = await affordable(spending, state, prompt, [dear])
    assert (alone.models, alone.reason) == ((), "budget_spent")


class Broken:
    """A purse whose store does not answer."""

    async def top_up(
        self, caller: Caller, allowed: Permissions, key: str, micros: int
    ) -> Reservation:
        raise Unavailable("away")


async def test_money_that_cannot_be_counted_is_not_spent() -> None:
    model = Model("dear", Greedy(0), Breaker(lambda: 0.0), price=PRICE)
    state = replace(asked(), caller=Caller("site_1", "anon:anna", WIDGET))
    paid = await affordable(Broken(), state, Prompt([], 64), [model])
    assert (paid.models, paid.reason) == ((), "budget_unavailable")
