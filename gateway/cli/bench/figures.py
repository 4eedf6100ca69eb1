"""A benchmark's figures as a table: each with its goal and what it is."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table


def figures_table(
    figures: Mapping[str, float], goals: Mapping[str, float], meanings: Mapping[str, str]
) -> Table:
    """The table, in the order of the figures."""
    table = Table(box=None, pad_edge=False)
    table.add_column("figure")
    table.add_column("", justify="right")
    table.add_column("goal", justify="right")
    table.add_column("what it is")
    for name, value in figures.items():
        table.add_row(name, f"{value:,}", str(goals.get(name, "")), meanings[name])
    return table
