"""The `[[targets]]` of a configuration: what each kind needs, and what it may not have.

Decides where Slack and PagerDuty are reached when the file does not say, and refuses any other host
for them than their own, unless the operator listed it: a token is sent there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.configuration import rules
from gateway.configuration.flaws import Flaw
from gateway.configuration.reader import Values, read_tables
from gateway.settings import Secret, TargetSettings, target_variable

CHANNEL: Final = re.compile(r"[CG][A-Z0-9]{5,20}")
USER: Final = re.compile(r"[UW][A-Z0-9]{5,20}")
BOT_TOKEN: Final = re.compile(r"xoxb-[A-Za-z0-9-]{10,250}")
INTEGRATION_KEY: Final = re.compile(r"[A-Za-z0-9]{32}")
SIGNING_SECRET: Final = re.compile(r"[A-Za-z0-9]{16,128}")


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a kind of target speaks: its own hosts (the first by default), and its settings."""

    check: Callable[[TargetSettings, str, list[Flaw]], None]
    url: str = ""
    hosts: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()


def read_targets(
    raw: object, environ: Mapping[str, str], private: tuple[str, ...], flaws: list[Flaw]
) -> tuple[TargetSettings, ...]:
    """The targets, with everything that is wrong with them."""
    found = [
        _target(values, where, environ, private, flaws)
        for where, values in read_tables(raw, "targets", flaws)
    ]
    rules.unrepeated((target.name for target in found), "targets", "name", flaws)
    return tuple(found)


def _target(
    values: Values,
    where: str,
    environ: Mapping[str, str],
    private: tuple[str, ...],
    flaws: list[Flaw],
) -> TargetSettings:
    name = rules.target_name(values["name"], f"{where}.name", flaws)
    named = rules.one_of(values["kind"], tuple(KINDS), "kind", f"{where}.kind", flaws)
    kind = KINDS.get(named, KINDS["webhook"])
    target = TargetSettings(
        name=name,
        kind=named,
        url=_url(values["url"] or kind.url, kind, private, f"{where}.url", flaws),
        secret=Secret(environ.get(target_variable(name, "SECRET"), "")),
        token=Secret(environ.get(target_variable(name, "TOKEN"), "")),
        channel=values["channel"],
        allowed_users=tuple(dict.fromkeys(values["allowed_users"])),
        hours_only=values["hours_only"],
    )
    for setting in ("channel", "allowed_users"):
        if values[setting] and setting not in kind.settings:
            detail = f"A {named} has no {setting}."
            flaws.append(Flaw(f"{where}.{setting}", detail, "Take it out."))
    if name and named in KINDS:
        kind.check(target, where, flaws)
    return target


def _url(url: str, kind: _Kind, private: tuple[str, ...], where: str, flaws: list[Flaw]) -> str:
    if not url:
        flaws.append(Flaw(where, "This is missing.", "Set it to where the webhook is received."))
        return url
    address = rules.outbound(url, private, where, flaws)
    if address is None or not kind.hosts or address.endpoint in private:
        return url
    if address.host not in kind.hosts:
        remedy = f"Write https://{kind.hosts[0]}, or leave it out. Known: {', '.join(kind.hosts)}."
        flaws.append(Flaw(where, f"{address.host} is not one of this service's hosts.", remedy))
    return url


def _webhook(target: TargetSettings, where: str, flaws: list[Flaw]) -> None:
    rules.webhook_secret(target.secret.reveal(), target_variable(target.name, "SECRET"), flaws)


def _slack(target: TargetSettings, where: str, flaws: list[Flaw]) -> None:
    if not CHANNEL.fullmatch(target.channel):
        detail = f"{target.channel!r} is not a channel's id."
        remedy = "In Slack, open the channel's details and copy its id, such as C0123ABCDEF."
        flaws.append(Flaw(f"{where}.channel", detail, remedy))
    flaws.extend(
        Flaw(
            f"{where}.allowed_users",
            f"{user!r} is not a member's id.",
            "In Slack, open the member's profile and copy the member id, such as U0123ABCDEF.",
        )
        for user in target.allowed_users
        if not USER.fullmatch(user)
    )
    _secret(
        target.token,
        BOT_TOKEN,
        Flaw(
            target.token_variable,
            "This is not a bot token.",
            "Set it to the app's Bot User OAuth Token (xoxb-…), under OAuth & Permissions.",
        ),
        flaws,
    )
    variable = target_variable(target.name, "SECRET")
    _secret(
        target.secret,
        SIGNING_SECRET,
        Flaw(
            variable,
            "This is not a signing secret.",
            "Set it to the app's Signing Secret, under Basic Information.",
        ),
        flaws,
    )


def _pagerduty(target: TargetSettings, where: str, flaws: list[Flaw]) -> None:
    _secret(
        target.token,
        INTEGRATION_KEY,
        Flaw(
            target.token_variable,
            "This is not an integration key of 32 letters and digits.",
            "Set it to the key of an Events API v2 integration of the service.",
        ),
        flaws,
    )


def _secret(secret: Secret, form: re.Pattern[str], flaw: Flaw, flaws: list[Flaw]) -> None:
    if not secret:
        flaws.append(Flaw(flaw.key, "This is not set.", flaw.remedy))
    elif not form.fullmatch(secret.reveal()):
        flaws.append(flaw)


KINDS: Final[Mapping[str, _Kind]] = {
    "webhook": _Kind(_webhook),
    "slack": _Kind(_slack, "https://slack.com/api", ("slack.com",), ("channel", "allowed_users")),
    "pagerduty": _Kind(
        _pagerduty,
        "https://events.pagerduty.com",
        ("events.pagerduty.com", "events.eu.pagerduty.com"),
    ),
}
