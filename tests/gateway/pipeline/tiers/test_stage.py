"""The route by tiers over real models' breakers: rates are counted, money is held, reasons told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest

from core.breaker import Breaker, Rule
from core.errors import Unavailable
from core.messages import MemoryTurn
from core.model_routing.caller import WIDGET, Caller
from core.model_routing.decision import Price, Tier
from core.model_routing.periods import SiteBudget
from core.model_routing.permissions import Permissions
from core.model_routing.rates import ProcessRates
from core.model_routing.select import Rules
from core.model_routing.spend import Account, Reservation
from core.ports import Piece, Prompt
from core.telemetry import ROUTED, Metric, Silent
from gateway.adapters.memory_budgets import MemoryBudgets
from gateway.pipeline.classify.tasks import Profile
from gateway.pipeline.models import Model
from gateway.pipeline.state import TurnState
from gateway.pipeline.tiers.looking import Looking
from gateway.pipeline.tiers.size import INSTRUCTIONS, prompt_tokens, reply_tokens
from gateway.pipeline.tiers.stage import Routing, Tiered
from tests.gateway.pipeline.asked import asked
from tests.gateway.world import START

TIERS = (Tier("small", ("own", "mini"), 0.0, 0.5), Tier("big", ("large",), 0.4, 1.0))
KNOWN = Caller("site_demo", "user:i|7", WIDGET, "i|7")
ALL = Permissions(max_tier="big", rate_limit=0)


@dataclass
class Named:
    """A model that is never asked here."""

    model: str

    async def stream(self, prompt: Prompt) -> AsyncIterator[Piece]:
        yield Piece(str(prompt))

    async def close(self) -> None:
        """Nothing is open."""


@dataclass
class Counting(Silent):
    """Telemetry that keeps what was routed."""

    routed: list[tuple[str, str]] = field(default_factory=list)

    def count(self, metric: Metric, *, by: int = 1, **labels: str) -> None:
        if metric is ROUTED:
            self.routed.append((labels["tier"], labels["reason"]))


@dataclass
class Purse:
    """Holds up to so much; None is a purse that cannot be reached."""

    left: int | None
    held: list[tuple[str, int]] = field(default_factory=list)

    async def hold(
        self, caller: Caller, allowed: Permissions, key: str, micros: int
    ) -> Reservation:
        if self.left is None:
            raise Unavailable("the purse is away")
        if micros > self.left:
            return Reservation(key, micros, Account(caller.site, caller.subject, "day", 0.0, 1))
        self.held.append((key, micros))
        return Reservation(key, micros)


def models() -> dict[str, Model]:
    return {
        name: Model(
            name,
            Named(name),
            Breaker(lambda: START, Rule(failures=1)),
            price=price,
            provider="openai",
        )
        for name, price in (
            ("own", Price()),
            ("mini", Price(0.1, 0.4)),
            ("large", Price(3.0, 15.0)),
        )
    }


def question(
    complexity: float = 0.1, *, sure: float = 0.9, allowed: Permissions = ALL
) -> TurnState:
    profile = Profile("chat", complexity, (), sure)
    return replace(asked(), profile=profile, caller=KNOWN, allowed=allowed)


def names(state: TurnState) -> list[str]:
    return [model.name for model in state.candidates]


async def test_an_easy_question_goes_to_the_small_tier_and_its_others_stand_in() -> None:
    telemetry = Counting()
    stage = Tiered(list(models().values()), Routing(Rules(TIERS)), telemetry)
    state = await stage.run(question())
    assert names(state) == ["own", "mini"]
    assert state.decision is not None
    assert (state.decision.tier, state.decision.reason) == ("small", "complexity")
    assert telemetry.routed == [("small", "complexity")]
    assert state.turn is None


async def test_a_hard_or_an_unsure_one_goes_higher() -> None:
    stage = Tiered(list(models().values()), Routing(Rules(TIERS)))
    assert names(await stage.run(question(0.9))) == ["large"]
    assert names(await stage.run(question(0.1, sure=0.3))) == ["large"]


async def test_the_dearest_candidate_is_paid_for_and_then_less() -> None:
    purse = Purse(left=60)
    stage = Tiered(list(models().values()), Routing(Rules(TIERS), holds=purse))
    state = await stage.run(question(0.9))
    assert names(state) == ["own"]
    assert purse.held == []
    purse.left = 1_000_000
    state = await stage.run(question(0.9))
    [(key, micros)] = purse.held
    assert key == state.request.turn_id
    assert state.decision is not None
    assert micros == state.decision.estimated_micros > 0


async def test_without_money_a_person_is_asked() -> None:
    denied = replace(ALL, model_denylist=("own",))
    stage = Tiered(list(models().values()), Routing(Rules(TIERS), holds=Purse(left=0)))
    turn = (await stage.run(question(0.9, allowed=denied))).turn
    assert turn is not None
    assert (turn.reply, turn.escalate, turn.reasons[-1]) == ("", True, "budget_spent")


async def test_a_purse_out_of_reach_leaves_ones_own_model() -> None:
    stage = Tiered(list(models().values()), Routing(Rules(TIERS), holds=Purse(left=None)))
    assert names(await stage.run(question(0.9))) == ["own"]
    denied = replace(ALL, model_denylist=("own",))
    turn = (await stage.run(question(0.9, allowed=denied))).turn
    assert turn is not None
    assert turn.reasons[-1] == "budget_unavailable"


async def test_who_asks_too_often_waits_and_another_does_not() -> None:
    limited = replace(ALL, rate_limit=2)
    stage = Tiered(list(models().values()), Routing(Rules(TIERS), ProcessRates(0, lambda: START)))
    for _ in range(2):
        assert (await stage.run(question(allowed=limited))).turn is None
    turn = (await stage.run(question(allowed=limited))).turn
    assert turn is not None
    assert turn.reasons[-1] == "rate_limited"
    other = replace(question(allowed=limited), caller=Caller("site_demo", "anon:2", WIDGET))
    assert (await stage.run(other)).turn is None


async def test_a_model_whose_breaker_is_open_is_left_out() -> None:
    made = models()
    stage = Tiered(list(made.values()), Routing(Rules(TIERS)))
    made["own"].breaker.failed()
    assert names(await stage.run(question())) == ["mini"]
    made["large"].breaker.failed()
    state = await stage.run(question(0.9))
    assert (names(state), state.decision and state.decision.reason) == (["mini"], "demoted")
    made["mini"].breaker.failed()
    turn = (await stage.run(question())).turn
    assert turn is not None
    assert turn.reasons[-1] == "model_unavailable"


async def test_models_take_turns() -> None:
    stage = Tiered(list(models().values()), Routing(Rules(TIERS, "round_robin")))
    first = [names(await stage.run(question()))[0] for _ in range(4)]
    assert first == ["own", "mini", "own", "mini"]


async def test_whoever_is_named_nowhere_has_the_least() -> None:
    stage = Tiered(list(models().values()), Routing(Rules((Tier("free", ("own",)), *TIERS[1:]))))
    state = await stage.run(asked())
    assert names(state) == ["own"]
    assert state.allowed == Permissions()


async def test_without_models_the_turn_says_so() -> None:
    turn = (await Tiered((), Routing(Rules(TIERS))).run(question())).turn
    assert turn is not None
    assert turn.reasons[-1] == "no_model"


async def test_explaining_counts_no_rate_holds_no_money_and_takes_no_turn() -> None:
    budgets, purse, telemetry = MemoryBudgets(), Purse(left=10**9), Counting()
    looks = Looking(budgets, lambda _: SiteBudget(daily_usd=0.001), 0, lambda: START)
    routing = Routing(
        Rules(TIERS, "round_robin"), ProcessRates(0, lambda: START), holds=purse, looks=looks
    )
    stage = Tiered(list(models().values()), routing, telemetry)
    once = replace(ALL, rate_limit=1)
    for _ in range(3):
        decision = await stage.explain(question(0.9, allowed=once))
        assert (decision.models[0], decision.reason) == ("own", "budget")
        assert "more than is left of the site's $0.001 a day" in str(decision.steps)
    assert (purse.held, telemetry.routed) == ([], [])
    assert (await stage.run(question(allowed=once))).turn is None
    assert (await stage.explain(question(allowed=once))).reason == "rate_limited"


async def test_a_predicted_tier_is_taken_within_reach() -> None:
    routing = Routing(Rules(TIERS), predict=lambda _: "big")
    stage = Tiered(list(models().values()), routing)
    assert names(await stage.run(question())) == ["large"]
    assert names(await stage.run(question(allowed=replace(ALL, max_tier="small")))) == [
        "own",
        "mini",
    ]


def test_a_prompts_size_is_bounded_by_permissions_and_window() -> None:
    made = list(models().values())
    short = prompt_tokens(asked(), ALL, made)
    assert INSTRUCTIONS < short <= ALL.max_context_tokens
    talk = [MemoryTurn("user", "word " * 4_000)] * 9
    assert prompt_tokens(asked(memory=talk), ALL, made) == ALL.max_context_tokens
    unlimited = replace(ALL, max_context_tokens=0)
    assert prompt_tokens(asked(memory=talk), unlimited, made) == made[0].context_tokens
    made[0].measure.ratio = 2.0
    assert prompt_tokens(asked(), ALL, made) == pytest.approx(2 * short, abs=2)


def test_a_replys_size_is_the_least_of_three() -> None:
    assert reply_tokens(asked(max_tokens=64), ALL) == 64
    assert reply_tokens(asked(max_tokens=9_999), replace(ALL, max_output_tokens=0)) == 1_024
    assert reply_tokens(asked(max_tokens=9_999), replace(ALL, max_output_tokens=100)) == 100
