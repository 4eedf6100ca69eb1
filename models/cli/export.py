"""`fanlight models export`: an adapter, or a model with adapters merged into it, for other engines.

Decides the wording, and that a base is an id of the catalogue, whose hash is checked, or the path
of a GGUF file. All that can be refused is refused before the first byte is written.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from core.errors import FanlightError
from gateway.cli.output import Output, json_option
from models.cli.options import catalog_option
from models.cli.progress import shown
from models.errors import INSTALL, ModelError
from models.export.library import check_compiler, compile_library
from models.export.target import check_file, check_folder, new_file, new_folder
from models.gguf.types import F16, F32
from models.registry.partial import sha256_of
from models.registry.progress import Progress
from models.services import open_registry

if TYPE_CHECKING:
    from models.export.base import Base, Weighted

MOST: Final = 8.0
"""An adapter's weight, either way: as the server has it."""

KINDS: Final = {"f16": F16, "f32": F32}
_FILE: Final = click.Path(path_type=Path)


@click.group("export")
def export_group() -> None:
    """Write an adapter as GGUF; a model with adapters in it as GGUF, or for WebLLM."""


def _weighted(_context: click.Context, _option: click.Parameter, texts: Sequence[str]) -> Any:
    found = []
    for text in texts:
        name, _, number = text.rpartition("=")
        try:
            path, weight = (Path(name), float(number)) if name else (Path(text), 1.0)
        except ValueError:
            path, weight = Path(text), 1.0
        if not math.isfinite(weight) or abs(weight) > MOST:
            raise click.BadParameter(f"{text}: a weight is from -{MOST:g} to {MOST:g}.")
        found.append((path, weight))
    return tuple(found)


_adapters = click.option(
    "--adapter",
    "adapters",
    metavar="FILE[=WEIGHT]",
    multiple=True,
    callback=_weighted,
    help="A GGUF adapter, or PEFT's folder, to be merged in; weight 1. As often as needed.",
)
_force = click.option("--force", is_flag=True, help="Replace what an earlier export wrote.")


def _kind(default: str) -> Callable[[Any], Any]:
    return click.option(
        "--type", "kind", type=click.Choice(sorted(KINDS)), default=default, show_default=True
    )


@export_group.command("gguf")
@click.argument("base")
@click.argument("target", metavar="FILE", type=_FILE)
@_adapters
@_kind("f16")
@_force
@catalog_option
@json_option
def gguf_command(
    *,
    base: str,
    target: Path,
    adapters: Sequence[tuple[Path, float]],
    kind: str,
    force: bool,
    catalog: Path | None,
    as_json: bool,
) -> None:
    """Write the model BASE with adapters merged into its weights as the GGUF file FILE."""
    output = Output(as_json)
    with _said(output), shown(output) as progress:
        check_file(target, force=force)
        with _opened(base, catalog, adapters) as opened:
            from models.export.gguf import merged_size, write_merged  # noqa: PLC0415

            size = merged_size(opened.base.header, KINDS[kind])
            with new_file(target, size, force=force) as out:
                told = progress(f"writing {target.name}")
                write_merged(opened.base, opened.adapters, KINDS[kind], out, told)
            written = _written(target, progress)
            output.result({**written, "type": kind, **opened.document()})
    output.show(f"{target}: {_mb(written['bytes'])}, sha256 {written['sha256']}")


@export_group.command("mlc")
@click.argument("base")
@click.argument("target", metavar="FOLDER", type=_FILE)
@_adapters
@click.option(
    "--quantization",
    "--quantisation",
    "quantisation",
    type=click.Choice(["q4f16_1", "q4f32_1", "q0f16", "q0f32"]),
    default="q4f16_1",
    show_default=True,
    help="What the library was compiled for.",
)
@click.option("--context", type=click.IntRange(64), help="Tokens; 4096, or what the model has.")
@click.option("--library", type=_FILE, help="Also compile this .wasm, where mlc_llm is installed.")
@_force
@catalog_option
@json_option
def mlc_command(
    *,
    base: str,
    target: Path,
    adapters: Sequence[tuple[Path, float]],
    quantisation: str,
    context: int | None,
    library: Path | None,
    force: bool,
    catalog: Path | None,
    as_json: bool,
) -> None:
    """Write the model BASE with adapters merged into its weights as FOLDER, for WebLLM."""
    output = Output(as_json)
    with _said(output), shown(output) as progress:
        check_folder(target, force=force)
        if library is not None:
            check_file(library, force=force)
            check_compiler()
        with _opened(base, catalog, adapters) as opened:
            from models.export.mlc import folder_size, planned, write_mlc  # noqa: PLC0415

            plan = planned(opened.base, opened.adapters, quantisation, context)
            with new_folder(target, folder_size(plan), force=force) as folder:
                write_mlc(plan, folder, progress(f"writing {target.name}"))
            files = [_written(each, progress) for each in sorted(target.iterdir())]
            found = {"folder": str(target), "quantization": quantisation, "context": plan.context}
            if library is not None:
                output.tell(f"mlc_llm compiles {library.name} …")
                compile_library(target, library)
                found["library"] = _written(library, progress)
            output.result({**found, "files": files, **opened.document()})
    output.show(f"{target}: {len(files)} files, {_mb(sum(each['bytes'] for each in files))}")


