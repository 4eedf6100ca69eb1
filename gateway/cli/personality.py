"""`fanlight personality`: which personalities there are, and what a model is told of one.

Decides nothing of their form. A file that cannot be used is refused with every flaw at once.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from core.errors import Unavailable
from gateway.adapters.personality_files import PersonalityFiles, load, phrases
from gateway.adapters.sql.opening import is_postgresql, sqlite_file
from gateway.adapters.sql.truth import SqlTruth
from gateway.bell import Bell
from gateway.cli.keys import config_option
from gateway.cli.output import Output, as_rows, json_option
from gateway.configuration import ConfigurationError, read_settings
from gateway.personality.serving import SitePersonalities
from gateway.pipeline.personality.form import BadPersonality, Personality
from gateway.pipeline.personality.say import say
from gateway.settings import Settings

_LOCALES: Final = ("en", "es", "he")


@click.group("personality")
def personality_group() -> None:
    """How a site's chat speaks."""


@personality_group.command("list")
@config_option
@json_option
def list_personalities(config: Path | None, as_json: bool) -> None:
    """Fanlight's personalities, those of your own folder, and what was made in the console."""
    output = Output(as_json)
    settings = _settings(config, output)
    files = PersonalityFiles(settings.personalities if settings else None, time.monotonic)
    found = {name: files.path(name) for name in files.names()}
    try:
        has_truth = settings is not None and _has_database(settings.database_url)
        sites = asyncio.run(_of_console(settings, files)) if settings and has_truth else []
    except Unavailable as error:
        raise click.ClickException(str(error)) from error
    named = [{"name": name, "path": str(path)} for name, path in found.items()]
    output.result({"personalities": named, "sites": sites})
    output.show(*(f"{name}  {path}" for name, path in found.items()))
    for site in sites:
        output.show(
            f"{site['site']} uses {site['in_use'] or 'none'}, {_by(site)}",
            *(f"  {name}  {called}" for name, called in site["own"].items()),
        )


@personality_group.command("show")
@click.argument("name")
@click.option("--locale", type=click.Choice(_LOCALES), default="en", show_default=True)
@click.option("--yaml", "as_yaml", is_flag=True, help="Print its file, to begin your own with.")
@config_option
@json_option
def show(name: str, locale: str, as_yaml: bool, config: Path | None, as_json: bool) -> None:
    """What a model is told of a personality; NAME is one of the list, or a file."""
    output = Output(as_json)
    given = Path(name)
    path = given if given.is_file() else _files(config, output).path(name)
    if path is None:
        known = ", ".join(_files(config, output).names())
        raise click.ClickException(f"There is no personality {name!r}: {known}, or name a file.")
    personality = _load(path)
    told = say(personality, phrases(), locale)
    warnings = list(personality.warnings)
    output.result({"name": personality.name, "told": told, "warnings": warnings})
    for warning in warnings:
        output.tell(warning, "yellow")
    output.show(path.read_text(encoding="utf-8").rstrip() if as_yaml else told)


def _has_database(url: str) -> bool:
    """Whether a gateway has run with it: a list makes none."""
    return is_postgresql(url) or Path(sqlite_file(url).database or "").is_file()


async def _of_console(settings: Settings, files: PersonalityFiles) -> list[dict[str, Any]]:
    """What was made and chosen in the console, by site."""
    truth = SqlTruth(settings.database_url, clock=time.time)
    await truth.start()
    try:
        spoken = SitePersonalities(files, truth.personalities, settings.sites, Bell())
        layers = {site.key: await spoken.look(site.key) for site in settings.sites}
    finally:
        await truth.close()
    return [
        {
            "site": site,
            "in_use": spoken.in_use(site),
            "chosen": layer.choice is not None,
            "own": {name: own.personality.name for name, own in layer.own.items()},
        }
        for site, layer in layers.items()
    ]


def _by(site: Mapping[str, Any]) -> str:
    return "as chosen in the console" if site["chosen"] else "as these settings say"


def _load(path: Path) -> Personality:
    try:
        return load(path)
    except BadPersonality as flaws:
        raise click.ClickException(f"{path.name}: " + str(flaws).replace("; ", "\n  ")) from flaws


def _files(config: Path | None, output: Output) -> PersonalityFiles:
    """The files of the settings; without any settings Fanlight's own."""
    settings = _settings(config, output)
    return PersonalityFiles(settings.personalities if settings else None, time.monotonic)


def _settings(config: Path | None, output: Output) -> Settings | None:
    if config is None and not Path("fanlight.toml").is_file():
        return None
    try:
        return read_settings(config, os.environ)
    except ConfigurationError as error:
        output.flaws(error.flaws)
        output.result({"flaws": as_rows(error.flaws)})
        raise SystemExit(1) from error
