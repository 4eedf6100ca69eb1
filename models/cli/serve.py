"""`fanlight models serve`: models that are here, in OpenAI's dialect, until Ctrl-C.

Decides what is served where nothing is named: every chat model that is here, and no encoder.
Refuses to listen beyond this machine without a key. What is loaded is loaded when it is first asked
for, or at once with --warm.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import click
from rich.text import Text

from core.errors import FanlightError
from gateway.cli.output import Output, json_option
from gateway.cli.serving import LOOPBACKS, Listener, bind, serve
from models.cli.options import Size, catalog_option
from models.engines.apart import EngineApart
from models.engines.jax import JaxSettings
from models.engines.kept import KeptModel
from models.engines.llama import LlamaSettings
from models.engines.onnx import OnnxSettings
from models.engines.protocol import Engine
from models.engines.room import Room
from models.errors import UnknownModel
from models.registry.model import Model
from models.registry.registry import Registry
from models.server.app import Limits, Serving, create_app
from models.services import open_registry

PORT: Final = 8010
CONTEXT: Final = 4096
ENGINES: Final = ("llama.cpp", "jax")
IDLE_MINUTES: Final = 15.0
MOST_ENCODER_THREADS: Final = 4
KEY: Final = "FANLIGHT_MODELS_KEY"
_LEAST_KEY: Final = 20
_INTERRUPTED: Final = 130


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the command line says."""

    names: tuple[str, ...]
    encoders: tuple[str, ...]
    host: str
    port: int
    engine: str
    adapters: tuple[tuple[str, Path], ...]
    context: int
    threads: int
    idle_s: float
    memory: int | None
    limits: Limits
    warm: bool
    with_parent: bool


@click.command("serve")
@click.argument("names", metavar="[MODEL]...", nargs=-1)
@click.option(
    "--embed", "encoders", metavar="MODEL", multiple=True, help="Serve this encoder as well."
)
@click.option("--host", default="127.0.0.1", show_default=True, help=f"Others need {KEY}.")
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True)
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default=ENGINES[0],
    show_default=True,
    help="jax runs llama models, on a GPU where there is one.",
)
@click.option(
    "--adapter",
    "adapters",
    metavar="ID=FILE",
    multiple=True,
    callback=lambda _context, _option, values: _adapters(values),
    help="A LoRA adapter (GGUF) that requests may name; with --engine jax and one MODEL.",
)
@click.option(
    "--context",
    type=click.IntRange(64),
    default=CONTEXT,
    show_default=True,
    help="Tokens a request may fill; a model's own limit holds too.",
)
@click.option(
    "--threads", type=click.IntRange(1, 256), help="Of each model in llama.cpp. Default: the cores."
)
@click.option(
    "--at-once", type=click.IntRange(1, 64), default=2, show_default=True, help="Requests that run."
)
@click.option(
    "--queue", type=click.IntRange(0), default=32, show_default=True, help="Requests that wait."
)
@click.option(
    "--timeout", type=click.FloatRange(0.1), default=120, show_default=True, help="Seconds a reply."
)
@click.option(
    "--temperature",
    type=click.FloatRange(0, 2),
    default=0,
    show_default=True,
    help="Where a request does not say.",
)
@click.option(
    "--idle-minutes",
    type=click.FloatRange(0),
    default=IDLE_MINUTES,
    show_default=True,
    help="After these a model that nobody asks is unloaded.",
)
@click.option(
    "--memory",
    type=Size(),
    help="What the models may take together, as 4G or 800M. Default: what the machine has free.",
)
@click.option("--warm", is_flag=True, help="Load the models before answering.")
@click.option("--with-parent", is_flag=True, hidden=True, help="Stop when stdin ends.")
@catalog_option
@json_option
def serve_command(
    *,
    names: tuple[str, ...],
    encoders: tuple[str, ...],
    host: str,
    port: int,
    engine: str,
    adapters: tuple[tuple[str, Path], ...],
    context: int,
    threads: int | None,
    at_once: int,
    queue: int,
    timeout: float,
    temperature: float,
    idle_minutes: float,
    memory: int | None,
    warm: bool,
    with_parent: bool,
    catalog: Path | None,
    as_json: bool,
) -> None:
    """Serve MODELs in OpenAI's dialect until Ctrl-C; by default all chat models that are here."""
    output = Output(as_json)
    if adapters and (engine != "jax" or len(names) != 1):
        raise click.UsageError("--adapter needs --engine jax, and the one MODEL that it is for.")
    asked = _Asked(
        names=names,
        encoders=encoders,
        host=host,
        port=port,
        engine=engine,
        adapters=adapters,
        context=context,
        threads=threads or os.cpu_count() or 1,
        idle_s=idle_minutes * 60,
        memory=memory,
        limits=Limits(at_once, queue, timeout, temperature),
        warm=warm,
        with_parent=with_parent,
    )
    _run(asked, catalog, output)


def _run(asked: _Asked, catalog: Path | None, output: Output) -> None:
    try:
        key = _key(os.environ, asked.host)
        with open_registry(os.environ, catalog) as registry:
            clean = asyncio.run(_serve(registry, asked, key, output))
    except FanlightError as error:
        output.result({"running": False, "detail": str(error)})
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt as error:  # before the server took the signals over
        raise SystemExit(_INTERRUPTED) from error
    output.tell("Stopped." if clean else "Stopped, with requests cut off.")
    if not clean:
        raise SystemExit(_INTERRUPTED)


