"""Options that several commands have."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import click

_SIZE: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)([MGT])B?", re.IGNORECASE)
_UNITS: Final = {"M": 10**6, "G": 10**9, "T": 10**12}


class Size(click.ParamType[int]):
    """A number of bytes as people write it: 800M, 4G, 1.5G."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Bytes of it."""
        if isinstance(value, int):
            return value
        found = _SIZE.fullmatch(str(value).strip())
        size = int(float(found[1]) * _UNITS[found[2].upper()]) if found else 0
        if not size:
            self.fail(f"{value!r} is no size such as 4G or 800M.", param, ctx)
        return size


catalog_option = click.option(
    "--catalog", type=click.Path(path_type=Path), help="Instead of the catalogue that comes along."
)
version_option = click.option("--version", "version", help="Instead of the one that is meant.")
