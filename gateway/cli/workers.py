"""Several processes that serve together: begun, kept up, and ended in order.

The parent serves nobody. It forks a process for each job, says once when all of them answer, and
starts again one that died. The first signal asks all to end, the second, or twelve seconds, cuts
them off. It refuses to go on where a process dies before all have answered: its lines say why. A
process whose parent is gone ends by itself.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from core.errors import FanlightError
from gateway.cli.serving import SIGNALS, CannotServe

ASKED: Final = signal.SIGUSR2
"""How the parent asks a process to end. Whoever signals all of them at once asks each but once."""

LAST_S: Final = 12
"""Longer than what each process gives itself."""
AGAIN_S: Final = 1.0
CUT_OFF: Final = 130

type Job = Callable[[Callable[[], None]], bool]
"""Serves to the end; calls what it is given once it answers; True when it ended in order."""

_AWAITED: Final = {*SIGNALS, signal.SIGCHLD, signal.SIGUSR1, signal.SIGALRM}


class Crew:
    """The processes of one gateway, and how they fare; `buried` is told of each that ended."""

    def __init__(
        self,
        jobs: Sequence[Job],
        ready: Callable[[], None],
        *,
        buried: Callable[[int], None] = lambda _pid: None,
    ) -> None:
        self._jobs = jobs
        self._ready = ready
        self._buried = buried
        self._pids: dict[int, int] = {}
        self._answering = 0
        self._asked = 0
        self._clean = True
        # The children hold its other end: it closes when this process is gone.
        self._life, self._held = os.pipe()
        self._told, self._tell = os.pipe()
        os.set_blocking(self._told, False)

    def run(self) -> bool:
        """Serve until a signal; True when all ended in order. Raises `CannotServe`."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _AWAITED)
        try:
            for number in range(len(self._jobs)):
                self._begin(number)
            while self._pids:
                self._heed(signal.sigwait(_AWAITED))
        finally:
            self._end(signal.SIGKILL)
            signal.alarm(0)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            for pipe in (self._life, self._held, self._told, self._tell):
                os.close(pipe)
        if not self._clean and not self._asked:
            raise CannotServe("A process did not start; the lines above say why.")
        return self._clean

    def _heed(self, number: int) -> None:
        if number in SIGNALS:
            self._asked += 1
            signal.alarm(LAST_S)
            self._end(ASKED)
        elif number == signal.SIGALRM:
            self._clean = False
            self._end(signal.SIGKILL)
        elif number == signal.SIGUSR1:
            self._answered()
        else:
            self._bury()

    def _answered(self) -> None:
        """Signals of one kind that come together are one: how many answer stands in the pipe."""
        before = self._answering
        with suppress(BlockingIOError):
            self._answering += len(os.read(self._told, 4096))
        if before < len(self._jobs) <= self._answering:
            self._ready()

    def _bury(self) -> None:
        while self._pids:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            self._buried(pid)
            self._ended(self._pids.pop(pid), os.waitstatus_to_exitcode(status))

    def _ended(self, number: int, code: int) -> None:
        if self._asked:
            self._clean = self._clean and code == 0
        elif self._answering < len(self._jobs):
            self._clean = False
            self._end(ASKED)
        else:
            sys.stderr.write(f"fanlight: a process ended ({code}); another takes its place\n")
            time.sleep(AGAIN_S)
            self._begin(number)

    def _begin(self, number: int) -> None:
        _flush()
        pid = os.fork()
        if pid:
            self._pids[pid] = number
            return
        code = 1
        try:
            code = 0 if self._serve(self._jobs[number]) else CUT_OFF
        except FanlightError as error:
            sys.stderr.write(f"fanlight: {error}\n")
        except BaseException:  # noqa: BLE001 - a process ends here: nothing above may run twice
            traceback.print_exc()
        finally:
            logging.shutdown()
            _flush()
            os._exit(code)

    def _serve(self, job: Job) -> bool:
        """In the new process."""
        # They are for the parent, which asks each of its own. A handler, unlike a signal that is
        # ignored, is not handed on to what this process starts.
        for number in SIGNALS:
            signal.signal(number, lambda *_: None)
        os.close(self._held)
        os.close(self._told)
        threading.Thread(target=_end_with_the_parent, args=(self._life,), daemon=True).start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _AWAITED)
        return job(self._say)

    def _say(self) -> None:
        os.write(self._tell, b".")
        os.kill(os.getppid(), signal.SIGUSR1)

    def _end(self, number: int) -> None:
        for pid in list(self._pids):
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def _flush() -> None:
    """Write what waits, so that a process that is forked off has none of it, nor any lock."""
    for handler in logging.getLogger().handlers:
        handler.flush()
    sys.stdout.flush()
    sys.stderr.flush()


def _end_with_the_parent(life: int) -> None:
    os.read(life, 1)
    os.kill(os.getpid(), ASKED)
