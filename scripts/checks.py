"""Runs every check of the project, one after the other, and sums up.

Decides the order (the quick ones first; the web build before the tests that serve it) and how long
each may take. A check that fails does not stop the next: one run tells all there is to mend. The
tests that need no browser and hold no time against a limit of milliseconds run beside all others
where there are cores to spare; what they print comes when the others are done. On fewer they come
after the others: a slow machine that does both misses deadlines that the product keeps.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = Path(sys.executable).parent
PACKAGES = ("kb", "core", "gateway", "edge", "models", "scripts", "tests")
LONG_SECONDS = 4 * 3600
QUIET_TESTS = (
    "tests/core",
    "tests/kb",
    "tests/models",
    "tests/wire",
    "tests/congruence",
    "tests/faults",
    "tests/gateway/adapters",
    "tests/gateway/escalation",
    "tests/gateway/knowledge",
    "tests/gateway/pipeline",
    "tests/gateway/routes",
)
"""They start no browser, and measure no milliseconds."""
CORES_FOR_TWO = 4
"""A browser test keeps two cores busy by itself."""
COVERAGE = Path("build") / "coverage"


@dataclass(frozen=True, slots=True)
class Check:
    """One command, the group it belongs to, and the seconds it may take.

    `beside` runs it beside the others. `measured` is where it keeps the coverage that it found.
    """

    name: str
    command: tuple[str, ...]
    seconds: int
    group: str = "lint"
    beside: bool = False
    measured: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a check ended: "ok", "failed", "too slow"; and after how many seconds."""

    name: str
    verdict: str
    seconds: float


def checks(*, long: bool) -> tuple[Check, ...]:
    """Gives all checks in their order. `long` adds the large runs, and time for them."""
    packages = tuple(name for name in PACKAGES if (ROOT / name).is_dir())
    return (
        Check("format", _python("ruff", "format", "--check", "."), 60),
        Check("lint", _python("ruff", "check", "."), 60),
        Check("types", _python("mypy", *packages), 240),
        Check("imports", _python("lint-imports"), 60),
        Check("web build", _npm("build"), 180, "build"),
        Check("web lint", _npm("lint"), 60),
        Check("web types", _npm("typecheck"), 120),
        Check("web tests", _npm("test"), 180, "test"),
        Check(
            "tests",
            _tests(*(f"--ignore={name}" for name in QUIET_TESTS), long=long),
            LONG_SECONDS if long else 2700,
            "test",
            measured="other",
        ),
        Check(
            "quiet tests",
            _tests(*QUIET_TESTS, long=long),
            LONG_SECONDS if long else 2700,
            "test",
            beside=(os.cpu_count() or 1) >= CORES_FOR_TWO,
            measured="quiet",
        ),
        Check("combining", _coverage("combine", "quiet", "other"), 60, "test", measured="all"),
        Check("coverage", _coverage("report"), 60, "test", measured="all"),
    )


def run(check: Check) -> Outcome:
    """Runs one check in a process group of its own, and ends the whole group when time is up."""
    print(f"\n── {check.name}: {_shown(check.command)}", flush=True)
    began = time.monotonic()
    with _process(check, None) as process:
        return Outcome(check.name, _verdict(check, process, began), time.monotonic() - began)


@contextmanager
def beside(check: Check) -> Iterator[Callable[[], Outcome]]:
    """Runs a check meanwhile; what is given waits for it, and prints what it said."""
    print(f"\n── {check.name}, beside the others: {_shown(check.command)}", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryFile() as said, _process(check, said) as process:

        def outcome() -> Outcome:
            verdict, seconds = _verdict(check, process, began), time.monotonic() - began
            print(f"\n── {check.name}, which ran beside the others", flush=True)
            said.seek(0)
            shutil.copyfileobj(said, sys.stdout.buffer)
            sys.stdout.flush()
            return Outcome(check.name, verdict, seconds)

        yield outcome


def run_all(wanted: list[Check]) -> Iterator[Outcome]:
    """Runs checks in their order; one that runs beside others starts first, and is waited for in
    its place, so that what needs it comes behind it."""
    with ExitStack() as stack:
        running = {
            check.name: stack.enter_context(beside(check)) for check in wanted if check.beside
        }
        for check in wanted:
            yield running[check.name]() if check.beside else run(check)


@contextmanager
def _process(check: Check, said: IO[bytes] | None) -> Iterator[subprocess.Popen[bytes]]:
    environ = dict(os.environ)
    if check.measured:
        (ROOT / COVERAGE).mkdir(parents=True, exist_ok=True)
        environ["COVERAGE_FILE"] = str(ROOT / COVERAGE / check.measured)
    process = subprocess.Popen(
        check.command,
        cwd=ROOT,
        env=environ,
        stdout=said,
        stderr=subprocess.STDOUT if said else None,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        # Also after Ctrl-C, and for what a check that ended left running.
        end(process)


def _verdict(check: Check, process: subprocess.Popen[bytes], began: float) -> str:
    """Waits until the check ends or its time is up."""
    try:
        left = max(0.1, began + check.seconds - time.monotonic())
        return "ok" if process.wait(left) == 0 else "failed"
    except subprocess.TimeoutExpired:
        return f"too slow (limit {check.seconds} s)"


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends the process's group, if any of it is left: asks first, then kills."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(5)
        except (ProcessLookupError, PermissionError):
            return
        except subprocess.TimeoutExpired:
            continue


def summary(outcomes: list[Outcome], total: float) -> str:
    """Gives the closing table, one line for each check, and the seconds of all together."""
    lines = [
        f"  {'✓' if outcome.verdict == 'ok' else '✗'} {outcome.name:<10} "
        f"{outcome.seconds:6.1f} s{'' if outcome.verdict == 'ok' else '  ' + outcome.verdict}"
        for outcome in outcomes
    ]
    failed = sum(outcome.verdict != "ok" for outcome in outcomes)
    verdict = f"{failed} of {len(outcomes)} checks failed" if failed else "all checks passed"
    return "\n".join(["", "── summary", *lines, f"  {verdict}, {total:.0f} s in all"])


def main() -> int:
    """Runs the checks that the command line asks for; 0 when all passed."""
    parser = argparse.ArgumentParser(prog="checks", description=__doc__)
    parser.add_argument("--only", choices=("lint", "build", "test"), help="one group")
    parser.add_argument("--long", action="store_true", help="the large runs too")
    options = parser.parse_args()
    wanted = [check for check in checks(long=options.long) if options.only in (None, check.group)]
    outcomes: list[Outcome] = []
    began = time.monotonic()
    try:
        outcomes.extend(run_all(wanted))
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130
    print(summary(outcomes, time.monotonic() - began), flush=True)
    return int(any(outcome.verdict != "ok" for outcome in outcomes))


def _python(program: str, *arguments: str) -> tuple[str, ...]:
    return (str(PROGRAMS / program), *arguments)


def _tests(*which: str, long: bool) -> tuple[str, ...]:
    """Pytest over some of the tests; whether enough is covered is judged over all of them."""
    measured = ("--cov", "--cov-report=", "--cov-fail-under=0", "--durations=15")
    return _python("pytest", *measured, *(["--long"] if long else []), *which)


def _coverage(command: str, *parts: str) -> tuple[str, ...]:
    return _python("coverage", command, *(str(COVERAGE / part) for part in parts))


def _npm(script: str) -> tuple[str, ...]:
    return ("npm", "--prefix", "web", "run", "--silent", script)


def _shown(command: tuple[str, ...]) -> str:
    return " ".join((Path(command[0]).name, *command[1:]))


if __name__ == "__main__":
    sys.exit(main())
