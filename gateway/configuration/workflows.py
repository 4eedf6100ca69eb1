"""The `[[workflows]]` of a configuration: which stages answer which types of task.

Refuses what cannot be put together: the pipeline's own rules say why.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, cast

from gateway.configuration.flaws import Flaw
from gateway.configuration.reader import hint, read_tables
from gateway.pipeline.builtin import CHAT_STAGES, NAMES
from gateway.pipeline.stages import DEFAULT, Declared, Stage, build_workflows

EXTENSIONS: Final = "fanlight.stages"
"""The group of entry points by which an installed package brings stages of its own."""


def read_workflows(
    raw: object, extensions: Collection[str], flaws: list[Flaw]
) -> tuple[Declared, ...]:
    """The workflows, with everything that is wrong with them."""
    known = (*NAMES, *extensions)
    found: list[Declared] = []
    for where, values in read_tables(raw, "workflows", flaws):
        one = Declared(values["name"], values["stages"], values["task_types"])
        if one.name and not one.name.startswith("workflow."):
            remedy = f"Write workflow.{one.name}, or {DEFAULT} for what answers all else."
            flaws.append(Flaw(f"{where}.name", f"{one.name!r} is no workflow's name.", remedy))
        unknown = [name for name in one.stages if name not in known]
        for name in unknown:
            remedy = hint(name, known, f"Known here: {', '.join(known)}.")
            flaws.append(Flaw(f"{where}.stages", f"There is no stage {name!r}.", remedy))
        if not unknown:
            _try(one, found, known, where, flaws)
        found.append(one)
    return tuple(found)


def _try(
    one: Declared,
    before: list[Declared],
    known: Collection[str],
    where: str,
    flaws: list[Flaw],
) -> None:
    """Put it together with those before it, over stages of which only the names matter here."""
    names = cast("dict[str, Stage]", dict.fromkeys(known))
    whole = [each for each in before if all(name in known for name in each.stages)]
    try:
        build_workflows(names, CHAT_STAGES, [*whole, one])
    except ValueError as error:
        flaws.append(Flaw(where, f"{error}.", "Take one of them out."))
