"""`fanlight personality`: which personalities there are, and what a model is told of one.

Decides nothing of their form. A file that cannot be used is refused with every flaw at once.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

import click

from gateway.adapters.personality_files import PersonalityFiles, load, phrases
from gateway.cli.keys import config_option
from gateway.cli.output import Output, as_rows, json_option
from gateway.configuration import ConfigurationError, read_settings
from gateway.pipeline.personality.form import BadPersonality, Personality
from gateway.pipeline.personality.say import say

_LOCALES: Final = ("en", "es", "he")


@click.group("personality")
def personality_group() -> None:
    """How a site's chat speaks."""


@personality_group.command("list")
@config_option
@json_option
def list_personalities(config: Path | None, as_json: bool) -> None:
    """Fanlight's personalities, and those of your own folder."""
    output = Output(as_json)
    files = _files(config, output)
    found = {name: files.path(name) for name in files.names()}
    output.result({"personalities": [{"name": n, "path": str(p)} for n, p in found.items()]})
    output.show(*(f"{name}  {path}" for name, path in found.items()))


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


def _load(path: Path) -> Personality:
    try:
        return load(path)
    except BadPersonality as flaws:
        raise click.ClickException(f"{path.name}: " + str(flaws).replace("; ", "\n  ")) from flaws


def _files(config: Path | None, output: Output) -> PersonalityFiles:
    """The files of the settings; without any settings Fanlight's own."""
    if config is None and not Path("fanlight.toml").is_file():
        return PersonalityFiles(None, time.monotonic)
    try:
        settings = read_settings(config, os.environ)
    except ConfigurationError as error:
        output.flaws(error.flaws)
        output.result({"flaws": as_rows(error.flaws)})
        raise SystemExit(1) from error
    return PersonalityFiles(settings.personalities, time.monotonic)
