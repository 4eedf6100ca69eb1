"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path

import click

catalog_option = click.option(
    "--catalog", type=click.Path(path_type=Path), help="Instead of the catalogue that comes along."
)
version_option = click.option("--version", "version", help="Instead of the one that is meant.")
