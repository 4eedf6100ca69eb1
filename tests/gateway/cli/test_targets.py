"""`fanlight targets`: list, test, failed, resend."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner, Result

from core.encoding import timestamp
from core.messages import Attempt
from core.truth import Truth
from gateway.adapters.sql.truth import SqlTruth
from gateway.cli.targets import TEST_QUESTION, targets_group
from tests.gateway.escalation.samples import commit
from tests.gateway.vendors import pagerduty, slack

HOOK_SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("FANLIGHT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("FANLIGHT_OPERATOR_TOKEN", "a-token-that-is-long-enough-1")
    monkeypatch.setenv("FANLIGHT_TARGET_TEAM_TOKEN", slack.BOT_TOKEN)
    monkeypatch.setenv("FANLIGHT_TARGET_TEAM_SECRET", slack.SIGNING_SECRET)
    monkeypatch.setenv("FANLIGHT_TARGET_PAGER_TOKEN", pagerduty.KEY)
    monkeypatch.setenv("FANLIGHT_TARGET_DESK_SECRET", HOOK_SECRET)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kb.md").write_text("## Open?\n\nYes.\n", encoding="utf-8")


def configure(slack_url: str = "", pager_url: str = "") -> None:
    listed = [urlsplit(url).netloc for url in (slack_url, pager_url) if url]
    Path("fanlight.toml").write_text(
        f"""
[gateway]
private_endpoints = {json.dumps(listed)}

[[sites]]
key = "site_shop"
name = "The Shop"
origins = ["https://shop.example"]
kb = ["kb.md"]
targets = ["team", "pager"]

[[targets]]
name = "team"
kind = "slack"
channel = "{slack.CHANNEL}"
{f'url = "{slack_url}"' if slack_url else ""}

[[targets]]
name = "pager"
kind = "pagerduty"
hours_only = true
{f'url = "{pager_url}"' if pager_url else ""}

[[targets]]
name = "desk"
url = "https://desk.example/hook"
""",
        encoding="utf-8",
    )


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(targets_group, arguments)


def answer(*arguments: str, status: int = 0) -> dict[str, Any]:
    result = invoke(*arguments, "--json")
    assert result.exit_code == status, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def with_store(work: Callable[[Truth], Awaitable[None]]) -> None:
    async def run() -> None:
        truth = SqlTruth("sqlite:///.fanlight/fanlight.db", clock=time.time)
        await truth.start()
        try:
            await work(truth)
        finally:
            await truth.close()

    asyncio.run(run())


async def give_up_three(truth: Truth) -> None:
    """Three escalations whose delivery was given up, and one that was delivered."""
    now = time.time()
    for number in range(4):
        await commit(truth, number, targets=("team",), kind="slack", at=now + number)
    refused = Attempt(timestamp(now), "refused", 200, "Slack said not_in_channel. Invite the app.")
    for one in await truth.lease_deliveries(now + 9, now + 29, 10):
        taken = one.id == 1
        await truth.finish_delivery(one.id, refused, "delivered" if taken else "failed", None)


def test_the_targets_are_listed_with_who_wakes_them() -> None:
    configure()
    team, pager, desk = answer("list")["targets"]
    assert (team["kind"], team["url"]) == ("slack", "https://slack.com/api")
    assert (team["channel"], team["sites"]) == (slack.CHANNEL, ["site_shop"])
    assert (pager["url"], pager["hours_only"]) == ("https://events.pagerduty.com", True)
    assert desk["sites"] == []
    shown = invoke("list").stdout
    assert "working hours" in shown
    assert slack.BOT_TOKEN not in shown


def test_a_test_reaches_slack_as_a_thread_that_ends() -> None:
    with slack.workspace() as workspace:
        configure(slack_url=workspace.url)
        document = answer("test", "team")
        assert invoke("test", "team").exit_code == 0
    assert [step["ok"] for step in document["steps"]] == [True, True]
    first, second, *_ = workspace.posted
    assert TEST_QUESTION in first["blocks"][1]["text"]["text"]
    assert second["thread_ts"] == first["ts"]


def test_a_test_leaves_no_incident_open() -> None:
    with pagerduty.account() as account:
        configure(pager_url=account.url)
        assert answer("test", "pager")["ok"]
    assert (account.pages, account.open) == (1, set())


def test_what_the_target_refuses_is_printed_with_the_remedy() -> None:
    with slack.workspace(slack.refused("not_in_channel")) as workspace:
        configure(slack_url=workspace.url)
        document = answer("test", "team", status=1)
    (step,) = document["steps"]
    assert "not_in_channel" in step["detail"]
    assert "/invite" in step["detail"]


def test_an_unknown_target_is_refused_with_the_nearest() -> None:
    configure()
    assert "Did you mean team?" in invoke("test", "tem").output
    assert "Known: team, pager, desk." in invoke("test", "zzz").output


def test_what_was_given_up_is_listed_and_sent_again() -> None:
    configure()
    assert answer("failed") == {"failed": []}
    with_store(give_up_three)
    rows = answer("failed")["failed"]
    assert len(rows) == 3
    assert {row["said"] for row in rows} == {"Slack said not_in_channel. Invite the app."}
    assert "not_in_channel" in invoke("failed").stdout
    assert answer("resend", rows[0]["escalation_id"]) == {"resent": 1}
    assert len(answer("failed")["failed"]) == 2
    assert answer("resend", "--all") == {"resent": 2}
    assert answer("failed") == {"failed": []}
    assert "Nothing was given up." in invoke("failed").stdout
    assert answer("resend", "--all") == {"resent": 0}


class Relapsing(SqlTruth):
    """A store whose deliveries are given up again as soon as they are sent again."""

    again = 0

    async def resend(self, escalation_id: str, at: float, *, dead_only: bool = False) -> int:
        self.again += 1
        assert self.again <= 3, "sent again and again"
        number = await super().resend(escalation_id, at, dead_only=dead_only)
        refused = Attempt(timestamp(at), "refused", 200, "Slack said not_in_channel.")
        for one in await self.lease_deliveries(at, at + 20, 10):
            await self.finish_delivery(one.id, refused, "failed", None)
        return number


def test_what_fails_again_at_once_is_sent_again_once(monkeypatch: pytest.MonkeyPatch) -> None:
    configure()
    with_store(give_up_three)
    monkeypatch.setattr("gateway.cli.targets.SqlTruth", Relapsing)
    assert answer("resend", "--all") == {"resent": 3}
    assert len(answer("failed")["failed"]) == 3


def test_what_cannot_be_sent_again_is_refused() -> None:
    configure()
    assert "There is no escalation e_x." in invoke("resend", "e_x").output
    for arguments in (("resend",), ("resend", "e_x", "--all")):
        assert "Name one escalation" in invoke(*arguments).output


def test_a_flawed_configuration_and_a_store_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    assert "There is no such file." in invoke("list").output
    configure()
    database = tmp_path / ".fanlight" / "fanlight.db"
    database.mkdir(parents=True)
    result = invoke("failed")
    assert result.exit_code == 1
    assert "The store cannot be used" in result.output
