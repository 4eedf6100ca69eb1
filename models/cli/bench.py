"""`fanlight models bench`: how fast a model is in each engine, on this machine.

Decides what is measured: the engines that are installed, one after the other, each in a process of
its own, with the same weights; then what the model server adds to llama.cpp. Asserts nothing.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import click
from rich.table import Table

from core.errors import FanlightError
from gateway.cli.output import Output, json_option
from models.cli.options import catalog_option
from models.engines.speed import ROWS, Figures, measure_jax, measure_llama, measure_onnx
from models.errors import EngineFailed, ModelError
from models.registry.model import Model
from models.server.speed import CONTEXT, measure_added
from models.services import open_registry

_DIGITS: Final = 2
_FANLIGHT: Final = (
    sys.executable,
    *("-P", "-c", "import sys; from gateway.cli.entry import main; sys.exit(main())"),
)
_STOP_S: Final = 15


@click.command("bench")
@click.argument("name", metavar="MODEL")
@click.option("--tokens", type=click.IntRange(2, 256), default=32, show_default=True)
@click.option(
    "--threads",
    type=click.IntRange(1, 256),
    help="Of llama.cpp (default: the processor's cores) and ONNX Runtime (1).",
)
@catalog_option
@json_option
def bench_command(
    *, name: str, tokens: int, threads: int | None, catalog: Path | None, as_json: bool
) -> None:
    """Measure MODEL in each engine that is installed, and with adapters, on this machine."""
    output = Output(as_json)
    try:
        with open_registry(os.environ, catalog) as registry:
            model = registry.find(name)
            with registry.loadable(model) as loadable:
                found = _measured(loadable.path, model, threads, tokens)
                if "llama.cpp" in found:
                    each = threads or os.cpu_count() or 1
                    with _serving(model, each, catalog) as url:
                        own = (loadable.path, model.architecture, each, url)
                        found["llama.cpp"] |= _alone(_added, *own)
    except FanlightError as error:
        output.result({"detail": str(error)})
        raise click.ClickException(str(error)) from error
    output.result({"model": model.id, "version": model.version, "rows": ROWS, "engines": found})
    output.show(_table(found))
    if model.embedding is None:
        output.show(
            f"adapters_N: {ROWS} rows with N adapters, over the same without.",
            "server_added_ms: what `models serve` adds to the first token, of a short prompt.",
        )


def _measured(path: Path, model: Model, threads: int | None, tokens: int) -> dict[str, Figures]:
    found: dict[str, Figures] = {}
    if model.embedding is not None:
        own = (path, model.embedding, model.context, threads or 1)
        return {"onnx": _alone(measure_onnx, *own)}
    if find_spec("xllamacpp"):
        found["llama.cpp"] = _alone(
            measure_llama, path, model.architecture, threads or os.cpu_count() or 1, tokens
        )
    if find_spec("jax"):
        for kind in ("float32", "bfloat16"):
            found[f"jax {kind}"] = _alone(measure_jax, path, model.architecture, kind, tokens)
    if not found:
        raise EngineFailed(
            'No engine is installed. Install one: pip install "fanlight[server,engines,jax]"'
        )
    return found


@contextmanager
def _serving(model: Model, threads: int, catalog: Path | None) -> Iterator[str]:
    """The address of a model server as people start it, while it runs."""
    options = ("--port", "0", "--json", "--warm", "--with-parent", "--context", str(CONTEXT))
    places = os.pathsep.join(each or os.getcwd() for each in sys.path)  # noqa: PTH109
    with subprocess.Popen(  # noqa: S603 - our own command
        (
            *_FANLIGHT,
            *("models", "serve", model.id, "--threads", str(threads), *options),
            *(("--catalog", str(catalog)) if catalog else ()),
        ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": places},
    ) as server:
        try:
            assert server.stdout is not None  # noqa: S101 - it was started with one
            said = json.loads(server.stdout.readline() or b"{}")
            if not said.get("running"):
                raise EngineFailed(f"The model server did not start: {said.get('detail')}")
            yield said["url"]
        finally:
            server.terminate()
            try:
                server.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                server.kill()


def _added(path: Path, architecture: str, threads: int, url: str) -> Figures:
    return asyncio.run(measure_added(path, architecture, threads, url))


def _alone(does: Callable[..., Figures], *arguments: object) -> Figures:
    """In a process of its own, which ends with it."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        figures = pool.submit(_told, does, *arguments).result()
    if isinstance(figures, str):
        raise EngineFailed(figures)
    return {
        name: round(each, _DIGITS) if isinstance(each, float) else each
        for name, each in figures.items()
    }


def _told(does: Callable[..., Figures], *arguments: object) -> Figures | str:
    """Figures, or why there are none: an error that carries numbers does not cross processes."""
    try:
        return does(*arguments)
    except ModelError as error:
        return str(error)


def _table(found: dict[str, Figures]) -> Table:
    table = Table("", *found)
    for name in dict.fromkeys(name for figures in found.values() for name in figures):
        table.add_row(name, *(str(figures.get(name, "")) for figures in found.values()))
    return table
