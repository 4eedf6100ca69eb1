"""The command `fanlight`: finds its subcommands by entry points, and imports the chosen one alone.

Any installed package may add one under `fanlight.commands`. One that cannot be imported is named
with the reason, and does not disturb the others.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points, version
from typing import Final

import click

COMMANDS: Final = "fanlight.commands"
INTERRUPTED: Final = 130


class EntryPointGroup(click.Group):
    """A group whose commands are entry points, loaded when asked for."""

    def __init__(self, points: Iterable[EntryPoint], **settings: object) -> None:
        super().__init__(**settings)  # type: ignore[arg-type]
        self._points = {point.name: point for point in points}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands, in order."""
        return sorted(self._points)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now; None when there is none of that name."""
        point = self._points.get(cmd_name)
        return _load(point) if point else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The chosen command; an unknown one is refused with the nearest name."""
        name = args[0]
        if name not in self._points and not name.startswith("-"):
            near = get_close_matches(name, self._points, n=1)
            known = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(self._points)}."
            raise click.UsageError(f"There is no command {name!r}. {known}", ctx)
        return super().resolve_command(ctx, args)


def _load(point: EntryPoint) -> click.Command:
    try:
        command = point.load()
    except ImportError as error:
        return _Unloadable(point.name, f"It needs {error.name or error}, which is not installed.")
    if not isinstance(command, click.Command):
        return _Unloadable(point.name, f"{point.value} is not a command.")
    return command


class _Unloadable(click.Command):
    """Stands for a command whose import failed; refuses to run, and says why."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, help=f"(not available: {reason})")
        self._reason = reason

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        raise click.ClickException(f"{self.name} is not available. {self._reason}")


def build_cli(points: Iterable[EntryPoint]) -> click.Group:
    """The command line over these entry points."""
    group = EntryPointGroup(
        points,
        name="fanlight",
        help="Answers a website's visitors in their own browser; wakes someone when it should not.",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    return click.version_option(version("fanlight"), prog_name="fanlight")(group)


def run_cli(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (the process's own by default); its exit status."""
    try:
        status = build_cli(entry_points(group=COMMANDS)).main(
            arguments, prog_name="fanlight", standalone_mode=False
        )
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        sys.stderr.write("fanlight: stopped\n")
        return INTERRUPTED
    return status if isinstance(status, int) else 0
