"""`fanlight models bench`: how fast a model is in each engine, on this machine.

Decides what is measured: the engines that are installed, one after the other, each in a process of
its own, with the same weights. Asserts nothing.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
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
from models.services import open_registry

_DIGITS: Final = 2


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
    except FanlightError as error:
        output.result({"detail": str(error)})
        raise click.ClickException(str(error)) from error
    output.result({"model": model.id, "version": model.version, "rows": ROWS, "engines": found})
    output.show(_table(found))
    if model.embedding is None:
        output.show(f"adapters_N: {ROWS} rows with N adapters, over the same without.")


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
