"""`fanlight embed`: what a site's owner pastes, and what the site's policy must let in.

Decides nothing that the gateway does not serve: all of it is made by `gateway.snippets`, as in the
console's builder, from the same files and settings. Refuses a site that the settings do not name,
with those that they do.
"""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path

import click

from core.errors import Problem
from gateway.adapters.web_files import load_web
from gateway.cli.output import Output, as_rows, json_option
from gateway.configuration import ConfigurationError, read_settings
from gateway.configuration.rules import THEMES
from gateway.guides import Guide
from gateway.loader import Loader, Loaders
from gateway.settings import Settings, SiteSettings
from gateway.snippets import Choices, Snippets, snippets


@click.command("embed")
@click.argument("site", required=False)
@click.option("--config", type=click.Path(path_type=Path), help="Instead of ./fanlight.toml.")
@click.option("--locale", default="", help="The chat's language, instead of the page's.")
@click.option("--position", default="", help="left or right, instead of where the lines end.")
@click.option("--accent", default="", help="The colour, as #rrggbb, instead of the site's.")
@click.option("--theme", type=click.Choice(THEMES), help="The look, instead of the site's.")
@click.option("--page", default="", help="The address of a page that shall have the chat.")
@click.option("--guide", help="Print the steps for one kind of site, such as shopify.")
@json_option
def embed(
    site: str | None, config: Path | None, guide: str | None, as_json: bool, **chosen: str | None
) -> None:
    """Print the tag that embeds SITE, the same pinned by its hash, and the lines for a policy."""
    output = Output(as_json)
    try:
        settings = read_settings(config, os.environ)
    except ConfigurationError as error:
        output.flaws(error.flaws)
        output.result({"flaws": as_rows(error.flaws)})
        raise SystemExit(1) from error
    choices = Choices(**{name: value or "" for name, value in chosen.items()})
    try:
        made = snippets(settings.public_url, _site(settings, site), choices, _loader(settings))
    except Problem as problem:
        told = f"--{problem.field}: {problem.detail} {problem.remedy}"
        raise click.ClickException(told) from problem
    output.result(made.document())
    if guide is None:
        _show_tags(output, made)
    else:
        _show_guide(output, _guide(made, guide))
    if made.settings:
        output.show("", "In fanlight.toml:", "", made.settings)


def _show_tags(output: Output, made: Snippets) -> None:
    output.show("For every page, before </body>:", "", made.snippet, "")
    output.show("The same, pinned: a browser runs these bytes or none.", "", made.pinned, "")
    output.show("Where the site has a Content-Security-Policy, add to it:", "")
    output.show(*(f"{directive} {source}" for directive, source in made.csp.items()))
    output.show("", f"Pages of these origins may embed it: {', '.join(made.site.origins)}")


def _show_guide(output: Output, guide: Guide) -> None:
    output.show(guide.title)
    for number, step in enumerate(guide.steps, 1):
        output.show("", f"{number}. {step.text}")
        if step.code:
            output.show("", step.code)


def _guide(made: Snippets, name: str) -> Guide:
    found = next((guide for guide in made.guides if guide.name == name), None)
    if found is None:
        known = ", ".join(guide.name for guide in made.guides)
        raise click.ClickException(f"There is no guide {name}. Name one of: {known}.")
    return found


def _site(settings: Settings, key: str | None) -> SiteSettings:
    known = [site.key for site in settings.sites]
    if key is None and len(settings.sites) == 1:
        return settings.sites[0]
    found = settings.site(key) if key is not None else None
    if found is not None:
        return found
    near = get_close_matches(key or "", known, n=1)
    meant = (
        f"Did you mean {near[0]}?" if near else f"Name one of: {', '.join(known) or 'none yet'}."
    )
    raise click.ClickException(f"There is no site {key}. {meant}" if key else meant)


def _loader(settings: Settings) -> Loader:
    loader = Loaders(load_web(settings.web_dir), settings.public_url).current
    if loader is None:
        remedy = "Build them with `npm --prefix web run build`, or set gateway.web_dir."
        raise click.ClickException(f"There are no web assets in {settings.web_dir}. {remedy}")
    return loader
