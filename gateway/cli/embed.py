"""`fanlight embed`: what a site's owner pastes, and what the site's policy must let in.

Decides nothing that the gateway does not serve: the tags and hashes are made as it makes them, from
the same files and settings. Refuses a site that the settings do not name, with those that they do.
"""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path

import click

from gateway.adapters.web_files import load_web
from gateway.cli.output import Output, as_rows, json_option
from gateway.configuration import ConfigurationError, read_settings
from gateway.loader import Loader, Loaders, policy_lines, script_tag
from gateway.settings import Settings, SiteSettings


@click.command("embed")
@click.argument("site", required=False)
@click.option("--config", type=click.Path(path_type=Path), help="Instead of ./fanlight.toml.")
@json_option
def embed(site: str | None, config: Path | None, as_json: bool) -> None:
    """Print the tag that embeds SITE, the same pinned by its hash, and the lines for a policy."""
    output = Output(as_json)
    try:
        settings = read_settings(config, os.environ)
    except ConfigurationError as error:
        output.flaws(error.flaws)
        output.result({"flaws": as_rows(error.flaws)})
        raise SystemExit(1) from error
    chosen = _site(settings, site)
    origin, loader = settings.public_url, _loader(settings)
    snippet = script_tag(origin, chosen.key, voice=chosen.voice)
    pinned = script_tag(
        origin, chosen.key, loader, greets=bool(chosen.greetings), voice=chosen.voice
    )
    output.result(
        {
            "site": chosen.key,
            "gateway": origin,
            "origins": list(chosen.origins),
            "snippet": snippet,
            "pinned": pinned,
            "src": f"{origin}/{loader.name}",
            "integrity": loader.integrity,
            "csp": policy_lines(origin),
        }
    )
    output.show("For every page, before </body>:", "", snippet, "")
    output.show("The same, pinned: a browser runs these bytes or none.", "", pinned, "")
    output.show("Where the site has a Content-Security-Policy, add to it:", "")
    output.show(*(f"{directive} {source}" for directive, source in policy_lines(origin).items()))
    output.show("", f"Pages of these origins may embed it: {', '.join(chosen.origins)}")


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
