"""An engine's own process: `python -m models.engines.child`, told on stdin what to do.

Decides nothing of a model. It ends when whoever started it lets go of its stdin, however that
process ended; on Linux the kernel sees to it even while native code holds the interpreter. Ctrl-C
and SIGTERM are its parent's to heed. What libraries print goes to stderr: stdout is for frames.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any, BinaryIO, Final

from models.engines.jax import JaxEngine
from models.engines.llama import LlamaEngine, LlamaSettings
from models.engines.onnx import OnnxEngine, OnnxSettings
from models.engines.protocol import Engine
from models.engines.wire import (
    LENGTH,
    Frame,
    Settings,
    call_from,
    embedded_to,
    error_to,
    length_of,
    packed,
    piece_to,
    settings_from,
    unpacked,
)
from models.errors import EngineFailed

_PR_SET_PDEATHSIG: Final = 1
_LOOK_S: Final = 0.02
"""How often work is looked at that was told to end: a native loop tells nobody when it has."""


class Child:
    """Runs one engine, and tells of each call until its work has ended.

    An engine that was loaded and is beyond use ends the process: the next one begins anew.
    """

    def __init__(self, out: BinaryIO, end: Callable[[int], object] = os._exit) -> None:
        self._out = out
        self._end = end
        self._of_use = False
        self._engine: Engine | None = None
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._open: set[int] = set()

    def heed(self, frame: Frame) -> None:
        """Begin what is asked, or end it."""
        number = int(frame["id"])
        if frame["do"] == "end":
            if number in self._open:
                self._tasks[number].cancel()
            return
        self._open.add(number)
        task = asyncio.create_task(self._do(number, frame))
        self._tasks[number] = task
        task.add_done_callback(lambda _task: self._tasks.pop(number))

    async def _do(self, number: int, frame: Frame) -> None:
        try:
            await self._result(number, frame)
        except asyncio.CancelledError:
            pass  # it was told to end, and says below that it has
        except Exception as error:  # noqa: BLE001 - the caller hears it, and others go on
            self._tell({"id": number, "error": error_to(error)})
        self._open.discard(number)
        while self._engine is not None and self._engine.running > len(self._open):  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_S)
        self._tell({"id": number, "over": True})
        if self._of_use and self._engine is not None and not self._engine.loaded:
            self._end(1)

    async def _result(self, number: int, frame: Frame) -> None:
        if frame["do"] == "load":
            self._engine = engine_of(Path(frame["path"]), settings_from(frame["settings"]))
            await self._engine.load()
            self._of_use = True
            return
        if self._engine is None:
            raise EngineFailed("The model is not loaded.")
        if frame["do"] == "generate":
            async with aclosing(self._engine.generate(call_from(frame["call"]))) as pieces:
                async for piece in pieces:
                    self._tell({"id": number, "piece": piece_to(piece)})
            return
        if frame["do"] == "score":
            value: Any = await self._engine.score(frame["prompt"], frame["continuations"])
        else:
            value = embedded_to(await self._engine.embed(frame["texts"], frame["purpose"]))
        self._tell({"id": number, "value": value})

    def _tell(self, frame: Frame) -> None:
        # Whoever reads it takes all at once, and never waits for us: this does not block for long.
        self._out.write(packed(frame))
        self._out.flush()


def engine_of(path: Path, settings: Settings) -> Engine:
    """The engine that is set up so, not yet loaded."""
    if isinstance(settings, LlamaSettings):
        return LlamaEngine(path, settings)
    if isinstance(settings, OnnxSettings):
        return OnnxEngine(path, settings)
    return JaxEngine(path, settings)


async def _serve(come_in: BinaryIO, out: BinaryIO) -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), come_in)
    child = Child(out)
    try:
        while True:
            head = await reader.readexactly(LENGTH.size)
            child.heed(unpacked(await reader.readexactly(length_of(head))))
    except (asyncio.IncompleteReadError, ConnectionError):
        # At once: native threads may be at work, and nothing here is to be kept.
        os._exit(0)


def _end_with(parent: int) -> None:
    """Have the kernel end this process with its parent."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before that
        os._exit(0)


def main() -> None:
    """Serve until stdin ends."""
    _end_with(int(sys.argv[1]))
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    come_in, out = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    asyncio.run(_serve(come_in, out))


if __name__ == "__main__":
    main()
