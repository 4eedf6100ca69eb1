"""The knowledge desk's worker, a process of its own: one order in, one result out.

The gateway starts `python -m gateway.cli.desk_worker` and gives it one line of JSON. It answers
with lines that say how far it is, then one line with the sizes of what follows: an object of JSON,
and the bytes of an index. It decides how often it reports; it refuses in one line, with the remedy,
what cannot be done. When the gateway goes, it ends too.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import BinaryIO, Final

import click

from core.errors import FanlightError
from gateway.cli.builders import installed_tools
from gateway.cli.desk_jobs import Result, perform

NICENESS: Final = 10
HEAVY: Final = frozenset(("build", "check"))
"""Work that takes long, and nobody watches: visitors come first."""
REPORT_EVERY_S: Final = 1.0
"""At each report every console that is open reads the sites anew."""
MOST_SAID: Final = 2_000
"""Characters of a refusal: a line must stay one that the gateway reads."""


class Teller:
    """Writes the lines that the gateway reads."""

    def __init__(self, out: BinaryIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._clock = clock
        self._step = ""
        self._at = 0.0

    def report(self, step: str, share: float) -> None:
        """Say how far the work is, but not at every stroke."""
        now = self._clock()
        if step != self._step or now - self._at >= REPORT_EVERY_S:
            self._step, self._at = step, now
            self.line({"step": step, "share": round(share, 3)})

    def result(self, result: Result) -> None:
        """Give the result."""
        document = json.dumps(result[0], ensure_ascii=False).encode("utf-8", "surrogatepass")
        self.line({"document": len(document), "packed": len(result[1])})
        self._out.write(document + result[1])
        self._out.flush()

    def line(self, value: Mapping[str, object]) -> None:
        """Write one line."""
        self._out.write(json.dumps(value).encode() + b"\n")
        self._out.flush()


def main() -> None:
    """Do the one order that stands on stdin."""
    # What a library prints must not get between the lines.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    values = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_the_gateway, daemon=True).start()
    if values["job"] in HEAVY and hasattr(os, "nice"):
        os.nice(NICENESS)
    teller = Teller(out)
    try:
        teller.result(perform(values, installed_tools(), teller.report))
    except click.ClickException as error:
        teller.line({"error": error.format_message()[:MOST_SAID]})
    except (FanlightError, ValueError) as error:
        teller.line({"error": str(error)[:MOST_SAID]})


def _end_with_the_gateway() -> None:
    # Not `sys.stdin`: a thread that waits in it holds a lock which Python needs to end in peace.
    while os.read(0, 1024):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
