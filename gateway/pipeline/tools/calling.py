"""One call of a tool: its arguments checked, run in time, its result checked, capped, judged.

Decides how a call ends, and what the model is told of it, which is data between marks that it
cannot close. Arguments that are wrong, a tool that fails, is late or gives what it does not promise
end in a word to the model, never in an error of the turn. A command that does more than read is not
run: `NeedsPerson`.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final

from core.errors import Unavailable
from core.ports import ToolCall
from core.prompting.budget import estimate
from core.prompting.quoting import unmarked
from core.redact import redact_secrets
from core.telemetry import TOOL_CALLS
from gateway.pipeline.tools.cap import (
    MOST_BYTES,
    Fitted,
    TooLarge,
    fitting,
    leaving_out,
    octets,
    written,
)
from gateway.pipeline.tools.schema import commands_in, value_flaws
from gateway.pipeline.tools.tool import Context, NeedsPerson, Outcome, Tool, ToolError, ToolRun
from gateway.pipeline.tools.toolbox import House

UNKNOWN: Final = "unknown"
"""How a tool that there is not is counted: its name is a model's, and may be anything."""
MOST_FLAWS: Final = 5
_log = logging.getLogger("fanlight")


class Mistake(ValueError):
    """The model has called wrongly; the message tells it how."""


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a call: `text` for the model, `items` for whoever judges the reply."""

    text: str
    run: ToolRun
    items: tuple[str, ...] = ()
    mistaken: bool = False


async def call_tool(tool: Tool, call: ToolCall, context: Context, house: House, room: int) -> Told:
    """Run one call; its result takes `room` tokens at most. Raises `NeedsPerson`."""
    began = perf_counter()
    outcome: Outcome = "error"
    try:
        with house.telemetry.span("tool", tool=tool.name):
            arguments = read_arguments(tool, call)
            await _ask_first(tool, arguments, house)
            result = await _in_time(tool, arguments, context, house.tool_s)
            fitted = await _fit_to_tell(tool, result, house, room)
        outcome = "ok"
        run = ToolRun(tool.name, outcome, perf_counter() - began, fitted.left_out)
        return Told(marked(call.name, fitted.text), run, tuple(_items(fitted.result)))
    except (Mistake, ToolError, TooLarge) as error:
        said, mistaken = str(error), isinstance(error, Mistake)
    except TimeoutError:
        outcome, said, mistaken = "timeout", "The tool took too long.", False
    except Unavailable:
        said, mistaken = "The tool cannot be reached now.", False
    except (NeedsPerson, asyncio.CancelledError) as error:
        outcome = "refused" if isinstance(error, NeedsPerson) else "timeout"
        raise
    # A tool may be anybody's code: whatever it does, the turn goes on without it.
    except Exception as error:  # noqa: BLE001
        _log.warning("the tool %s failed: %s", tool.name, type(error).__name__)
        said, mistaken = "The tool failed.", False
    finally:
        note(house, tool.name, outcome, perf_counter() - began)
    run = ToolRun(tool.name, outcome, perf_counter() - began)
    return Told(refusal(call.name, said), run, mistaken=mistaken)


def note(house: House, name: str, outcome: Outcome, seconds: float = 0.0) -> None:
    """Count a call, and say it in the log: never what went in or came out."""
    house.telemetry.count(TOOL_CALLS, tool=name, outcome=outcome)
    house.telemetry.line("tool", tool=name, outcome=outcome, seconds=round(seconds, 3))


def marked(name: str, text: str) -> str:
    """What a tool gave, as data."""
    return f"<tool {name}>\n{unmarked(text)}\n</tool {name}>"


def refusal(name: str, said: str) -> str:
    """Why there is no result."""
    return marked(name, written({"error": said}))


def read_arguments(tool: Tool, call: ToolCall) -> Mapping[str, Any]:
    """The arguments of a call; raises `Mistake`."""
    try:
        arguments = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError) as exc:
        raise Mistake("The arguments are not JSON.") from exc
    flaws = list(value_flaws(arguments, tool.parameters))[:MOST_FLAWS]
    if flaws:
        raise Mistake(f"The arguments are wrong: {'; '.join(flaws)}.")
    return dict(arguments)


async def _ask_first(tool: Tool, arguments: Mapping[str, Any], house: House) -> None:
    """Let through commands that only read; where nobody classifies them, none."""
    for command in commands_in(arguments, tool.parameters):
        found = await house.commands.classify(command) if house.commands else None
        if found is None or found.label != "READ":
            raise NeedsPerson(tool.name)


async def _in_time(
    tool: Tool, arguments: Mapping[str, Any], context: Context, seconds: float
) -> Mapping[str, Any]:
    """The result; raises `TimeoutError`. A tool that does not let itself be ended is left."""
    task = asyncio.ensure_future(tool.run(arguments, context))
    try:
        await asyncio.wait({task}, timeout=seconds)
        if not task.done():
            raise TimeoutError(tool.name)
        return task.result()
    finally:
        if not task.done():
            task.add_done_callback(_forget)
            task.cancel()


def _forget(task: asyncio.Future[Mapping[str, Any]]) -> None:
    if not task.cancelled():
        task.exception()


async def _fit_to_tell(tool: Tool, result: Mapping[str, Any], house: House, room: int) -> Fitted:
    """The result without secrets, within its limits, and without what reads like an order."""
    flaw = next(value_flaws(result, tool.returns), None)
    if flaw:
        _log.warning("the tool %s gave what it does not promise: %s", tool.name, flaw)
        raise ToolError("The tool gave what it does not promise.")
    clean = _redacted(result)
    fitted = fitting(clean, [(octets, MOST_BYTES), (estimate, room)])
    kept = await _judged(fitted.result, house)
    return Fitted(kept.result, fitted.left_out + kept.left_out)


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redact_secrets(value)
    if isinstance(value, Mapping):
        return {str(name): _redacted(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(each) for each in value]
    return value


async def _judged(result: Mapping[str, Any], house: House) -> Fitted:
    """The result without items that are judged an injection; raises `ToolError` for the rest."""
    guard = house.guard
    if guard is None:
        return Fitted(result)
    lists = {name: value for name, value in result.items() if isinstance(value, list)}
    rest = "\n".join(_texts([value for name, value in result.items() if name not in lists]))
    if rest and not await guard.admits_result(rest):
        raise ToolError("The result is withheld.")
    kept = {
        name: [item for item in items if await guard.admits_result("\n".join(_texts(item)))]
        for name, items in lists.items()
    }
    gone = {name: (len(items) - len(kept[name]), len(items)) for name, items in lists.items()}
    return leaving_out({**result, **kept}, gone, "are withheld")


def _items(result: Mapping[str, Any]) -> Iterator[str]:
    """The texts of a result, item by item."""
    for value in result.values():
        for item in value if isinstance(value, list) else [value]:
            text = "\n".join(_texts(item))
            if text:
                yield text


def _texts(value: object) -> Iterator[str]:
    """Every text in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
