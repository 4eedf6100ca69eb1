"""`fanlight run`: the gateway, the console and, in the demo, a host page, in one process or more.

Decides the order: settings, sockets, the database's lock, what was published, knowledge bases,
services, servers; so that what can fail by a person's hand fails first. Refuses flawed settings, a
taken port and a SQLite file that another gateway has, in plain lines, before anything is written.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from signal import Signals
from socket import socket
from typing import Final

import click

from core.errors import FanlightError
from core.workshop import Recipe
from gateway.adapters import logs
from gateway.adapters.sql.opening import is_postgresql
from gateway.adapters.sql.sole_file import sole
from gateway.adapters.sql.truth import SqlTruth
from gateway.adapters.telemetry import share, without
from gateway.app import create_app
from gateway.cli.builders import installed_tools
from gateway.cli.knowledge import FILES_ALONE, prepare
from gateway.cli.output import Output, as_rows, json_option
from gateway.cli.own_model import own_model
from gateway.cli.serving import SIGNALS, CannotServe, Listener, bind, serve
from gateway.cli.welcome import welcome
from gateway.cli.workers import ASKED, Crew
from gateway.configuration import (
    ConfigurationError,
    Flaw,
    demo_folder,
    demo_settings,
    read_settings,
    with_port,
)
from gateway.context import SiteKnowledge
from gateway.demo.app import create_demo
from gateway.knowledge.draft import overlay
from gateway.services import figures_folder, open_services, own_keys
from gateway.settings import Settings, SiteSettings

DEMO_PORT: Final = 8001
INTERRUPTED: Final = 130
_SHOWN_PROBLEMS: Final = 10
_PORT: Final = click.IntRange(1, 65535)
_PROJECT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be served: the settings and, where a host page is shown, its port and site."""

    settings: Settings
    page_port: int | None
    page_site: SiteSettings | None
    builtin: bool

    @property
    def page_url(self) -> str | None:
        """The host page's address."""
        return f"http://localhost:{self.page_port}" if self.page_site else None


@click.command("run")
@click.option("--demo", is_flag=True, help="A host page too; without --config the built-in site.")
@click.option("--config", type=click.Path(path_type=Path), help="Instead of ./fanlight.toml.")
@click.option("--port", type=_PORT, help="Instead of gateway.port; local addresses follow.")
@click.option(
    "--demo-port", type=_PORT, default=DEMO_PORT, show_default=True, help="The host page."
)
@click.option("--no-model", is_flag=True, help="The demo without a model of its own.")
@click.option(
    "--log",
    "log_form",
    type=click.Choice(["auto", "json", "text"]),
    default="auto",
    show_default=True,
    help="The log on stderr: JSON unless that is a terminal.",
)
@json_option
def run(
    *,
    demo: bool,
    config: Path | None,
    port: int | None,
    demo_port: int,
    no_model: bool,
    log_form: str,
    as_json: bool,
) -> None:
    """Serve the gateway and the console until Ctrl-C."""
    output = Output(as_json)
    in_json = log_form == "json" or (log_form == "auto" and not sys.stderr.isatty())
    logs.configure(sys.stderr, as_json=in_json)
    try:
        with _model(demo and config is None and not no_model, output) as environ:
            plan = make_plan(config, environ, demo=demo, port=port, page_port=demo_port)
            clean = _run(plan, output)
    except ConfigurationError as error:
        output.flaws(error.flaws)
        output.result({"running": False, "flaws": as_rows(error.flaws)})
        raise SystemExit(1) from error
    except FanlightError as error:
        output.result({"running": False, "detail": str(error)})
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt as error:  # before the servers took the signals over
        raise SystemExit(INTERRUPTED) from error
    output.tell("Stopped." if clean else "Stopped, with requests cut off.")
    if not clean:
        raise SystemExit(INTERRUPTED)


def _model(wanted: bool, output: Output) -> AbstractContextManager[Mapping[str, str]]:
    if not wanted:
        return nullcontext(os.environ)
    return own_model(os.environ, demo_folder(_demo_root(), os.environ), output)


def _demo_root() -> Path:
    return _PROJECT if (_PROJECT / "pyproject.toml").exists() else Path.cwd()


def make_plan(
    config: Path | None, environ: Mapping[str, str], *, demo: bool, port: int | None, page_port: int
) -> Plan:
    """Settle what is to be served. Raises `ConfigurationError`."""
    if demo and config is None:
        settings = demo_settings(_demo_root(), environ, port=port or 8000, page_port=page_port)
        return Plan(settings, page_port, settings.sites[0], builtin=True)
    settings = read_settings(config, environ)
    if port is not None:
        settings = with_port(settings, port)
    site = _page_site(settings, page_port) if demo else None
    return Plan(settings, page_port if demo else None, site, builtin=False)


def _page_site(settings: Settings, page_port: int) -> SiteSettings:
    origin = f"http://localhost:{page_port}"
    for site in settings.sites:
        if origin in site.origins:
            return site
    key = f"sites[{settings.sites[0].key}].origins"
    detail = "No site may be embedded by the demo page."
    raise ConfigurationError([Flaw(key, detail, f'Add "{origin}", or leave out --demo.')])


