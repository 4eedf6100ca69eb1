"""The `fanlight` command's door: says what to install where the server's libraries are missing.

Imports nothing but the standard library, so that it works after a bare `pip install fanlight`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Final

NEEDED: Final = ("click", "rich", "uvicorn", "httpx", "sqlalchemy", "cryptography")


def main(needed: Sequence[str] = NEEDED) -> int:
    """Run the command line; 2 when the extra `server` is not installed."""
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        sys.stderr.write(
            f"fanlight: the server's libraries are not installed (missing: {', '.join(missing)}).\n"
            "Install them with one of:\n"
            '  uv tool install "fanlight[server]"\n'
            '  pip install "fanlight[server]"\n'
        )
        return 2
    from gateway.cli.main import run_cli  # noqa: PLC0415 - needs click, which may be missing

    return run_cli()
