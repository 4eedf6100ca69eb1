"""`fanlight personality`: what there is, what a model is told, and what `fanlight check` says."""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from core.personalities import PersonalityEdit
from gateway.adapters.sql.opening import sqlite_file
from gateway.adapters.sql.truth import SqlTruth
from gateway.cli.personality import personality_group
from gateway.cli.setup import check
from gateway.configuration import read_settings

SITE = """
[prompts]
personalities = "own"

[[sites]]
key = "site_shop"
name = "Shop"
origins = ["http://localhost:8001"]
kb = ["kb.jsonl"]
personality = "{name}"
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An owner's folder, beside a configuration."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FANLIGHT_OPERATOR_TOKEN", "9xV2-kPq7-Lm4r-Tz81-Wc3d")
    folder = tmp_path / "own"
    folder.mkdir()
    (tmp_path / "kb.jsonl").write_text(
        '{"id": "a", "question": "Where?", "answer": "Here.", "locale": "en"}\n'
    )
    (tmp_path / "fanlight.toml").write_text(SITE.format(name="ana"))
    return folder


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(personality_group, arguments)
    return done.exit_code, done.stdout + done.stderr


def test_fanlights_and_the_owners_are_listed(own: Path) -> None:
    (own / "ana.yaml").write_text("identity: {name: Ana}\ncommunication: {}\n")
    code, said = run("list", "--json")
    assert code == 0
    names = [each["name"] for each in json.loads(said)["personalities"]]
    assert names == ["ana", "default", "professional", "teacher"]


def test_what_was_made_and_chosen_in_the_console_is_listed(own: Path) -> None:
    assert json.loads(run("list", "--json")[1])["sites"] == []
    settings = read_settings(None, os.environ)

    async def choose() -> None:
        truth = SqlTruth(settings.database_url, clock=time.time)
        await truth.start()
        document = {"identity": {"name": "Ana"}, "communication": {}}
        made = PersonalityEdit("site_shop", "set", "operator", 1.0, "console.ana", document)
        number = (await truth.personalities.append(made, seen=0)).number
        used = PersonalityEdit("site_shop", "use", "operator", 2.0, "console.ana")
        await truth.personalities.append(used, seen=number)
        await truth.close()

    Path(sqlite_file(settings.database_url).database or "").parent.mkdir(parents=True)
    asyncio.run(choose())
    assert json.loads(run("list", "--json")[1])["sites"] == [
        {
            "site": "site_shop",
            "in_use": "console.ana",
            "chosen": True,
            "own": {"console.ana": "Ana"},
        }
    ]
    said = run("list")[1]
    assert "site_shop uses console.ana, as chosen in the console" in said
    assert "  console.ana  Ana" in said


def test_what_a_model_is_told_is_shown_in_a_language(own: Path) -> None:
    (own / "ana.yaml").write_text("identity: {name: Ana}\ncommunication: {tone: grumpy}\n")
    done = CliRunner().invoke(personality_group, ["show", "ana", "--locale", "he", "--json"])
    assert done.exit_code == 0
    shown = json.loads(done.stdout)
    assert shown["told"].startswith("שמך Ana.")
    assert "communication.tone: 'grumpy' is left out" in " ".join(shown["warnings"])
    assert "'grumpy' is left out" in done.stderr


def test_the_printed_file_is_one_to_begin_with(own: Path) -> None:
    code, text = run("show", "teacher", "--yaml")
    assert code == 0
    (own / "ana.yaml").write_text(text.replace("Assistant", "Ana"))
    assert "Your name is Ana." in run("show", "ana")[1]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("nobody", "", "There is no personality 'nobody': default, professional, teacher"),
        ("ana", "identity: {}\ncommunication: []\n", "communication: this is no section"),
        ("ana", "identity: [", "line 1"),
    ],
)
def test_what_cannot_be_used_is_said(own: Path, name: str, text: str, said: str) -> None:
    if text:
        (own / f"{name}.yaml").write_text(text)
    code, output = run("show", name)
    assert code == 1
    assert said in output


@pytest.mark.parametrize(
    ("text", "state", "said"),
    [
        (None, "failed", "there is no 'ana': default, professional, teacher"),
        ("identity: {}\ncommunication: {}\n", "failed", "identity.name: there is none"),
        ("identity: {name: Ana}\ncommunication: {tone: x}\n", "ok", "'x' is left out"),
    ],
)
def test_check_looks_at_the_personality_of_each_site(
    own: Path, text: str | None, state: str, said: str
) -> None:
    if text is not None:
        (own / "ana.yaml").write_text(text)
    done = CliRunner().invoke(check, ["--json"])
    found = [each for each in json.loads(done.stdout)["checks"] if each["name"] == "personality"]
    assert [each["state"] for each in found] == [state]
    assert found[0]["key"] == "sites[site_shop].personality"
    assert said in found[0]["detail"]
