"""docs/settings.md names every setting, every environment variable and every command."""

import re
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import click
import pytest

from gateway.cli.main import COMMANDS
from gateway.configuration import SETTINGS
from gateway.configuration.reference import settings_table, variables_table

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
VARIABLE = re.compile(r"(?<![A-Z_])FANLIGHT_[A-Z_]+[A-Z]")


def leaves(name: str, command: click.Command) -> Iterator[str]:
    if isinstance(command, click.Group):
        # Some groups import a command only when it is asked for.
        context = click.Context(command)
        for child in command.list_commands(context):
            inner = command.get_command(context, child)
            assert inner is not None
            yield from leaves(f"{name} {child}", inner)
    else:
        yield name


@pytest.mark.parametrize("section", sorted({setting.section for setting in SETTINGS}))
def test_every_setting_is_documented(section: str) -> None:
    missing = [row for row in settings_table(section).splitlines() if row not in PAGE]
    assert missing == [], "put these rows into docs/settings.md"


def test_every_variable_is_documented() -> None:
    missing = [row for row in variables_table().splitlines() if row not in PAGE]
    assert missing == [], "put these rows into docs/settings.md"


def test_every_variable_that_the_code_names_is_documented() -> None:
    named = {
        name
        for package in ("kb", "core", "gateway", "edge")
        for path in (ROOT / package).rglob("*.py")
        for name in VARIABLE.findall(path.read_text(encoding="utf-8"))
    }
    # A target's variable carries the target's name, which the page writes as <NAME>.
    general = {name for name in named if not name.startswith("FANLIGHT_TARGET_")}
    assert sorted(name for name in general if name not in PAGE) == []


@pytest.mark.parametrize("point", entry_points(group=COMMANDS), ids=lambda point: point.name)
def test_every_command_is_documented(point: object) -> None:
    name, command = point.name, point.load()  # type: ignore[attr-defined]
    undocumented = [leaf for leaf in leaves(name, command) if f"`fanlight {leaf}" not in PAGE]
    assert undocumented == []
