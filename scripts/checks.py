"""Runs every check of the project, one after the other, and sums up.

Decides the order (the quick ones first; the web build before the tests that serve it) and how long
each may take. A check that fails does not stop the next: one run tells all there is to mend. Tests
run side by side on all cores; those that hold something against the clock, or start a browser, in a
run of their own, two at a time (more where there are cores to spare). A machine that does several
at once can miss deadlines that the product keeps: what fails runs once more, one at a time, and
that decides.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = Path(sys.executable).parent
PACKAGES = ("kb", "core", "gateway", "edge", "models", "scripts", "tests")
LONG_SECONDS = 4 * 3600
TESTS_SECONDS = 2400
TIMED_SECONDS = 3900
"""Each about three times what it takes on two cores: past that something hangs."""
REPORT_SECONDS = 20
"""What a check that is interrupted has to say what it was at."""
TIMED_TESTS = (
    "tests/browser",
    "tests/deployment",
    "tests/faults",
    "tests/gateway/cli/test_bench*.py",
    "tests/gateway/cli/test_run*.py",
    "tests/gateway/cli/test_workers.py",
)
"""They start whole gateways and browsers, and hold deadlines against them. Patterns of paths."""
CORES_FOR_TIMED = 4
"""What one of them keeps busy, at its most; usually it waits."""
TESTS_FAILED = 1
"""What pytest exits with when tests failed, and nothing worse happened."""
AGAIN_SECONDS = 900
MOST_FAILED_AGAIN = 5
"""So many that fail alone, too, are enough to know."""
COVERAGE = Path("build") / "coverage"


@dataclass(frozen=True, slots=True)
class Check:
    """One command, the group it belongs to, and the seconds it may take.

    `measured` is where it keeps the coverage that it found. `again` runs what failed once more, one
    at a time, and decides.
    """

    name: str
    command: tuple[str, ...]
    seconds: int
    group: str = "lint"
    measured: str = ""
    again: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a check ended: "ok", "failed", "too slow"; and after how many seconds."""

    name: str
    verdict: str
    seconds: float


def checks(*, long: bool) -> tuple[Check, ...]:
    """Gives all checks in their order. `long` adds the large runs, and time for them."""
    packages = tuple(name for name in PACKAGES if (ROOT / name).is_dir())
    cores = os.cpu_count() or 1
    timed = [
        str(path.relative_to(ROOT)) for name in TIMED_TESTS for path in sorted(ROOT.glob(name))
    ]
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
            _tests(*(f"--ignore={name}" for name in timed), at_once=cores, long=long),
            LONG_SECONDS if long else TESTS_SECONDS,
            "test",
            measured="others",
            again=_failed_ones(long=long),
        ),
        Check(
            "timed tests",
            _tests(*timed, at_once=min(cores, max(2, cores // CORES_FOR_TIMED)), long=long),
            LONG_SECONDS if long else TIMED_SECONDS,
            "test",
            measured="timed",
            again=_failed_ones(long=long),
        ),
        Check("combining", _coverage("combine", "others", "timed"), 60, "test", measured="all"),
        Check("coverage", _coverage("report"), 60, "test", measured="all"),
    )


def run(check: Check) -> Outcome:
    """Runs one check in a process group of its own, and ends the whole group when time is up."""
    print(f"\n── {check.name}: {_shown(check.command)}", flush=True)
    began = time.monotonic()
    environ = dict(os.environ)
    if check.measured:
        (ROOT / COVERAGE).mkdir(parents=True, exist_ok=True)
        environ["COVERAGE_FILE"] = str(ROOT / COVERAGE / check.measured)
    process = subprocess.Popen(check.command, cwd=ROOT, env=environ, start_new_session=True)
    status = 0
    try:
        status = process.wait(check.seconds)
        verdict = "failed" if status else "ok"
    except subprocess.TimeoutExpired:
        verdict = f"too slow (limit {check.seconds} s)"
        interrupt(process)
    finally:
        # Also after Ctrl-C, and for what a check that ended left running.
        end(process)
    if status == TESTS_FAILED and check.again:
        alone = run(Check(f"{check.name}, once more", check.again, AGAIN_SECONDS))
        verdict = "ok" if alone.verdict == "ok" else "failed, alone too"
    return Outcome(check.name, verdict, time.monotonic() - began)


def interrupt(process: subprocess.Popen[bytes]) -> None:
    """Interrupts the process alone, as Ctrl-C would: pytest then names the test it was at."""
    process.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(REPORT_SECONDS)


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
    began = time.monotonic()
    try:
        outcomes = [run(check) for check in wanted]
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130
    print(summary(outcomes, time.monotonic() - began), flush=True)
    return int(any(outcome.verdict != "ok" for outcome in outcomes))


def _python(program: str, *arguments: str) -> tuple[str, ...]:
    return (str(PROGRAMS / program), *arguments)


def _tests(*which: str, at_once: int, long: bool) -> tuple[str, ...]:
    """Pytest over some of the tests; whether enough is covered is judged over all of them."""
    measured = ("--cov", "--cov-report=", "--cov-fail-under=0", "--durations=15")
    # A file's tests share its servers.
    spread = ("--dist=loadfile", f"--numprocesses={at_once}") if at_once > 1 else ()
    return _python("pytest", *measured, *spread, *(["--long"] if long else []), *which)


def _failed_ones(*, long: bool) -> tuple[str, ...]:
    """Pytest over what the last run of it saw fail."""
    enough = f"--maxfail={MOST_FAILED_AGAIN}"
    only = ("--last-failed", "--last-failed-no-failures=none")
    return _python("pytest", "-v", *only, enough, *(["--long"] if long else []))


def _coverage(command: str, *parts: str) -> tuple[str, ...]:
    return _python("coverage", command, *(str(COVERAGE / part) for part in parts))


def _npm(script: str) -> tuple[str, ...]:
    return ("npm", "--prefix", "web", "run", "--silent", script)


def _shown(command: tuple[str, ...]) -> str:
    return " ".join((Path(command[0]).name, *command[1:]))


if __name__ == "__main__":
    sys.exit(main())
