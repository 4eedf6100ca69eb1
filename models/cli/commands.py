"""`fanlight models`: what can be had, what is here, and which version is used.

Decides the wording. An error is one message on stderr and status 1; with `--json` stdout carries
one object, an error's text under `detail`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import click
from rich.table import Table
from rich.text import Text

from core.errors import FanlightError
from gateway.cli.output import Output, json_option
from models.cli.bench import bench_command
from models.cli.classifier import classifier_group
from models.cli.export import export_group
from models.cli.options import catalog_option, version_option
from models.cli.progress import shown
from models.cli.safety import safety_group
from models.cli.serve import serve_command
from models.cli.signing import sign_command
from models.registry import cleaning, encoding
from models.registry.packing import publish_mlc
from models.registry.publishing import Form, publish
from models.registry.registry import Registry, State
from models.services import open_registry

_MARKS: Final = {"good": "green", "unknown": "yellow", "missing": "red", "bad": "red"}


@click.group("models")
def models_group() -> None:
    """Models that run on this machine: list, pull, verify, choose, remove, serve, export, bench."""


models_group.add_command(bench_command)
models_group.add_command(serve_command)
models_group.add_command(classifier_group)
models_group.add_command(export_group)
models_group.add_command(sign_command)
models_group.add_command(safety_group)


@contextmanager
def _opened(catalog: Path | None, output: Output) -> Iterator[Registry]:
    """The registry; what goes wrong with it ends the command with its reason."""
    try:
        with open_registry(os.environ, catalog) as registry:
            yield registry
    except FanlightError as error:
        output.result({"detail": str(error)})
        raise click.ClickException(str(error)) from error
    except OSError as error:
        detail = f"{error.filename}: {error.strerror}. Set FANLIGHT_MODELS_DIR to another folder."
        output.result({"detail": detail})
        raise click.ClickException(detail) from error
    except KeyboardInterrupt as error:
        output.tell("Stopped; what has come so far is kept.")
        raise SystemExit(130) from error


@models_group.command("list")
@catalog_option
@json_option
def list_command(catalog: Path | None, as_json: bool) -> None:
    """List the models that can be had, and what of them is here."""
    output = Output(as_json)
    with _opened(catalog, output) as registry:
        states = registry.states()
        hashed = [_hashed(registry, state) for state in states]
        folder = registry.shelf.folder
    rows = [_row(state, known) for state, known in zip(states, hashed, strict=True)]
    output.result({"folder": str(folder), "engine": engine_is_here(), "models": rows})
    output.show(_table(states, hashed), f"Kept in {folder}")
    if not all(hashed):
        output.show(Text("? its hash is not written down: pull it with --pin", "dim"))


@models_group.command("pull")
@click.argument("model_id", metavar="MODEL")
@version_option
@click.option("--pin", is_flag=True, help="Trust what comes where no hash is known; write it down.")
@catalog_option
@json_option
def pull_command(
    model_id: str, version: str | None, pin: bool, catalog: Path | None, as_json: bool
) -> None:
    """Fetch MODEL, its newest version unless one is named, and check it."""
    output = Output(as_json)
    with _opened(catalog, output) as registry:
        model = registry.newest(model_id, version)
        with shown(output) as progress:
            came = registry.pull(model, pin=pin, progress=progress)
        state = registry.state(model)
    output.result({**_row(state, known=True), "came": came})
    named = f"{model.id} {model.version}"
    output.show(f"{named} is here." if came else f"{named} was here already.")
    if not state.used:
        output.show(f"Another version is in use: `fanlight models use {model.id} {model.version}`.")


@models_group.command("verify")
@click.argument("model_id", metavar="MODEL", required=False)
@version_option
@catalog_option
@json_option
def verify_command(
    model_id: str | None, version: str | None, catalog: Path | None, as_json: bool
) -> None:
    """Check the hash of every file of MODEL, or of all models that are here."""
    output = Output(as_json)
    with _opened(catalog, output) as registry, shown(output) as progress:
        models = (
            [registry.find(model_id, version)]
            if model_id
            else [state.model for state in registry.states() if state.bytes]
        )
        found = [(model, each) for model in models for each in registry.verify(model, progress)]
    rows = [
        {
            "id": model.id,
            "version": model.version,
            "file": each.file,
            "verdict": each.verdict,
            "expected": each.expected,
            "found": each.found,
        }
        for model, each in found
    ]
    good = all(each.verdict == "good" for _, each in found)
    output.result({"good": good, "files": rows})
    for model, each in found:
        line = Text(f"{each.verdict:<8}", _MARKS[each.verdict])
        output.show(line.append(f"{model.id} {model.version}  {each.file}", ""))
        if each.verdict == "bad":
            output.show(f"  expected sha256 {each.expected}", f"  found    sha256 {each.found}")
    if not found:
        output.show("No model is here.")
    if not good:
        output.tell("Remove what is bad with `models remove`, and pull it again.", "yellow")
        raise SystemExit(1)


@models_group.command("use")
@click.argument("model_id", metavar="MODEL")
@click.argument("version", required=False)
@click.option("--back", "by", flag_value=-1, type=int, help="The version before this one.")
@click.option("--forward", "by", flag_value=1, type=int, help="The version that --back came from.")
@catalog_option
@json_option
def use_command(
    model_id: str, version: str | None, by: int | None, catalog: Path | None, as_json: bool
) -> None:
    """Choose the VERSION of MODEL that is used, or go one choice back or forward."""
    output = Output(as_json)
    if (version is None) == (by is None):
        raise click.UsageError("Name a version, or give --back or --forward.")
    with _opened(catalog, output) as registry:
        if by is not None:
            registry.step(model_id, by)
        else:
            registry.use(registry.newest(model_id, version))
        choice = registry.shelf.choice(model_id)
    output.result({"id": model_id, "version": choice.version, "chosen": list(choice.versions)})
    output.show(
        f"{model_id} {choice.version} is used; what runs now goes on until it is restarted."
    )


@models_group.command("publish")
@click.argument("model_id", metavar="MODEL")
@version_option
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The folder that gateway.models_dir names; made where it is missing.",
)
@click.option(
    "--form",
    type=click.Choice(["same", "q8_0"]),
    default="same",
    show_default=True,
    help="q8_0: its matrices in 8 bits, half as large as F16.",
)
@click.option(
    "--mlc",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Its folder for WebLLM, as `fanlight models export mlc` wrote it, instead of its file.",
)
@click.option(
    "--library",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="What was compiled for that folder's architecture and quantisation: a .wasm file.",
)
@catalog_option
@json_option
def publish_command(
    *,
    model_id: str,
    version: str | None,
    folder: Path,
    form: Form,
    mlc: Path | None,
    library: Path | None,
    catalog: Path | None,
    as_json: bool,
) -> None:
    """Write MODEL, with the hashes of its blocks, for visitors' browsers to run."""
    output = Output(as_json)
    if library is not None and mlc is None:
        raise click.UsageError("--library goes with --mlc.")
    with _opened(catalog, output) as registry, shown(output) as progress:
        model = registry.find(model_id, version)
        if model.kind == encoding.KIND:
            if mlc is not None or form != "same":
                raise click.UsageError(f"{model.id} embeds: it has no other form.")
            done = encoding.publish_encoder(registry, model, folder, progress)
        elif mlc is None:
            done = publish(registry, model, folder, form, progress)
        else:
            done = publish_mlc(model, mlc, folder, library, progress)
    row = {"manifest": str(done.manifest), "file": str(done.file), "bytes": done.size}
    output.result({**row, "sha256": done.sha256})
    encodes = model.kind == encoding.KIND
    setting = f'encoder = "{model_id}"' if encodes else f'local_models = ["{model_id}"]'
    output.show(
        f"{done.manifest}: {_mb(done.size)}, sha256 {done.sha256}.",
        *_warned(mlc, library),
        f'Offer it to visitors: models_dir = "{folder}" in [gateway], and {setting} in the site.',
    )


