"""What a turn says of the answers of others: those that a model was given, and none otherwise."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core.bank import Recalled
from gateway.pipeline.assemble import Passages
from gateway.pipeline.looked import looked_at, with_memory
from gateway.pipeline.state import TurnState
from gateway.pipeline.turns import unanswered
from tests.gateway.pipeline.asked import asked

SHORT = Recalled("b_1", "By ship, in eight days.", "person", 0.9)
LONG = Recalled("b_2", "It goes by ship. " * 4_000, "person", 0.95)


def listed(state: TurnState) -> list[str]:
    """The lent answers that the turn's last document names."""
    told: list[Mapping[str, Any]] = []
    turn = unanswered(state, "model_unavailable")
    with_memory(turn, state, looked_at(state, 0.0), 0.0, told.append)
    [meta] = told
    names = [one["memory_id"] for one in meta["known_context"]["known_context_items"]]
    places = meta["retrieval"]["search_position_map"]["by_memory_id"]
    assert [name for name in places if name.startswith("bank:")] == names
    return names


async def test_only_what_the_prompt_held_is_listed() -> None:
    state = await Passages().run(replace(asked(), recalled=(LONG, SHORT)))
    assert state.prompt is not None
    state.bill.call(state.prompt)
    assert listed(state) == ["bank:b_1"]


async def test_where_nobody_was_asked_none_is_listed() -> None:
    state = replace(asked(), recalled=(SHORT,))
    assert listed(state) == []
    state = await Passages().run(state)
    assert listed(state) == [], "no model could be paid for"
