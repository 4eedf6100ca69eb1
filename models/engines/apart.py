"""An engine in a process of its own, so that neither its loading nor its end is the server's.

Decides when that process is given up: where it does not load in time, or goes on for long with work
that it was told to end. Its death is an error for those who wait, at once, and for nobody else; the
next `load` starts another. Every call has its deadline here as well as there.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from core.ports import Purpose
from models.engines.memory import resident_bytes
from models.engines.protocol import Call, Embedded, Piece
from models.engines.wire import (
    LENGTH,
    Frame,
    Settings,
    call_to,
    embedded_from,
    error_from,
    length_of,
    numbers_from,
    packed,
    piece_from,
    settings_to,
    unpacked,
)
from models.errors import EngineFailed, ModelError, TooLate

_LOG: Final = logging.getLogger("fanlight.models")

LOAD_S: Final = 300.0
"""Until a model is loaded: some gigabytes from a slow disk."""

END_S: Final = 30.0
"""Until work ends that was told to: one step of a large model on a slow machine."""

_EXIT_S: Final = 2.0


class EngineApart:
    """One model, run by the engine of its settings in another process."""

    def __init__(
        self, path: Path, settings: Settings, *, load_s: float = LOAD_S, end_s: float = END_S
    ) -> None:
        self._path = path
        self._settings = settings
        self._load_s = load_s
        self._end_s = end_s
        self._process: _EngineProcess | None = None
        self._changing = asyncio.Lock()

    @property
    def loaded(self) -> bool:
        """Whether the model is in memory; no longer where its process has ended."""
        return self._process is not None and self._process.alive

    @property
    def running(self) -> int:
        """How many calls have work that has not ended."""
        return len(self._process.asked) if self._process else 0

    @property
    def process_id(self) -> int | None:
        """The process that has the model in memory, if any."""
        return self._process.id if self._process and self._process.alive else None

    @property
    def memory(self) -> int | None:
        """Bytes that its process has in memory, where the machine tells."""
        return resident_bytes(self.process_id) if self.process_id is not None else None

    async def load(self) -> None:
        """Bring the model into memory. Raises `BadFile` or `EngineFailed`; then nothing is."""
        async with self._changing:
            if self.loaded:
                return
            process = await _EngineProcess.start(self._end_s)
            try:
                async with asyncio.timeout(self._load_s):
                    await process.value(
                        {
                            "do": "load",
                            "path": str(self._path),
                            "settings": settings_to(self._settings),
                        }
                    )
            except TimeoutError as error:
                await process.close()
                raise EngineFailed(
                    f"{self._path.name} was not loaded within {self._load_s:g} s."
                ) from error
            except BaseException:
                await process.close()
                raise
            self._process = process

    async def unload(self) -> None:
        """End what runs, and give the memory back."""
        async with self._changing:
            process, self._process = self._process, None
            if process is not None:
                await process.close()

    async def generate(self, call: Call) -> AsyncGenerator[Piece]:
        """The reply's pieces as they come."""
        process = self._ready()
        due = asyncio.get_running_loop().time() + call.timeout_s
        asked = process.ask({"do": "generate", "call": call_to(call)})
        try:
            while True:
                try:
                    async with asyncio.timeout_at(due):
                        frame = await asked.next()
                except TimeoutError as error:
                    raise TooLate(f"The model took longer than {call.timeout_s:g} s.") from error
                if "piece" not in frame:
                    return
                yield piece_from(frame["piece"])
        finally:
            process.end(asked)

    async def score(self, prompt: str, continuations: Sequence[str]) -> list[float]:
        """The sum over each text's tokens' log-probabilities; texts are cut into tokens alone."""
        asked = {"do": "score", "prompt": prompt, "continuations": list(continuations)}
        return numbers_from(await self._ready().value(asked))

    async def embed(self, texts: Sequence[str], purpose: Purpose = "query") -> Embedded:
        """A vector for each text. Raises `BadRequest` where it is no encoder."""
        asked = {"do": "embed", "texts": [*texts], "purpose": purpose}
        return embedded_from(await self._ready().value(asked))

    def _ready(self) -> _EngineProcess:
        if self._process is None:
            raise EngineFailed("The model is not loaded.")
        return self._process


