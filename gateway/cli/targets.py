"""`fanlight targets`: who is woken, a test of one of them, and what could not be delivered.

`test` keeps nothing: it sends one marked escalation and its end by the same code as the gateway,
and prints what the target said. `failed` and `resend` look at the store that the gateway uses;
what is made due again is sent by the gateway within half a minute. Refuses a target that the
settings do not have, and names the nearest.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Awaitable, Callable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import click
from rich.table import Table
from rich.text import Text

from core.encoding import new_id, timestamp
from core.errors import NotFound, Unavailable
from core.escalation import follow_ups
from core.messages import Delivery, Escalation
from core.ports import Outcome
from core.targets import Follower
from core.truth import LeasedDelivery, Truth
from gateway.adapters import semantics
from gateway.adapters.outbound import Outbound
from gateway.adapters.sql.truth import SqlTruth
from gateway.cli.output import Output, json_option
from gateway.configuration import ConfigurationError, read_settings
from gateway.services import build_targets
from gateway.settings import Settings

TEST_QUESTION: Final = "This is a test by `fanlight targets test`. Nobody is waiting."
TEST_FALLBACK: Final = "Nobody was shown anything. A reply to this test reaches nobody."
LIMIT: Final = 100

config_option = click.option(
    "--config", type=click.Path(path_type=Path), help="Instead of ./fanlight.toml."
)


@click.group("targets")
def targets_group() -> None:
    """Whom escalations wake: list them, test one, send again what failed."""


@targets_group.command("list")
@config_option
@json_option
def list_command(config: Path | None, as_json: bool) -> None:
    """List the targets, and the sites that wake them."""
    output, settings = Output(as_json), _settings(config)
    rows = [
        {
            "name": target.name,
            "kind": target.kind,
            "url": target.url,
            "channel": target.channel or None,
            "hours_only": target.hours_only,
            "sites": [site.key for site in settings.sites if target.name in site.targets],
        }
        for target in settings.targets
    ]
    output.result({"targets": rows})
    output.show(_listed(rows) if rows else "There is no target: questions arrive in the console.")


@targets_group.command("test")
@click.argument("name")
@config_option
@json_option
def test_command(name: str, config: Path | None, as_json: bool) -> None:
    """Send a marked test escalation, and its end, to the target NAME."""
    output, settings = Output(as_json), _settings(config)
    known = [target.name for target in settings.targets]
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(known) or 'none'}."
        raise click.ClickException(f"There is no target {name!r}. {hint}")
    outcomes = asyncio.run(_tested(settings, name))
    ok = all(outcome.delivered for _, outcome in outcomes)
    steps = [
        {"step": step, "ok": one.delivered, "status": one.status, "detail": one.detail}
        for step, one in outcomes
    ]
    output.result({"target": name, "ok": ok, "steps": steps})
    for step, outcome in outcomes:
        mark = ("✓ ", "green") if outcome.delivered else ("✗ ", "red")
        output.show(Text.assemble(mark, f"{step}: {outcome.detail or outcome.outcome}"))
    if not ok:
        raise SystemExit(1)


@targets_group.command("failed")
@config_option
@json_option
def failed_command(config: Path | None, as_json: bool) -> None:
    """List what was given up and is still wanted, newest first."""
    output, settings = Output(as_json), _settings(config)
    found = _with_store(settings, lambda truth: truth.dead_letters(LIMIT))
    rows = [row for escalation in found for row in _dead(escalation)]
    output.result({"failed": rows})
    output.show(_failed(rows) if rows else "Nothing was given up.")
    if rows:
        output.show("", "Once the cause is mended: fanlight targets resend ID, or --all.")


@targets_group.command("resend")
@click.argument("escalation_id", required=False)
@click.option("--all", "everything", is_flag=True, help="All that `targets failed` lists.")
@config_option
@json_option
def resend_command(
    escalation_id: str | None, everything: bool, config: Path | None, as_json: bool
) -> None:
    """Make what was given up of one escalation due again, or of all."""
    if bool(escalation_id) == everything:
        raise click.UsageError("Name one escalation (e_…), or say --all.")
    output, settings = Output(as_json), _settings(config)
    try:
        number = _with_store(settings, lambda truth: _resent(truth, escalation_id))
    except NotFound as exc:
        remedy = "`fanlight targets failed` lists those that can be sent again."
        raise click.ClickException(f"There is no escalation {escalation_id}. {remedy}") from exc
    output.result({"resent": number})
    output.show(f"{number} made due again; the running gateway sends within half a minute.")


def _settings(config: Path | None) -> Settings:
    try:
        return read_settings(config, os.environ)
    except ConfigurationError as exc:
        raise click.ClickException(str(exc)) from exc


def _with_store[Value](settings: Settings, work: Callable[[Truth], Awaitable[Value]]) -> Value:
    async def run() -> Value:
        truth = SqlTruth(settings.database_url, clock=time.time)
        await truth.start()
        try:
            return await work(truth)
        finally:
            await truth.close()

    try:
        return asyncio.run(run())
    except Unavailable as exc:
        raise click.ClickException(f"The store cannot be used: {exc}") from exc


async def _resent(truth: Truth, escalation_id: str | None) -> int:
    if escalation_id is not None:
        return await truth.resend(escalation_id, time.time(), dead_only=True)
    number, seen = 0, set[str]()
    # Each once: what fails again at once is among the dead again meanwhile.
    while found := await _dead_beside(truth, seen):
        for name in found:
            number += await truth.resend(name, time.time(), dead_only=True)
        seen.update(found)
    return number


async def _dead_beside(truth: Truth, seen: set[str]) -> list[str]:
    """Some that were given up and are not seen yet, while there are any."""
    found = await truth.dead_letters(len(seen) + LIMIT)
    return [escalation.id for escalation in found if escalation.id not in seen]


async def _tested(settings: Settings, name: str) -> list[tuple[str, Outcome]]:
    """What the target said to a test, and to its end where it is told of one."""
    outbound = Outbound(settings.private_endpoints)
    try:
        target = build_targets(settings, outbound)[name]
        escalation = _test_escalation(settings, name)
        opened = await target.deliver(escalation, time.time())
        outcomes = [("escalation", opened)]
        kind = target.kind
        hears_the_end = follow_ups(kind, [("resolve", "")])
        if opened.delivered and hears_the_end and isinstance(target, Follower):
            told = LeasedDelivery(0, name, kind, escalation, 0, "resolve", thread=opened.thread)
            outcomes.append(("its end", await target.follow(told, time.time())))
        return outcomes
    finally:
        await outbound.close()


def _test_escalation(settings: Settings, name: str) -> Escalation:
    now = time.time()
    waking = [site for site in settings.sites if name in site.targets] or [*settings.sites]
    ids = [new_id(prefix, int(now * 1000), secrets.token_bytes(10)) for prefix in "ect"]
    return Escalation(
        id=ids[0],
        site=waking[0].key,
        conversation_id=ids[1],
        turn_id=ids[2],
        question=TEST_QUESTION,
        fallback_text=TEST_FALLBACK,
        reason="requested",
        confidence=0.0,
        provenance="server",
        tail=(),
        locale=waking[0].default_locale,
        contact=None,
        status="queued",
        created_at=timestamp(now),
    )


def _dead(escalation: Escalation) -> list[dict[str, Any]]:
    return [
        {
            "escalation_id": escalation.id,
            "site": escalation.site,
            "target": one.target,
            "kind": one.kind,
            "tells": one.action,
            "state": one.state,
            "since": escalation.created_at,
            "said": _last_words(one),
        }
        for one in escalation.deliveries
        if semantics.is_dead(one.state, one.action, escalation.status)
    ]


def _last_words(delivery: Delivery) -> str:
    return (
        delivery.attempts[-1].detail or delivery.attempts[-1].outcome if delivery.attempts else ""
    )


def _listed(rows: list[dict[str, Any]]) -> Table:
    table = Table("name", "kind", "where", "sites", "when", box=None)
    for row in rows:
        where = row["channel"] or row["url"]
        when = "working hours" if row["hours_only"] else "always"
        sites = ", ".join(row["sites"]) or "none"
        table.add_row(*map(Text, (row["name"], row["kind"], where, sites, when)))
    return table


def _failed(rows: list[dict[str, Any]]) -> Table:
    table = Table("escalation", "target", "tells", "since", "what it said", box=None)
    for row in rows:
        cells = (row["escalation_id"], row["target"], row["tells"], row["since"], row["said"])
        table.add_row(*map(Text, cells))
    return table
