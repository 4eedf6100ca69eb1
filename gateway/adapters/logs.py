"""The log: a line of JSON an event, without what a visitor wrote.

Decides what of an event is written: the fields that `core.telemetry` lists, and of an exception its
types and where it was raised. Its message is left out unless it is one of our own, since a driver's
may quote a row and a parser's what it could not read. Refuses to wait for whoever reads the log: a
thread writes it, and when that cannot keep up lines are dropped and counted.
"""

from __future__ import annotations

import logging
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Iterator, MutableMapping
from contextlib import suppress
from typing import Any, Final, TextIO

import structlog
from structlog.typing import EventDict, Processor

from core.errors import FanlightError
from core.telemetry import FIELDS

OURS: Final = ("fanlight", "gateway", "core", "kb")
"""Loggers that are written from `INFO` on; the others from `WARNING`."""
LONGEST: Final = 300
WAITING: Final = 10_000
CLOSING_S: Final = 1.0
_LOOK_S: Final = 0.01
_WRITTEN: Final = FIELDS | {"event", "level", "logger", "time", "trace", "raised", "frames"}


def configure(stream: TextIO, *, as_json: bool) -> None:
    """Write the log of this process to a stream, from now on."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.ExtraAdder(allow=FIELDS),
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper("iso", key="time"),
        _without_messages,
        _known_fields,
    ]
    shown = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0, timestamp_key="time")
    )
    handler = Writer(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, shown],
        )
    )
    root = logging.getLogger()
    for earlier in root.handlers:
        earlier.close()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(logging.INFO)


class Writer(logging.Handler):
    """Writes lines to a stream from a thread of its own; `dropped` counts those that it could not.

    The thread begins with the first line, and anew in a process that was forked off: threads stay
    behind. Closing waits a second at most for what is left.
    """

    def __init__(self, stream: TextIO, waiting: int = WAITING) -> None:
        super().__init__()
        self.dropped = 0
        self._stream = stream
        self._waiting = waiting
        self._lines: queue.Queue[str | None] = queue.Queue(waiting)
        self._thread: threading.Thread | None = None
        self._pid = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Have a line written soon."""
        try:
            line = self.format(record)
            if self._pid != os.getpid():
                self._begin()
            self._lines.put_nowait(line)
        except queue.Full:
            self.dropped += 1
        except Exception:  # noqa: BLE001 - a line that cannot be formatted must not end what logs it
            self.handleError(record)

    def flush(self) -> None:
        """Wait until what was logged is written, but no longer than a second."""
        end = time.monotonic() + CLOSING_S
        while self._lines.unfinished_tasks and time.monotonic() < end:
            time.sleep(_LOOK_S)

    def close(self) -> None:
        """Write what is left."""
        if self._thread is not None and self._pid == os.getpid():
            with suppress(queue.Full):
                self._lines.put_nowait(None)
                self._thread.join(CLOSING_S)
        super().close()

    def _begin(self) -> None:
        self._pid = os.getpid()
        # Another process's queue may have been left with its lock taken.
        self._lines = queue.Queue(self._waiting)
        self._thread = threading.Thread(
            target=self._write, args=(self._lines,), name="log-writer", daemon=True
        )
        self._thread.start()

    def _write(self, lines: queue.Queue[str | None]) -> None:
        told = 0
        while (line := lines.get()) is not None:
            dropped = self.dropped
            note = f"{dropped - told} lines of the log were dropped\n" if dropped > told else ""
            told = dropped
            try:
                self._stream.write(f"{note}{line}\n")
                self._stream.flush()
            except (OSError, ValueError):
                self.dropped += 1  # nobody reads it any more
            lines.task_done()


def _without_messages(_logger: object, _name: str, event: EventDict) -> EventDict:
    """Put types and places in an exception's stead."""
    told = event.pop("exc_info", None)
    record = event.get("_record")
    if told is None and record is not None:
        told, record.exc_info, record.exc_text = record.exc_info, None, None
    error = told[1] if isinstance(told, tuple) else told
    if told is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        event["raised"] = list(_raised(error))
        event["frames"] = _frames(error)
    return event


def _raised(error: BaseException) -> Iterator[str]:
    """The exception's types, from the outermost to its first cause; ours with their message."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        ours = isinstance(current, FanlightError)
        yield f"{type(current).__name__}: {current}" if ours else type(current).__name__
        current = current.__cause__ or current.__context__


def _frames(error: BaseException) -> list[str]:
    summary = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in summary]


def _known_fields(
    _logger: object, _name: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    kept = {name: _short(value) for name, value in event.items() if name in _WRITTEN}
    # What structlog itself carries along begins with an underscore.
    return kept | {name: value for name, value in event.items() if name.startswith("_")}


def _short(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_short(one) for one in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)[:LONGEST]
