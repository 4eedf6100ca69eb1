"""`fanlight sessions revoke`: ends sessions from outside, durably, without a running gateway.

Decides what may be named: one session by its id, or all of a visitor. Running gateways notice
within seconds. It bans nobody: whoever opens a session afterwards has one.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import click

from core.errors import Unavailable
from core.scope import Scope
from gateway.adapters.sql.truth import SqlTruth
from gateway.cli.keys import config_option
from gateway.cli.output import Output, as_rows, json_option
from gateway.configuration import ConfigurationError, read_settings
from gateway.settings import Settings


@click.group("sessions")
def sessions_group() -> None:
    """Visitors' sessions."""


@sessions_group.command("revoke")
@click.option("--sid", help="End this one session.")
@click.option("--site", help="With --subject: the site key.")
@click.option("--subject", help="End all sessions of this visitor, such as anon:… or user:….")
@config_option
@json_option
def revoke(
    sid: str | None, site: str | None, subject: str | None, config: Path | None, as_json: bool
) -> None:
    """End a session, or all sessions of a visitor."""
    output = Output(as_json)
    if (sid is None) == (subject is None) or (site is None) != (subject is None):
        raise click.UsageError("Name one session by --sid, or a visitor by --site and --subject.")
    try:
        settings = read_settings(config, os.environ)
    except ConfigurationError as error:
        output.flaws(error.flaws)
        output.result({"flaws": as_rows(error.flaws)})
        raise SystemExit(1) from error
    if site is not None and settings.site(site) is None:
        raise click.ClickException(f"There is no site {site!r} in these settings.")
    scope = Scope(site, subject) if site is not None and subject is not None else None
    try:
        asyncio.run(_end(settings, sid, scope))
    except Unavailable as error:
        raise click.ClickException(str(error)) from error
    output.result({"revoked": True})
    output.show("Ended. Running gateways refuse it within seconds.")


async def _end(settings: Settings, sid: str | None, scope: Scope | None) -> None:
    truth = SqlTruth(settings.database_url, clock=time.time)
    await truth.start()
    try:
        if sid is not None:
            await truth.revocations.end_session(sid, time.time())
        if scope is not None:
            await truth.revocations.end_subject(scope, time.time())
    finally:
        await truth.close()
