"""The model server that the demo starts beside itself, so that it answers what its pages do not.

Decides when: where the demo has no other, and the weights are here, which are then offered to
browsers too. Where they are not, whoever sits at the terminal is asked whether to fetch them;
without a terminal, or when they decline, nothing is changed. What it needs it does by the command
`fanlight models` in processes of their own: the gateway knows no engine. A model that does not
start is told, and the demo goes on without.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final

import click

from gateway.cli.output import Output
from gateway.configuration.demo import SMALL, published_folder

MODEL: Final = SMALL
START_S: Final = 90.0
STOP_S: Final = 15.0
_FANLIGHT: Final = (
    sys.executable,
    *("-P", "-c", "import sys; from gateway.cli.entry import main; sys.exit(main())"),
)
_COMMANDS: Final = "fanlight.commands"
_KEY_BYTES: Final = 24


@contextmanager
def own_model(
    environ: Mapping[str, str], data: Path, output: Output
) -> Iterator[Mapping[str, str]]:
    """The environment with the demo's own model server in it, while that runs; or as it is.

    `data` is the demo's data folder.
    """
    folder = Path(environ.get("FANLIGHT_MODELS_DIR") or data / "models")
    variables = {**environ, "FANLIGHT_MODELS_DIR": str(folder)}
    wanted = not environ.get("FANLIGHT_LLM_URL") and _wanted(folder, variables, output)
    _offer(folder, published_folder(data), variables, output)
    if not wanted:
        yield environ
        return
    key = secrets.token_urlsafe(_KEY_BYTES)
    server = _start({**variables, "FANLIGHT_MODELS_KEY": key}, folder / "server.log")
    try:
        told = _told(server, output)
        if not told.get("running"):
            reason = told.get("detail") or f"{folder / 'server.log'} says why"
            output.tell(f"The demo goes on without a model: {reason}", "yellow")
            yield environ
            return
        found = {
            "FANLIGHT_LLM_URL": str(told["url"]),
            "FANLIGHT_LLM_MODEL": MODEL,
            "FANLIGHT_LLM_KEY": key,
        }
        yield {**environ, **found}
    finally:
        _stop(server)


def _wanted(folder: Path, environ: Mapping[str, str], output: Output) -> bool:
    """Whether the model is to be started: it is here, or has just been fetched."""
    here = (folder / MODEL).is_dir()
    may_ask = not output.as_json and sys.stdin.isatty() and output.err.is_terminal
    known = {point.name for point in entry_points(group=_COMMANDS)}
    # Where nothing is here and nobody can be asked, no process is started to find that out.
    if "models" not in known or not (here or may_ask):
        return False
    listed = _ask(environ, "list", "--json")
    row = next((each for each in listed.get("models", ()) if each["id"] == MODEL), None)
    if row is None or not listed.get("engine"):
        return False
    return bool(row["ready"]) or (may_ask and _fetched(row, environ, output))


def _fetched(row: Mapping[str, Any], environ: Mapping[str, str], output: Output) -> bool:
    """Ask whether to fetch the weights, and fetch them."""
    output.tell("Fanlight can answer what its pages do not cover with a small model of its own,")
    output.tell(f"on this machine: {row['name']}, {row['licence']}. It is often wrong.")
    come, kept = (round(row[name] / 1e6) for name in ("transfer", "size"))
    question = f"Fetch it now? {come} MB come, {come + kept} MB are kept"
    if not click.confirm(question, default=False, err=True):
        return False
    command = (*_FANLIGHT, "models", "pull", MODEL)
    if subprocess.run(command, env=environ, stdout=sys.stderr, check=False).returncode == 0:  # noqa: S603
        return True
    output.tell("The demo goes on without a model; the lines above say why.", "yellow")
    return False


def _offer(folder: Path, published: Path, environ: Mapping[str, str], output: Output) -> None:
    """Publish the model, where it is here, for visitors who want it on their device."""
    chosen, manifest = folder / MODEL / "chosen.json", published / f"{MODEL}.json"
    if not chosen.exists():
        return
    if manifest.exists() and manifest.stat().st_mtime >= chosen.stat().st_mtime:
        return
    with output.progress(f"publishing the model {MODEL} for browsers"):
        told = _ask(environ, "publish", MODEL, "--to", str(published), "--form", "q8_0", "--json")
    if not told.get("sha256"):
        reason = told.get("detail") or "`fanlight models publish` says why"
        output.tell(f"The demo offers no model to browsers: {reason}", "yellow")


def _ask(environ: Mapping[str, str], *arguments: str) -> dict[str, Any]:
    """What a `fanlight models` command says; nothing where it fails."""
    done = subprocess.run(  # noqa: S603 - our own command
        (*_FANLIGHT, "models", *arguments), env=environ, capture_output=True, check=False
    )
    return _object(done.stdout)


def _start(environ: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    arguments = ("--port", "0", "--json", "--warm", "--with-parent")
    with open(log, "ab", opener=lambda name, flags: os.open(name, flags, 0o600)) as errors:
        # It has a session of its own: at Ctrl-C the gateway lets turns end, and then ends it. And
        # it listens to stdin, which ends however this process does.
        return subprocess.Popen(  # noqa: S603 - our own command
            (*_FANLIGHT, "models", "serve", MODEL, *arguments),
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )


def _told(server: subprocess.Popen[bytes], output: Output) -> dict[str, Any]:
    """What the server says when it answers, or when it cannot."""
    impatience = threading.Timer(START_S, server.kill)
    impatience.start()
    try:
        with output.progress(f"loading the model {MODEL}"):
            assert server.stdout is not None  # noqa: S101 - it was asked for
            return _object(server.stdout.readline())
    finally:
        impatience.cancel()


def _object(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _stop(server: subprocess.Popen[bytes]) -> None:
    for stream in (server.stdin, server.stdout):
        if stream is not None:
            stream.close()
    try:
        server.wait(STOP_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
