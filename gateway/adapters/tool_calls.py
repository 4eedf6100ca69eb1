"""Tool calls as they come in a stream, and what stands in for them where a server takes none.

Decides which pieces belong to one call, and that calls have an end: a model that writes arguments
without one is `Unavailable`. What a call says is not judged here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from core.errors import Unavailable
from core.ports import Prompt, ToolCall

MOST_CALLS: Final = 16
MOST_CHARACTERS: Final = 65_536
"""Of the arguments of all calls of one reply."""


@dataclass(slots=True)
class _Begun:
    """A call as far as it has come."""

    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Calls:
    """The calls of one reply, by the place that the server gives them."""

    begun: dict[object, _Begun] = field(default_factory=dict)
    characters: int = 0

    def add(self, place: object, *, call_id: str = "", name: str = "", arguments: Any = "") -> None:
        """A part of the call at a place, or of the newest one where that is None.

        Raises `Unavailable` where there is no end, and `TypeError` for what is no part of a call.
        """
        told = arguments if isinstance(arguments, str) else json.dumps(arguments)
        if type(call_id) is not str or type(name) is not str:
            raise TypeError("a call whose name is no text")
        call = self._at(place, call_id)
        call.id = call.id or call_id
        # Some servers say the name with every part, others in parts.
        call.name += "" if name == call.name else name
        call.arguments.append(told)
        self.characters += len(told) + len(name)
        if self.characters > MOST_CHARACTERS or len(self.begun) > MOST_CALLS:
            raise Unavailable("the model's tool calls have no end")

    def whole(self) -> tuple[ToolCall, ...]:
        """The calls, in the order in which they began."""
        return tuple(
            ToolCall(call.id, call.name, "".join(call.arguments)) for call in self.begun.values()
        )

    def _at(self, place: object, call_id: str) -> _Begun:
        if place is None:
            newest = next(reversed(self.begun), None)
            same = newest is not None and call_id in ("", self.begun[newest].id)
            place = newest if same else len(self.begun)
        return self.begun.setdefault(place, _Begun())


def arguments_of(call: ToolCall) -> Mapping[str, Any]:
    """The arguments as an object, since servers read them again; an empty one for broken JSON."""
    try:
        read = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def spelled_out(prompt: Prompt) -> list[Mapping[str, str]]:
    """The messages for a server without tools: what tools gave stands below the question."""
    messages = list(prompt.messages)
    results = [result for exchange in prompt.exchanges for result in exchange.results]
    if results and messages:
        last = messages[-1]
        messages[-1] = {**last, "content": "\n\n".join((last["content"], *results))}
    return messages