def _run(plan: Plan, output: Output) -> bool:
    settings = plan.settings
    with ExitStack() as stack:
        gateway = bind(settings.host, settings.port, "--port")
        console: list[socket] = []
        page: list[socket] = []
        stack.callback(_close, gateway, console, page)
        if settings.workers > 1:
            console.extend(bind(settings.host, settings.console_port, "gateway.console_port"))
        if plan.page_port:
            page.extend(bind("127.0.0.1", plan.page_port, "--demo-port"))
        _make_data_dir(settings.data_dir)
        if not is_postgresql(settings.database_url):
            # Before anything looks at the file: a newer Fanlight would change its tables.
            stack.enter_context(sole(settings.database_url))
        recipes = asyncio.run(published(settings))
        knowledge = _prepare_all(settings, recipes, output)
        _miss_web(settings.web_dir, output)
        whole = _Part(plan, knowledge, gateway, page)

        def ready() -> None:
            welcome(settings, output, plan.page_url, show_token=plan.builtin)

        if settings.workers == 1:
            return whole.run(ready)
        own_keys(settings)
        figures = figures_folder(settings)
        share(figures)
        visitors = replace(whole, page=(), edits=False)
        operators = replace(whole, gateway=console)
        parts = [*[visitors] * settings.workers, operators]
        jobs = [partial(part.run, signals=(ASKED,)) for part in parts]
        return Crew(jobs, ready, buried=partial(without, figures)).run()


def _close(*groups: Sequence[socket]) -> None:
    for group in groups:
        for each in group:
            each.close()


def _miss_web(folder: Path, output: Output) -> None:
    if not (folder / "panel.html").exists():
        remedy = "Build them with `make run`, or with `npm --prefix web run build`."
        output.tell(f"The web assets are not in {folder}: there is no panel. {remedy}", "yellow")


def _make_data_dir(folder: Path) -> None:
    try:
        if not folder.exists():
            folder.mkdir(parents=True, mode=0o700)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="ascii")  # visitors' words belong in no repository
    except OSError as error:
        remedy = "Make it writable, or set gateway.data_dir or FANLIGHT_DATA_DIR."
        raise CannotServe(f"The data folder {folder}: {error.strerror}. {remedy}") from error


async def published(settings: Settings) -> dict[str, Recipe]:
    """What each site's operators published last over its files. Raises `Unavailable`."""
    truth = SqlTruth(settings.database_url, clock=time.time)
    await truth.start()
    try:
        recipes = {}
        for site in settings.sites:
            found = await truth.knowledge.published(site.key)
            if found is not None:
                edits = await truth.knowledge.edits(site.key, 0)
                live = overlay(edit for edit in edits if edit.number <= found.edits)
                recipes[site.key] = Recipe(live, found.out_of_scope, found.marks)
        return recipes
    finally:
        await truth.close()


def _prepare_all(
    settings: Settings, recipes: Mapping[str, Recipe], output: Output
) -> dict[str, SiteKnowledge]:
    knowledge = {}
    notices: dict[str, None] = {}
    for site in settings.sites:
        recipe = recipes.get(site.key, FILES_ALONE)
        prepared = prepare(site, settings.data_dir, output.progress, recipe=recipe)
        knowledge[site.key] = prepared.knowledge
        notices |= {prepared.notice: None} if prepared.notice else {}
        for problem in prepared.problems[:_SHOWN_PROBLEMS]:
            output.tell(str(problem), "yellow")
        more = len(prepared.problems) - _SHOWN_PROBLEMS
        if more > 0:
            output.tell(f"… and {more} more rows; `fanlight check` lists all of them", "yellow")
    for notice in notices:
        output.tell(notice, "dim")
    return knowledge


def _loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    if find_spec("uvloop") is None:
        return None
    import uvloop  # noqa: PLC0415 - not everywhere

    return uvloop.Loop


@dataclass(frozen=True, slots=True)
class _Part:
    """What one process serves, and where; with `edits` operators may change knowledge there."""

    plan: Plan
    knowledge: Mapping[str, SiteKnowledge]
    gateway: Sequence[socket]
    page: Sequence[socket]
    edits: bool = True

    def run(self, ready: Callable[[], None], signals: Sequence[Signals] = SIGNALS) -> bool:
        """Serve until one of the signals; `ready` is called once it answers."""
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(self._serve(ready, signals))

    async def _serve(self, ready: Callable[[], None], signals: Sequence[Signals]) -> bool:
        settings, embedding = self.plan.settings, installed_tools().embedding
        async with open_services(settings, self.knowledge, embedding) as services:
            app = create_app(services, edits=self.edits)
            proxies = settings.trusted_proxies
            listeners = [Listener(app, self.gateway, lifespan=True, trusted_proxies=proxies)]
            if self.page and self.plan.page_site is not None:
                demo = create_demo(settings.public_url, self.plan.page_site.key)
                listeners.append(Listener(demo, self.page, lifespan=False))
            # Streams say their last event first: the servers wait for them to end.
            stopping = services.bell.close
            return await serve(listeners, ready=ready, stopping=stopping, signals=signals)