def _warned(mlc: Path | None, library: Path | None) -> tuple[str, ...]:
    """What somebody should know who publishes for WebLLM."""
    if mlc is None or library is not None:
        return ()
    said = "There is no library in it, so no browser will run it: give --library. Browsers take"
    return (f"{said} the model's file instead (publish it without --mlc, too).",)


@models_group.command("remove")
@click.argument("model_id", metavar="MODEL")
@version_option
@catalog_option
@json_option
def remove_command(model_id: str, version: str | None, catalog: Path | None, as_json: bool) -> None:
    """Remove the files of one version of MODEL; the one in use unless another is named."""
    output = Output(as_json)
    with _opened(catalog, output) as registry:
        removed = cleaning.remove(registry, registry.find(model_id, version))
    output.result({"removed": removed.what, "bytes": removed.bytes})
    output.show(f"Removed {removed.what}: {_mb(removed.bytes)} are free again.")


@models_group.command("gc")
@catalog_option
@json_option
def gc_command(catalog: Path | None, as_json: bool) -> None:
    """Remove what nothing uses: other versions, spent ingredients, unfinished and bad files."""
    output = Output(as_json)
    with _opened(catalog, output) as registry:
        removed = cleaning.collect(registry)
    total = sum(each.bytes for each in removed)
    rows = [{"what": each.what, "bytes": each.bytes} for each in removed]
    output.result({"removed": rows, "bytes": total})
    output.show(*(f"Removed {each.what}: {_mb(each.bytes)}" for each in removed))
    output.show(f"{_mb(total)} are free again." if removed else "There is nothing to remove.")


def engine_is_here() -> bool:
    """Whether what runs models is installed; it is not loaded for that."""
    return find_spec("xllamacpp") is not None


def _hashed(registry: Registry, state: State) -> bool:
    expected: Callable[[str], str | None] = partial(registry.shelf.expected, state.model)
    return all(expected(each.name) for each in state.model.files)


def _row(state: State, known: bool) -> dict[str, object]:
    model = state.model
    sizes = [each.size for each in model.needed]
    return {
        "id": model.id,
        "version": model.version,
        "name": model.name,
        "kind": model.kind,
        "architecture": model.architecture,
        "parameters": model.parameters,
        "licence": model.licence,
        "context": model.context,
        "memory": model.memory,
        "size": sum(size for size in sizes if size) if all(sizes) else None,
        "transfer": sum(each.transfer or 0 for each in model.files) or None,
        "hash_known": known,
        "ready": state.ready,
        "used": state.used,
        "bytes": state.bytes,
    }


def _table(states: list[State], hashed: list[bool]) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for title in ("model", "version", "kind", "parameters", "memory", "licence", "here"):
        number = title in {"parameters", "memory"}
        table.add_column(title, justify="right" if number else "left", no_wrap=title == "model")
    for state, known in zip(states, hashed, strict=True):
        model = state.model
        here = "in use" if state.used and state.ready else "yes" if state.ready else ""
        table.add_row(
            Text(model.id, "bold" if state.ready else ""),
            model.version,
            model.kind,
            f"{model.parameters / 1e6:,.0f} M",
            f"{model.memory / 1e9:.1f} GB",
            model.licence,
            here or ("" if known else "?"),
        )
    return table


def _mb(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
