"""`fanlight run` as a child that is killed and started again over the same files.

Decides the settings it runs under: one small site, one webhook, and quotas that no visitor of a
benchmark reaches. What it says on stderr is kept, and told where it does not start.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gateway.cli.bench.load import BenchError
from gateway.cli.bench.processes import FANLIGHT, free_port, plain_environ

SITE: Final = "site_mortal"
TOKEN: Final = "nobody-else-logs-in-at-a-benchmark"  # noqa: S105
SECRET: Final = "whsec_bW9ydGFsLW1vcnRhbC1tb3J0YWwtbW9ydGFs"  # noqa: S105
START_S: Final = 60.0
KILLED: Final = -9
_SETTINGS: Final = """
[gateway]
port = {port}
public_url = "http://localhost:{port}"
console_url = "http://console.localhost:{port}"
private_endpoints = [{endpoints}]

[[sites]]
key = "{site}"
name = "Mortal"
origins = ["http://localhost:8001"]
kb = ["kb.md"]
# What the scripted model says is no answer to anything; here it is to count as one.
confidence_threshold = 0.2
targets = ["desk"]
{site_more}
[[targets]]
name = "desk"
url = "http://127.0.0.1:{hook}/hook"

[limits]
pow_difficulty = 1
session_per_minute = 100000
subject_per_minute = 1000000
site_per_minute = 10000000
sessions_per_site_per_minute = 1000000
address_per_minute = 1000000
sessions_per_address_per_minute = 100000
"""
_ENTRIES: Final = """\
locale: en

## How long do I have to return an item? {#returns}

You have **30 days**.
"""


@dataclass
class Mortal:
    """The gateway in a folder of its own; `hook_port` is where its webhook listens.

    `environ` names what else it is to use, and `ports` where that listens on loopback; `more` are
    tables that its settings have besides, `site_more` lines of its site.
    """

    folder: Path
    hook_port: int
    environ: dict[str, str] = field(default_factory=dict)
    ports: tuple[int, ...] = ()
    port: int = 0
    more: str = ""
    site_more: str = ""
    _process: asyncio.subprocess.Process | None = None

    def __post_init__(self) -> None:
        self.port = self.port or free_port()
        endpoints = ", ".join(f'"127.0.0.1:{port}"' for port in (self.hook_port, *self.ports))
        settings = _SETTINGS.format(
            port=self.port,
            hook=self.hook_port,
            site=SITE,
            endpoints=endpoints,
            site_more=self.site_more,
        )
        (self.folder / "kb.md").write_text(_ENTRIES, encoding="utf-8")
        (self.folder / "fanlight.toml").write_text(settings + self.more, encoding="utf-8")

    @property
    def url(self) -> str:
        """The visitors' origin."""
        return f"http://localhost:{self.port}"

    async def start(self) -> None:
        """Start it, and wait until it says that it runs; raises `BenchError`."""
        told = {"FANLIGHT_OPERATOR_TOKEN": TOKEN, "FANLIGHT_TARGET_DESK_SECRET": SECRET}
        arguments = ("run", "--json", "--config", str(self.folder / "fanlight.toml"))
        with (self.folder / "stderr").open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                *(*FANLIGHT, *arguments),
                cwd=self.folder,
                env={**plain_environ(), **told, **self.environ},
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
            )
        line = b""
        try:
            async with asyncio.timeout(START_S):
                if self._process.stdout is not None:
                    line = await self._process.stdout.readline()
        except TimeoutError:
            pass
        if not line:
            said = (self.folder / "stderr").read_text(encoding="utf-8", errors="replace").strip()
            raise BenchError(f"the gateway did not start: {said[-500:] or 'it said nothing'}")

    async def kill(self) -> None:
        """SIGKILL; raises `BenchError` where it had ended by itself."""
        if self._process is None:
            return
        if self._process.returncode is None:
            self._process.kill()
        status = await self._process.wait()
        if status != KILLED:
            raise BenchError(f"the gateway had ended by itself, with {status}")

    async def end(self, within_s: float) -> int:
        """SIGTERM, and the exit status; raises `TimeoutError` where it takes longer."""
        if self._process is None:
            return 0
        self._process.terminate()
        async with asyncio.timeout(within_s):
            return await self._process.wait()

    async def stop(self) -> None:
        """End whatever still runs."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
