"""`fanlight commands` as people type it."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from core.commands.feedback import Judgement
from gateway.adapters.sql.truth import SqlTruth
from gateway.cli.commands import commands_group
from tests.congruence.samples import NOON

SETTINGS = (
    '[[sites]]\nkey = "site_shop"\nname = "Shop"\nkb = ["faq.md"]\n'
    'origins = ["http://localhost:1"]\n'
)


def test_a_command_is_classified_without_anything_else() -> None:
    result = CliRunner().invoke(commands_group, ["classify", "ls && rm -rf a", "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["classification"] == "DELETE"
    shown = CliRunner().invoke(commands_group, ["classify", "ls"])
    assert shown.stdout.startswith("READ (")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder whose gateway has a database there."""
    monkeypatch.chdir(tmp_path)
    Path("faq.md").write_text("locale: en\n\n## Open? {#hours}\n\nFrom nine.\n", "utf-8")
    Path("fanlight.toml").write_text(SETTINGS, encoding="utf-8")
    monkeypatch.setenv("FANLIGHT_OPERATOR_TOKEN", "operator-token-for-tests-0123456789")
    monkeypatch.setenv("FANLIGHT_DATABASE_URL", f"sqlite:///{tmp_path}/truth.db")
    return tmp_path


def test_what_was_said_becomes_lines(folder: Path) -> None:
    async def say() -> None:
        truth = SqlTruth(f"sqlite:///{folder}/truth.db", clock=lambda: NOON)
        await truth.start()
        told = Judgement("f_1", "foo “bar”", "CREATE", "READ", "operator", 4e9)
        await truth.commands.judge(told)
        await truth.close()

    asyncio.run(say())
    result = CliRunner().invoke(commands_group, ["feedback", "said.jsonl", "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["judgements"] == 1
    [line] = (folder / "said.jsonl").read_text(encoding="utf-8").splitlines()
    row = json.loads(line)
    assert (row["command"], row["given"], row["expected"]) == ("foo “bar”", "CREATE", "READ")


def test_nothing_said_is_an_empty_file(folder: Path) -> None:
    result = CliRunner().invoke(commands_group, ["feedback", "said.jsonl"])
    assert result.exit_code == 0, result.output
    assert "nobody said anything" in result.stdout
    assert (folder / "said.jsonl").read_bytes() == b""


def test_a_file_that_cannot_be_written_is_named(folder: Path) -> None:
    result = CliRunner().invoke(commands_group, ["feedback", "nowhere/said.jsonl"])
    assert result.exit_code == 1
    assert "nowhere/said.jsonl" in result.stderr


def test_wrong_settings_are_named(folder: Path) -> None:
    (folder / "fanlight.toml").write_text("nonsense = 1\n", encoding="utf-8")
    result = CliRunner().invoke(commands_group, ["feedback", "said.jsonl"])
    assert result.exit_code == 1
    assert "nonsense" in result.output + result.stderr