class _Asked:
    """One thing that was asked, and what has come of it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.over = asyncio.Event()
        self._frames: asyncio.Queue[Frame | ModelError] = asyncio.Queue()

    def hear(self, frame: Frame | ModelError) -> None:
        """Take what comes."""
        if isinstance(frame, ModelError) or "over" in frame:
            self.over.set()
        self._frames.put_nowait(frame)

    async def next(self) -> Frame:
        """The next. Raises the error that it is."""
        frame = await self._frames.get()
        if isinstance(frame, ModelError):
            raise frame
        if "error" in frame:
            raise error_from(frame["error"])
        return frame


class _EngineProcess:
    """The process, and everything that was asked of it."""

    def __init__(self, process: Process, end_s: float) -> None:
        self._process = process
        self._end_s = end_s
        self._numbers = itertools.count()
        self._watching: set[asyncio.Task[None]] = set()
        self._closing = False
        self.asked: dict[int, _Asked] = {}
        self.alive = True
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def start(cls, end_s: float) -> _EngineProcess:
        """Start one, that runs the same code. Raises `EngineFailed`."""
        places = os.pathsep.join(each or os.getcwd() for each in sys.path)  # noqa: PTH109
        environ = {**os.environ, "PYTHONPATH": places}
        command = (sys.executable, "-P", "-m", "models.engines.child", str(os.getpid()))
        try:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=PIPE, stdout=PIPE, env=environ
            )
        except OSError as error:
            raise EngineFailed(f"The model's process does not start: {error}") from error
        return cls(process, end_s)

    @property
    def id(self) -> int:
        """Its process id."""
        return self._process.pid

    def ask(self, frame: Frame) -> _Asked:
        """Ask something of it; it must be ended."""
        asked = _Asked(next(self._numbers))
        if not self.alive:
            asked.hear(self._why())
            return asked
        self.asked[asked.number] = asked
        self._send({**frame, "id": asked.number})
        return asked

    def end(self, asked: _Asked) -> None:
        """Want it no more; a process that goes on with it for long is ended."""
        if not asked.over.is_set() and self.alive:
            self._send({"do": "end", "id": asked.number})
            task = asyncio.create_task(self._watch(asked))
            self._watching.add(task)
            task.add_done_callback(self._watching.discard)

    async def value(self, frame: Frame) -> Any:
        """What something gives; ended where nobody waits for it any more."""
        asked = self.ask(frame)
        try:
            return (await asked.next()).get("value")
        finally:
            self.end(asked)

    async def close(self) -> None:
        """End it, and wait for that."""
        self._closing = True
        for task in tuple(self._watching):
            task.cancel()
        if self._process.stdin is not None:
            self._process.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_EXIT_S):
                await asyncio.shield(self._listening)
        self._kill()
        await self._listening

    def _send(self, frame: Frame) -> None:
        # Its end, if it has, is told by the other pipe.
        if self._process.stdin is not None and not self._process.stdin.is_closing():
            self._process.stdin.write(packed(frame))

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()

    async def _watch(self, asked: _Asked) -> None:
        try:
            async with asyncio.timeout(self._end_s):
                await asked.over.wait()
        except TimeoutError:
            self._kill()

    async def _listen(self) -> None:
        reader = self._process.stdout
        assert reader is not None  # noqa: S101 - it was started with one
        try:
            while True:
                head = await reader.readexactly(LENGTH.size)
                self._hear(unpacked(await reader.readexactly(length_of(head))))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        # Whatever it sent instead of frames: those who wait must hear that it has ended.
        except Exception:  # noqa: BLE001
            _LOG.exception("The model's process said something else than frames.")
            self._kill()
        self.alive = False
        await self._process.wait()
        error = self._why()
        for asked in self.asked.values():
            asked.hear(error)
        self.asked.clear()

    def _hear(self, frame: Frame) -> None:
        number = frame.get("id")
        asked = self.asked.get(number) if isinstance(number, int) else None
        if asked is not None:
            if "over" in frame:
                del self.asked[asked.number]
            asked.hear(frame)

    def _why(self) -> EngineFailed:
        if self._closing:
            return EngineFailed("The model was unloaded.")
        status = self._process.returncode
        how = f"status {status}"
        if status is not None and status < 0:
            how = signal.Signals(-status).name
        return EngineFailed(f"The model's process ended ({how}). The next call starts it anew.")
