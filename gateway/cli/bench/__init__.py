"""`fanlight bench`: what the gateway and the widget cost, measured on this machine.

Each benchmark is a module of its own, imported when it is asked for; one that is not installed is
not listed.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Final

import click

COMMANDS: Final = {
    "budgets": "gateway.cli.bench.budgets",
    "engines": "gateway.cli.bench.engines",
    "gateway": "gateway.cli.bench.gateway",
    "outbox": "gateway.cli.bench.outbox",
    "overload": "gateway.cli.bench.overload",
    "soak": "gateway.cli.bench.soak",
    "widget": "gateway.cli.bench.widget",
}
"""The command's name, and the module that has it under the same name."""


class LazyGroup(click.Group):
    """A group that imports only the command that was chosen."""

    def __init__(self, modules: Mapping[str, str], **settings: object) -> None:
        super().__init__(**settings)  # type: ignore[arg-type]
        self._modules = modules

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands whose modules are here."""
        return [name for name, module in self._modules.items() if find_spec(module)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command; None when there is none of that name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = getattr(import_module(self._modules[cmd_name]), cmd_name)
        return command


bench_group = LazyGroup(COMMANDS, name="bench", help="Measure Fanlight on this machine.")
