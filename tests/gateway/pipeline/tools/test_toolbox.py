"""What cannot be a tool is refused when it is registered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.pipeline.builtin import TOOLS
from gateway.pipeline.tools.tool import Context
from gateway.pipeline.tools.toolbox import House, toolbox

NOTHING: Mapping[str, Any] = {"type": "object"}


@dataclass
class Odd:
    """A tool as it is described."""

    name: str = "odd"
    description: str = "Odd."
    parameters: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    returns: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    most_a_turn: int = 0

    async def run(self, arguments: Mapping[str, Any], context: Context) -> Mapping[str, Any]:
        return {}


BAD: dict[str, tuple[list[Odd], str]] = {
    "no name": ([Odd("")], "is no tool's name"),
    "capitals": ([Odd("Odd")], "is no tool's name"),
    "a space": ([Odd("odd one")], "is no tool's name"),
    "its arguments": ([Odd(parameters={"type": "string"})], "the parameters of the tool odd"),
    "its result": ([Odd(returns={"type": "object", "$ref": "x"})], "the returns of the tool odd"),
    "twice": ([Odd(), Odd()], "cannot tell odd from odd"),
    "a dot apart": ([Odd("a.b"), Odd("a_b")], "cannot tell a_b from a.b"),
    "one of ours": ([Odd("kb_search")], "cannot tell kb_search from kb.search"),
}


@pytest.mark.parametrize(("tools", "why"), BAD.values(), ids=BAD)
def test_what_is_not_of_its_form_is_refused(tools: list[Odd], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        toolbox((*TOOLS, *tools), House())
