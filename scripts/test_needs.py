"""Brings what the tests need and this machine lacks: a browser, servers, a C compiler.

Decides in order: what is there, the platform's own package (as root), Playwright's download.
Refuses nothing: what cannot be had is told, and its tests are skipped with that reason (in CI,
failed).
"""

import os
import shutil
import subprocess
import sys

from scripts import machine

INSTALL_SECONDS = 300


def main() -> None:
    """Looks, installs where it may, and prints one line for each thing that was missing."""
    if machine.chromium() is None:
        bring_chromium()
    if sys.platform == "linux" and machine.compiler() is None and not apt_install("gcc libc6-dev"):
        say("no C compiler: the tests that cut the power are skipped (apt install gcc libc6-dev)")
    if machine.redis_server() is None and not apt_install("redis-server"):
        say("no redis-server: its tests are skipped (apt install redis-server, brew install redis)")
    if machine.postgresql() is None and not apt_install("postgresql"):
        say(
            "no PostgreSQL: its tests are skipped (apt install postgresql, brew install postgresql)"
        )
    for name, asked in (("nginx", "-v"), ("caddy", "version")):
        if machine.proxy(name, asked) is None and not apt_install(name):
            say(f"no {name}: its tests are skipped (apt install {name}, brew install {name})")


def bring_chromium() -> None:
    """Installs a Chromium by the platform's package, else by Playwright."""
    if named := os.environ.get("FANLIGHT_CHROMIUM"):
        say(f"FANLIGHT_CHROMIUM={named} does not start: unset it, or name one that does")
        return
    if apt_install("chromium") and machine.chromium():
        return
    options = ["--with-deps"] if may_apt() else []
    say("Playwright downloads its Chromium, about 150 MB")
    execute([sys.executable, "-m", "playwright", "install", *options, "chromium"])
    if machine.playwright_browser("chromium") is None:
        say("no Chromium: browser tests are skipped (install one, or name it: FANLIGHT_CHROMIUM)")


def may_apt() -> bool:
    """Says whether Debian's packages can be installed from here."""
    return shutil.which("apt-get") is not None and os.geteuid() == 0


def apt_install(packages: str) -> bool:
    """Installs Debian packages, and says whether they are there now."""
    if not may_apt():
        return False
    say(f"apt-get installs {packages}")
    quiet = ["apt-get", "-qq", "-y", "-o", "Dpkg::Use-Pty=0"]
    install = [*quiet, "install", "--no-install-recommends", *packages.split()]
    # The lists are fetched only when the package is not known yet: that is slow.
    return execute(install) or (execute([*quiet, "update"]) and execute(install))


def execute(command: list[str]) -> bool:
    """Runs a command within its time, and says whether it succeeded."""
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, env=environ, timeout=INSTALL_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        say(f"{command[0]} did not finish: {error}")
        return False
    return done.returncode == 0


def say(line: str) -> None:
    """Prints one line of progress."""
    print(f"tests: {line}", flush=True)


if __name__ == "__main__":
    main()
