"""The frame: which stages run, in which order, for which task; and stages swapped by settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from core.telemetry import SILENT
from gateway.configuration import parse_settings
from gateway.pipeline.builtin import CHAT_STAGES, NAMES, Parts, built_in
from gateway.pipeline.reach import Patience
from gateway.pipeline.stages import DEFAULT, Declared, Stage, build_workflows, slot_of
from gateway.pipeline.state import TurnState
from gateway.pipeline.turns import from_model, unanswered
from tests.gateway.pipeline.asked import asked
from tests.gateway.test_chat import ScriptedModel
from tests.gateway.world import settings, world


class Marks:
    """A stage that leaves its mark in the task type, and may end the turn."""

    def __init__(self, mark: str, *, ends: bool = False) -> None:
        self.mark = mark
        self.ends = ends

    async def run(self, state: TurnState) -> TurnState:
        state = replace(state, task_type=f"{state.task_type} {self.mark}")
        return replace(state, turn=unanswered(state, self.mark)) if self.ends else state


class Sets:
    """A classifier that knows one type of task."""

    async def run(self, state: TurnState) -> TurnState:
        return replace(state, task_type="code")


class Trusting:
    """A scorer that believes everything."""

    async def run(self, state: TurnState) -> TurnState:
        assert state.written is not None
        return replace(state, turn=from_model(state, state.written, 1.0, ()))


CATALOGUE: dict[str, Stage] = {
    "score.a": Marks("scored", ends=True),
    "score.b": Marks("otherwise", ends=True),
    "assemble.a": Marks("assembled"),
    "transport.a": Marks("sent"),
    "transport.early": Marks("early", ends=True),
    "learn.a": Marks("learnt"),
    "classify.a": Sets(),
}
CHAT = ("score.a", "assemble.a", "transport.a", "learn.a")


async def went(*declared: Declared, default: Sequence[str] = CHAT) -> str:
    """The marks of the stages that a question went through."""
    workflows = build_workflows(CATALOGUE, default, declared)
    return (await workflows.run(asked(), SILENT)).task_type


async def test_stages_run_in_the_order_of_their_slots_and_the_last_learns() -> None:
    assert await went() == "chat assembled sent scored learnt"


async def test_a_stage_that_ends_the_turn_leaves_only_learning_to_do() -> None:
    early = Declared(DEFAULT, ("transport.early",))
    assert await went(early) == "chat assembled early learnt"


async def test_a_task_type_goes_to_its_workflow_and_all_else_to_the_default() -> None:
    other = Declared("workflow.code", ("score.b",), ("code",))
    assert await went(other) == "chat assembled sent scored learnt"
    classified = (*CHAT, "classify.a")
    assert await went(other, default=classified) == "code assembled sent otherwise learnt"


async def test_what_is_declared_for_the_default_holds_for_those_that_build_on_it() -> None:
    code = Declared("workflow.code", (), ("code",))
    chat = Declared(DEFAULT, ("score.b", "classify.a"))
    assert await went(code, chat) == "code assembled sent otherwise learnt"


REFUSED = {
    "a stage of nobody's": (Declared("workflow.x", ("score.c",)), "score.c"),
    "no slot": (Declared("workflow.x", ("guess.c",)), "guess.c"),
    "two of a slot": (Declared("workflow.x", ("score.a", "score.b")), "two stages"),
    "a classifier elsewhere": (Declared("workflow.x", ("classify.a",)), "classifier"),
}


@pytest.mark.parametrize(("one", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_put_together_is_refused(one: Declared, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        build_workflows(CATALOGUE, CHAT, [one])


def test_a_workflow_and_a_task_type_are_declared_once() -> None:
    one, other = Declared("workflow.x", (), ("t",)), Declared("workflow.y", (), ("t",))
    with pytest.raises(ValueError, match="twice"):
        build_workflows(CATALOGUE, CHAT, [one, one])
    with pytest.raises(ValueError, match=r"workflow\.x and workflow\.y claim t"):
        build_workflows(CATALOGUE, CHAT, [one, other])


def test_every_built_in_stage_is_named_once_and_stands_in_a_slot() -> None:
    made = built_in(Parts((), Patience(1.0)))
    assert sorted(made) == sorted(NAMES)
    assert set(CHAT_STAGES) <= set(NAMES)
    assert [slot_of(name) for name in NAMES]


async def test_settings_swap_a_stage_in_a_running_gateway() -> None:
    model = ScriptedModel("Bananas orbit purple engines.")
    stages = {"score.trusting": Trusting()}
    chosen = settings(workflows=(Declared(DEFAULT, ("score.trusting",)),))
    async with world(transport=model, stages=stages, chosen=chosen) as gateway:
        turn = (await (await gateway.visitor()).ask("Which stone is the moon made of?")).json()
    assert (turn["confidence"], turn["escalate"]) == (1.0, False)


async def test_a_workflow_that_makes_no_turn_is_an_error_of_ours_and_says_so() -> None:
    class Nothing:
        async def run(self, state: TurnState) -> TurnState:
            return state

    chosen = settings(workflows=(Declared(DEFAULT, ("score.nothing",)),))
    async with world(
        transport=ScriptedModel("word"), stages={"score.nothing": Nothing()}, chosen=chosen
    ) as gateway:
        response = await (await gateway.visitor()).ask("Which stone is the moon made of?")
    assert (response.status_code, response.json()["type"].rpartition("/")[2]) == (500, "internal")


SITE = {
    "sites": [{"key": "site_a", "name": "A", "origins": ["https://a.example"], "kb": ["kb"]}],
    "gateway": {"public_url": "https://chat.a.example"},
}
ENVIRON = {"FANLIGHT_OPERATOR_TOKEN": "operator-token-for-tests-0123456789"}


def read(*tables: object, stages: Sequence[str] = ()) -> tuple[tuple[Declared, ...], list[str]]:
    """The workflows of a file with these tables, and the keys of its flaws."""
    made, flaws = parse_settings({**SITE, "workflows": list(tables)}, ENVIRON, Path("/srv"), stages)
    return made.workflows, [flaw.key for flaw in flaws]


def test_workflows_are_read_from_the_file() -> None:
    table = {"name": DEFAULT, "stages": ["score.calibrated"], "task_types": ["code"]}
    assert read(table) == ((Declared(DEFAULT, ("score.calibrated",), ("code",)),), [])
    mine = {"name": "workflow.mine", "stages": ["score.mine"]}
    assert read(mine, stages=["score.mine"])[1] == []


FLAWS = {
    "an unknown stage": ({"name": "workflow.x", "stages": ["score.best"]}, ".stages"),
    "another name": ({"name": "chat"}, ".name"),
    "two of a slot": ({"name": "workflow.x", "stages": ["score.calibrated"] * 2}, ""),
}


@pytest.mark.parametrize(("table", "key"), FLAWS.values(), ids=FLAWS)
def test_a_flawed_workflow_is_named_with_its_key(table: dict[str, object], key: str) -> None:
    assert read(table)[1] == [f"workflows[{table['name']}]{key}"]