@export_group.command("adapter")
@click.argument("lora", metavar="ADAPTER", type=_FILE)
@click.argument("target", metavar="FILE", type=_FILE)
@click.option("--base", required=True, help="The model that it changes.")
@_kind("f32")
@_force
@catalog_option
@json_option
def adapter_command(
    *,
    lora: Path,
    target: Path,
    base: str,
    kind: str,
    force: bool,
    catalog: Path | None,
    as_json: bool,
) -> None:
    """Write ADAPTER, as PEFT keeps it or as GGUF, as the GGUF file FILE."""
    output = Output(as_json)
    with _said(output), shown(output) as progress:
        check_file(target, force=force)
        with _opened(base, catalog, [(lora, 1.0)]) as opened:
            from models.export.adapters import adapter_size, write_adapter  # noqa: PLC0415

            ((adapter, _),) = opened.adapters
            size = adapter_size(adapter, KINDS[kind])
            with new_file(target, size, force=force) as out:
                shape = opened.base.tensors.shape
                write_adapter(adapter, shape, KINDS[kind], out, opened.id)
            written = _written(target, progress)
            rank = adapter.rank
            output.result({**written, "type": kind, "rank": rank, **opened.document()})
    output.show(f"{target}: rank {rank}, {_mb(written['bytes'])}, sha256 {written['sha256']}")


@dataclass(frozen=True, slots=True)
class _Opened:
    """A base with adapters, and what they were called."""

    base: Base
    adapters: Weighted
    id: str | None
    named: Sequence[tuple[Path, float]]

    def document(self) -> dict[str, object]:
        """What was exported, for JSON."""
        return {
            "base": self.id or str(self.base.path),
            "adapters": [{"file": str(path), "weight": weight} for path, weight in self.named],
        }


@contextmanager
def _opened(
    base: str, catalog: Path | None, adapters: Sequence[tuple[Path, float]]
) -> Iterator[_Opened]:
    """The base, held while it is read, and the adapters, for it."""
    try:
        # Numpy is not where nothing is made: the other commands do without.
        from models.export.adapters import read_adapter  # noqa: PLC0415
        from models.export.base import open_base  # noqa: PLC0415
    except ImportError as error:
        raise ModelError(f"Exporting needs numpy. {INSTALL}") from error
    with _file(base, catalog) as (path, model_id):
        opened = open_base(path)
        shape = opened.tensors.shape
        read = [(read_adapter(each, shape, model_id), weight) for each, weight in adapters]
        yield _Opened(opened, read, model_id, adapters)


@contextmanager
def _file(base: str, catalog: Path | None) -> Iterator[tuple[Path, str | None]]:
    if base.endswith(".gguf") or os.sep in base:
        yield Path(base), None
        return
    with open_registry(os.environ, catalog) as registry:
        model = registry.find(base)
        with registry.loadable(model) as loadable:
            yield loadable.path, model.id


@contextmanager
def _said(output: Output) -> Iterator[None]:
    """What goes wrong ends the command with its reason."""
    try:
        yield
    except FanlightError as error:
        output.result({"detail": str(error)})
        raise click.ClickException(str(error)) from error
    except OSError as error:
        detail = f"{error.filename}: {error.strerror}."
        output.result({"detail": detail})
        raise click.ClickException(detail) from error
    except KeyboardInterrupt as error:
        output.tell("Stopped; nothing is half written.")
        raise SystemExit(130) from error


def _written(path: Path, progress: Progress) -> dict[str, Any]:
    told = progress(f"hashing {path.name}")
    return {"file": str(path), "bytes": path.stat().st_size, "sha256": sha256_of(path, told)}


def _mb(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
