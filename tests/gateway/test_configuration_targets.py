"""`[[targets]]` of every kind, and what a site says of hours and severity: taken, or named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.configuration import Flaw, parse_settings
from gateway.configuration.targets import KINDS
from gateway.settings import Settings
from tests.gateway.vendors import pagerduty, slack

HOOK_SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
ENVIRON = {
    "FANLIGHT_OPERATOR_TOKEN": "a-token-that-is-long-enough-1",
    "FANLIGHT_TARGET_TEAM_TOKEN": slack.BOT_TOKEN,
    "FANLIGHT_TARGET_TEAM_SECRET": slack.SIGNING_SECRET,
    "FANLIGHT_TARGET_PAGER_TOKEN": pagerduty.KEY,
    "FANLIGHT_TARGET_DESK_SECRET": HOOK_SECRET,
}
TEAM = {"name": "team", "kind": "slack", "channel": slack.CHANNEL}
PAGER = {"name": "pager", "kind": "pagerduty"}
DESK = {"name": "desk", "url": "https://desk.example/hook"}
SITE = {"key": "site_shop", "name": "Shop", "origins": ["https://x.example"], "kb": ["kb"]}


def parsed(
    *targets: dict[str, Any], environ: dict[str, str] | None = None, **site: object
) -> tuple[Settings, list[Flaw]]:
    document = {
        "gateway": {"private_endpoints": ["127.0.0.1:9000"]},
        "sites": [{**SITE, **site}],
        "targets": list(targets),
    }
    return parse_settings(document, {**ENVIRON, **(environ or {})}, Path("/srv"))


def test_a_target_of_each_kind_is_taken() -> None:
    assert set(KINDS) == {"webhook", "slack", "pagerduty"}
    settings, flaws = parsed(
        {**TEAM, "allowed_users": ["U0123ABCDEF"]}, {**PAGER, "hours_only": True}, DESK
    )
    assert flaws == []
    team, pager, desk = settings.targets
    assert (team.url, team.channel) == ("https://slack.com/api", slack.CHANNEL)
    assert (team.token.reveal(), team.secret.reveal()) == (slack.BOT_TOKEN, slack.SIGNING_SECRET)
    assert team.allowed_users == ("U0123ABCDEF",)
    assert (pager.url, pager.token.reveal()) == ("https://events.pagerduty.com", pagerduty.KEY)
    assert pager.hours_only
    assert not desk.hours_only
    assert slack.BOT_TOKEN not in repr(settings)


@pytest.mark.parametrize(
    "changes",
    [
        {**PAGER, "url": "https://events.eu.pagerduty.com"},
        {**PAGER, "url": "http://127.0.0.1:9000"},
        {**TEAM, "url": "http://127.0.0.1:9000/api"},
        {**TEAM, "channel": "G0123ABCDEF"},
        {**DESK, "url": "https://desk.example:8443/hook"},
        {**DESK, "url": "http://127.0.0.1:9000/hook"},
    ],
)
def test_its_own_hosts_and_listed_ones_are_taken(changes: dict[str, Any]) -> None:
    assert parsed(changes)[1] == []


FLAWS: list[tuple[str, dict[str, Any], dict[str, str], str, str]] = [
    ("no channel", {**TEAM, "channel": ""}, {}, "targets[team].channel", "copy its id"),
    ("a channel's name", {**TEAM, "channel": "#help"}, {}, "targets[team].channel", "copy its id"),
    ("a member's name", {**TEAM, "allowed_users": ["@dana"]}, {}, "targets[team].allowed_users",
     "member id"),
    ("no bot token", TEAM, {"FANLIGHT_TARGET_TEAM_TOKEN": ""}, "FANLIGHT_TARGET_TEAM_TOKEN",
     "Bot User OAuth Token"),
    ("a user's token", TEAM, {"FANLIGHT_TARGET_TEAM_TOKEN": "xoxp-1234567890-abc"},
     "FANLIGHT_TARGET_TEAM_TOKEN", "xoxb-"),
    ("no signing secret", TEAM, {"FANLIGHT_TARGET_TEAM_SECRET": ""},
     "FANLIGHT_TARGET_TEAM_SECRET", "Signing Secret"),
    ("another secret", TEAM, {"FANLIGHT_TARGET_TEAM_SECRET": HOOK_SECRET},
     "FANLIGHT_TARGET_TEAM_SECRET", "Signing Secret"),
    ("no integration key", PAGER, {"FANLIGHT_TARGET_PAGER_TOKEN": ""},
     "FANLIGHT_TARGET_PAGER_TOKEN", "Events API v2"),
    ("a short key", PAGER, {"FANLIGHT_TARGET_PAGER_TOKEN": "abc"},
     "FANLIGHT_TARGET_PAGER_TOKEN", "Events API v2"),
    ("another host for Slack", {**TEAM, "url": "https://slack.com.evil.example/api"}, {},
     "targets[team].url", "https://slack.com"),
    ("another host for PagerDuty", {**PAGER, "url": "https://evil.example"}, {},
     "targets[pager].url", "events.eu.pagerduty.com"),
    ("plain http", {**PAGER, "url": "http://events.pagerduty.com"}, {}, "targets[pager].url",
     "Use https."),
    ("an odd port", {**DESK, "url": "https://desk.example:6379/"}, {}, "targets[desk].url",
     'Add "desk.example:6379"'),
    ("a webhook's channel", {**DESK, "channel": "C0123ABCDEF"}, {}, "targets[desk].channel",
     "Take it out."),
    ("PagerDuty's members", {**PAGER, "allowed_users": ["U0123ABCDEF"]}, {},
     "targets[pager].allowed_users", "Take it out."),
    ("no truth value", {**PAGER, "hours_only": "yes"}, {}, "targets[pager].hours_only",
     "Write a true or false."),
    ("a token in the file", {**TEAM, "token": "xoxb-1"}, {}, "targets[team].token",
     "FANLIGHT_TARGET_<NAME>_TOKEN"),
    ("a key in the file", {**PAGER, "key": "x"}, {}, "targets[pager].key",
     "FANLIGHT_TARGET_<NAME>_TOKEN"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("target", "environ", "key", "remedy"), [row[1:] for row in FLAWS], ids=[r[0] for r in FLAWS]
)
def test_a_flaw_is_named_with_its_remedy(
    target: dict[str, Any], environ: dict[str, str], key: str, remedy: str
) -> None:
    (flaw,) = parsed(target, environ=environ)[1]
    assert flaw.key == key
    assert remedy in flaw.remedy
    for secret in environ.values():
        assert not secret or secret not in str(flaw)


def test_a_site_says_when_somebody_is_there_and_how_serious_things_are() -> None:
    settings, flaws = parsed(hours="Mon-Fri 09:00-17:00", severity=["always = critical"])
    assert flaws == []
    (site,) = settings.sites
    assert site.hours is not None
    assert [rule.severity for rule in site.severity] == ["critical"]
    (plain,) = parsed()[0].sites
    assert (plain.hours, plain.severity) == (None, ())


@pytest.mark.parametrize(
    ("site", "key", "remedy"),
    [
        ({"hours": "9 to 5"}, "sites[site_shop].hours", "Mon-Fri 09:00-17:00"),
        ({"hours": "Mon 17:00-09:00"}, "sites[site_shop].hours", "Write it like"),
        ({"severity": ["refund: bad"]}, "sites[site_shop].severity", "about refund = error"),
        ({"severity": ["always = urgent"]}, "sites[site_shop].severity", "Write it like"),
    ],
)
def test_a_sites_flaw_is_named(site: dict[str, Any], key: str, remedy: str) -> None:
    (flaw,) = parsed(**site)[1]
    assert flaw.key == key
    assert remedy in flaw.remedy
