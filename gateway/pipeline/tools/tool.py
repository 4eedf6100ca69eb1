"""What a tool is, what it is given, and how a call of one can end.

It decides nothing. A tool is others' code as well as ours: what it takes and gives is checked
around it, never by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from core.errors import FanlightError
from core.model_routing.caller import Caller
from kb import Hit, Index

Outcome = Literal["ok", "error", "timeout", "refused"]
"""`refused`: it was not run, because it may not be; `error`: it failed, or was called wrongly."""


class ToolError(FanlightError):
    """A tool cannot do what it was asked; the model reads the message."""


class NeedsPerson(FanlightError):
    """What a tool was asked to do is only done once a person has said so."""


@dataclass(frozen=True, slots=True)
class Context:
    """The turn that a tool is called in.

    `today` (ISO 8601) is the day at the site. Entries of the knowledge base that a tool finds go
    into `hits`: the reply is judged by them, and cites them.
    """

    site: str
    index: Index
    question: str
    locale: str
    today: str
    turn_id: str
    caller: Caller | None = None
    hits: list[Hit] = field(default_factory=list)


class Tool(Protocol):
    """Something that a model may use.

    `parameters` and `returns` are JSON schemas of objects, of the part that `schema` knows. An
    argument of `format: "command"` is a shell command or SQL, and is only run where it reads.
    `most_a_turn` is how often it may be used in one turn; 0 is as often as there are rounds.
    """

    @property
    def name(self) -> str:
        """Small letters, digits, `_`, `-` and `.`, such as `kb.search`."""

    @property
    def description(self) -> str:
        """What it is for, as a model reads it."""

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The schema of its arguments."""

    @property
    def returns(self) -> Mapping[str, Any]:
        """The schema of its result; its lists have the best first."""

    @property
    def most_a_turn(self) -> int:
        """How often at the most in one turn."""

    async def run(self, arguments: Mapping[str, Any], context: Context) -> Mapping[str, Any]:
        """The result. Raises `ToolError` for what the model may mend, `Unavailable` otherwise."""


@dataclass(frozen=True, slots=True)
class ToolRun:
    """One call, as the turn keeps it: without its arguments and without its result.

    `left_out` is how many items of the result the model was not given.
    """

    name: str
    outcome: Outcome
    seconds: float
    left_out: int = 0
