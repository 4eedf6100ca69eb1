"""The tools that there are, and which of them a turn may use.

A turn may use what its site's settings enable and its caller is allowed: a denylist wins, and `*`
in an allowlist is every tool. Where nothing says what a caller may have, the site's settings alone
decide. Refuses, with a `ValueError`, a tool whose name or schemas are not of their form, and two
tools that a model could not tell apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from core.commands.ensemble import Classification
from core.model_routing.permissions import Permissions
from core.ports import ToolForm
from core.telemetry import SILENT, Telemetry
from gateway.pipeline.guard import Guard
from gateway.pipeline.tools.schema import schema_flaws
from gateway.pipeline.tools.tool import Tool

ROUNDS: Final = 4
TOOL_S: Final = 5.0
EVERY: Final = "*"
_NAME: Final = re.compile(r"[a-z][a-z0-9_.-]{0,62}")


class Classifier(Protocol):
    """Says what a command would do."""

    async def classify(self, command: str) -> Classification:
        """What it does; always an answer."""


@dataclass(frozen=True, slots=True)
class House:
    """What tools run under.

    `rounds` is how often a model may call in one turn, `tool_s` how many seconds one call may take.
    Without a `guard` no result is judged; without a `commands` no command is run.
    """

    rounds: int = ROUNDS
    tool_s: float = TOOL_S
    guard: Guard | None = None
    commands: Classifier | None = None
    telemetry: Telemetry = SILENT


@dataclass(frozen=True, slots=True)
class Toolbox:
    """Tools by the names that models call them by."""

    house: House = field(default_factory=House)
    tools: Mapping[str, Tool] = field(default_factory=dict)

    def allowed(self, enabled: Iterable[str], permissions: Permissions | None) -> dict[str, Tool]:
        """What a turn may use, by the names that models call it by."""
        on = frozenset(enabled)
        return {
            called: tool
            for called, tool in self.tools.items()
            if tool.name in on and may_use(tool.name, permissions)
        }


def toolbox(tools: Iterable[Tool], house: House) -> Toolbox:
    """The box of these tools; raises `ValueError`."""
    box: dict[str, Tool] = {}
    for tool in tools:
        if not _NAME.fullmatch(tool.name):
            raise ValueError(f"{tool.name!r} is no tool's name: write small letters, `_`, `-`, `.`")
        for what, schema in (("parameters", tool.parameters), ("returns", tool.returns)):
            flaw = next(schema_flaws(schema), None)
            if flaw:
                raise ValueError(f"the {what} of the tool {tool.name} are not known: {flaw}")
        name = called(tool.name)
        if name in box:
            raise ValueError(f"a model cannot tell {tool.name} from {box[name].name}")
        box[name] = tool
    return Toolbox(house, box)


def may_use(name: str, permissions: Permissions | None) -> bool:
    """Whether a caller may have a tool; names are exact, and `*` is every one."""
    if permissions is None:
        return True
    denied, granted = permissions.tool_denylist, permissions.tool_access
    if name in denied or EVERY in denied:
        return False
    return name in granted or EVERY in granted


def called(name: str) -> str:
    """A tool's name as models call it: their dialects have no dot in a name."""
    return name.replace(".", "_")


def form(tool: Tool) -> ToolForm:
    """A tool as a model is told of it."""
    return ToolForm(called(tool.name), tool.description, tool.parameters)