def _key(environ: Mapping[str, str], host: str) -> str:
    key = environ.get(KEY, "")
    if not key and host not in {*LOOPBACKS, *LOOPBACKS.values(), "localhost"}:
        raise click.UsageError(
            f"Whoever reaches {host} could use the models. Set {KEY}, which callers then send as "
            "their bearer token, or leave out --host."
        )
    if key and len(key) < _LEAST_KEY:
        raise click.UsageError(f"{KEY} is too short to be a secret: use {_LEAST_KEY} characters.")
    return key


async def _serve(registry: Registry, asked: _Asked, key: str, output: Output) -> bool:
    models = _chosen(registry, asked.names, asked.encoders)
    room = Room(asked.memory)
    serving = Serving(
        models={each.id: _kept(registry, each, asked, room) for each in models},
        limits=asked.limits,
        clock=time.time,
        ticks=time.monotonic,
        key=key,
        room=room,
        hosts=("*",) if key else ("localhost", "127.0.0.1", "::1"),
    )
    with ExitStack() as stack:
        sockets = bind(asked.host, asked.port, "--port", LOOPBACKS if asked.port else {})
        for each in sockets:
            stack.callback(each.close)
        if asked.with_parent:
            threading.Thread(target=_follow_parent, daemon=True).start()
        if asked.warm:
            for kept in serving.models.values():
                async with kept.used():
                    pass
        listener = Listener(create_app(serving), sockets, lifespan=True)
        url = _url(asked.host, int(sockets[0].getsockname()[1]))
        ready = partial(_welcome, models, url, output)
        return await serve([listener], ready=ready, stopping=serving.stop)


def _adapters(values: Sequence[str]) -> tuple[tuple[str, Path], ...]:
    found: dict[str, Path] = {}
    for value in values:
        name, _, path = value.partition("=")
        if not name or not path:
            raise click.BadParameter(f"{value!r} is not ID=FILE.")
        if name in found:
            raise click.BadParameter(f"{name} comes twice.")
        found[name] = Path(path)
    return tuple(found.items())


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}/v1" if ":" in host else f"http://{host}:{port}/v1"


def _kept(registry: Registry, model: Model, asked: _Asked, room: Room) -> KeptModel:
    context, at_once = min(asked.context, model.context), asked.limits.at_once

    def make(path: Path, _model: Model) -> Engine:
        if model.embedding is not None:
            # A short text is embedded soonest by one thread; the others are the chat models'.
            threads = min(MOST_ENCODER_THREADS, max(1, asked.threads // 2))
            return EngineApart(path, OnnxSettings(model.embedding, context, threads))
        if asked.engine == "jax":
            jax = JaxSettings(model.architecture, context, at_once, adapters=asked.adapters)
            return EngineApart(path, jax)
        settings = LlamaSettings(
            architecture=model.architecture,
            context=context,
            threads=asked.threads,
            at_once=at_once,
        )
        return EngineApart(path, settings)

    return KeptModel(registry, model, make, idle_s=asked.idle_s, room=room)


def _chosen(registry: Registry, names: Sequence[str], encoders: Sequence[str]) -> list[Model]:
    """The models that are named, in the versions in use; else every chat model that is here."""
    named = [registry.find(name) for name in dict.fromkeys((*names, *encoders))]
    for model in named:
        wanted = "embed" if model.id in encoders else "chat"
        if model.kind != wanted:
            raise UnknownModel(_of_another_kind(model, wanted))
        if not registry.state(model).ready:
            pull = f"`fanlight models pull {model.id}`"
            raise UnknownModel(f"{model.id} {model.version} is not here. Bring it with {pull}.")
    states = registry.states()
    here = [each.model for each in states if each.ready and each.used and each.model.kind == "chat"]
    if not names and encoders:
        return [*here, *named]
    if not named and not here:
        pull = "`fanlight models pull smollm2-135m`"
        raise UnknownModel(f"No chat model is in {registry.shelf.folder}. Bring one with {pull}.")
    return named or here


def _of_another_kind(model: Model, wanted: str) -> str:
    if model.kind == "embed":
        return f"{model.id} is no chat model: it embeds text. Serve it with `--embed {model.id}`."
    noun = "chat model" if wanted == "chat" else "encoder"
    return f"{model.id} is no {noun}: it is for {model.kind}."


def _welcome(models: Sequence[Model], url: str, output: Output) -> None:
    rows = [{"id": each.id, "version": each.version} for each in models]
    output.result({"running": True, "url": url, "models": rows, "pid": os.getpid()})
    output.show("", Text("The model server is running. Ctrl-C stops it.", "bold"), "")
    output.show(*(f"  {each.id} {each.version}" for each in models), "")
    output.show("A gateway on this machine uses it with:", "")
    for kind, variable in (("chat", "FANLIGHT_LLM"), ("embed", "FANLIGHT_EMBEDDINGS")):
        named = next((each.id for each in models if each.kind == kind), None)
        if named is not None:
            output.show(f"  {variable}_URL={url}", f"  {variable}_MODEL={named}")
    output.show("")


def _follow_parent() -> None:
    """Whoever started this holds the other end of stdin: it ends however that process ends."""
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)
