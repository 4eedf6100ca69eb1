"""The command `fanlight route explain`: why a question would be answered by which model.

Decides nothing: the same lines of the pipeline say it as answer visitors, over the same settings.
It asks no model, holds no money and opens no database. It says what would be so for the first turn
of the day: nothing spent, nobody too often, no model resting. The console's
`GET /v1/routing/explain` says how it is now.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final

import click

from core.breaker import Breaker
from core.errors import FanlightError, Unavailable
from core.messages import ChatRequest
from core.model_routing.caller import Caller
from core.ports import Piece, Prompt
from gateway.adapters.memory_budgets import MemoryBudgets
from gateway.adapters.packaged import packaged_tasks
from gateway.cli.builders import installed_tools
from gateway.cli.knowledge import FILES_ALONE, found_or_built
from gateway.cli.output import Output, as_rows, json_option
from gateway.configuration import ConfigurationError, read_settings
from gateway.pipeline.answer import Pipeline
from gateway.pipeline.builtin import Parts, built_in, chat_stages
from gateway.pipeline.deadlines import Deadlines
from gateway.pipeline.explain import Explained, explain, in_words
from gateway.pipeline.models import Model
from gateway.pipeline.reach import Patience
from gateway.pipeline.stages import build_workflows
from gateway.pipeline.state import Site
from gateway.routing import Channel, question_about, routing_of, supposed
from gateway.services import installed_stages
from gateway.settings import Settings, SiteSettings
from kb import Index

ASSUMED: Final = (
    "As for a first question, with nothing spent and no model resting; how it is now, "
    "the console's /v1/routing/explain says."
)


@click.group("route")
def route_group() -> None:
    """Say how a model is chosen."""


@route_group.command("explain")
@click.argument("question")
@click.option("--config", type=click.Path(path_type=Path), help="Instead of ./fanlight.toml.")
@click.option("--site", "key", help="The site that is asked, where there is more than one.")
@click.option("--locale", default="", help="The page's language, instead of the site's own.")
@click.option(
    "--channel", type=click.Choice(["widget", "api", "console"]), default="widget",
    show_default=True, help="Who asks: a visitor, the site's own server, or an operator.",
)  # fmt: skip
@click.option("--user", help="A visitor whom the site knows, as <issuer>|<sub>.")
@json_option
def explain_command(
    *,
    question: str,
    config: Path | None,
    key: str | None,
    locale: str,
    channel: Channel,
    user: str | None,
    as_json: bool,
) -> None:
    """Say which model would answer QUESTION, and why, step by step."""
    output = Output(as_json)
    try:
        settings = read_settings(config, os.environ)
    except ConfigurationError as error:
        output.flaws(error.flaws)
        output.result({"flaws": as_rows(error.flaws)})
        raise SystemExit(1) from error
    site = _site(settings, key)
    if user and channel != "widget":
        raise click.UsageError("--user goes with --channel widget: only visitors have a name.")
    if not question.strip():
        raise click.UsageError("The question is empty.")
    try:
        index = _index(settings, site, output)
    except FanlightError as error:
        raise click.ClickException(str(error)) from error
    request = question_about(question, locale or site.default_locale, settings)
    caller = supposed(site.key, channel, user)
    found = asyncio.run(_explained(settings, site, index, request, caller))
    output.result({"site": site.key, "channel": channel, **found.document()})
    output.show(*in_words(found), "", ASSUMED)


async def _explained(
    settings: Settings, site: SiteSettings, index: Index, request: ChatRequest, caller: Caller
) -> Explained:
    return await explain(_pipeline(settings, site, index), request, caller)


def _pipeline(settings: Settings, site: SiteSettings, index: Index) -> Pipeline:
    """The site's pipeline, with models that are never asked."""
    limits, routing = settings.limits, settings.routing
    models = [
        Model(
            each.name, NeverAsked(each.model), Breaker(time.monotonic), each.context_tokens,
            price=each.price, provider=each.dialect,
        )
        for each in settings.models
    ]  # fmt: skip
    parts = Parts(
        models,
        Patience(limits.first_token_s),
        embedding=installed_tools().table,
        tasks=packaged_tasks(),
        routing=routing_of(settings, MemoryBudgets(), time.time),
    )
    catalogue = {**built_in(parts), **installed_stages()}
    return Pipeline(
        site=Site(site.key, site.name, index, site.confidence_threshold, limits.max_tokens),
        workflows=build_workflows(catalogue, chat_stages(routing.mode), settings.workflows),
        time_zone=site.time_zone,
        attended=lambda _at: True,
        deadlines=Deadlines(limits.first_token_s, limits.between_tokens_s, limits.turn_s),
        clock=time.time,
        gates=asyncio.Lock(),
    )


@dataclass(frozen=True, slots=True)
class NeverAsked:
    """A model by its name alone; it refuses to be asked."""

    model: str

    async def stream(self, prompt: Prompt) -> AsyncIterator[Piece]:
        """Raise `Unavailable`."""
        nothing: tuple[Piece, ...] = ()
        for piece in nothing:
            yield piece
        raise Unavailable(f"{self.model} is not to be asked by this command")

    async def close(self) -> None:
        """Nothing is open."""


def _site(settings: Settings, key: str | None) -> SiteSettings:
    known = [site.key for site in settings.sites]
    if key is None and len(settings.sites) == 1:
        return settings.sites[0]
    found = settings.site(key) if key is not None else None
    if found is not None:
        return found
    near = get_close_matches(key or "", known, n=1)
    meant = f"Did you mean {near[0]}?" if near else f"Name one with --site: {', '.join(known)}."
    raise click.ClickException(f"There is no site {key}. {meant}" if key else meant)


def _index(settings: Settings, site: SiteSettings, output: Output) -> Index:
    """What the gateway serves of the site's own files, or the same built for this once."""
    with output.progress("reading the knowledge base") as report:
        found = found_or_built(site, settings.data_dir, FILES_ALONE, installed_tools(), report)
    return found.index
