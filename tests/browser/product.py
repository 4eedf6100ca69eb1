"""`fanlight run` as a child process: the product as its users meet it, on ports of its own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.gateway.serving import free_port
from tests.kept_knowledge import bring, keep

FANLIGHT = Path(sys.executable).with_name("fanlight")
PANEL = Path(__file__).resolve().parents[2] / "web" / "dist" / "panel.html"
SITE = "site_demo"
# A fresh clone builds the demo's index first, beside all else that the machine does.
START_S = 240
STOP_S = 20
COOKIE = "__Host-fanlight_operator"


@dataclass
class Product:
    """A gateway with its console and its host page; it can be stopped and started again."""

    folder: Path
    config: Path | None = None
    environ: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    page_port: int = field(default_factory=free_port)
    token: str = ""
    _process: asyncio.subprocess.Process | None = None
    _asked_to_end: bool = False

    @property
    def gateway(self) -> str:
        """The origin of the panel and of the visitors' API."""
        return f"http://localhost:{self.port}"

    @property
    def console(self) -> str:
        """The operators' origin."""
        return f"http://console.localhost:{self.port}"

    @property
    def page(self) -> str:
        """The host page."""
        return f"http://localhost:{self.page_port}"

    @property
    def chat(self) -> str:
        """The panel on a page of its own."""
        return f"{self.gateway}/chat/{SITE}"

    async def start(self) -> None:
        """Start it, and wait until it says that it runs."""
        assert self._process is None
        assert PANEL.exists(), "the web assets are not built: run `npm --prefix web run build`"
        bring(self.folder / "data")
        arguments = ["run", "--demo", "--json", "--port", str(self.port)]
        arguments += ["--demo-port", str(self.page_port)]
        if self.config is not None:
            arguments += ["--config", str(self.config)]
        with (self.folder / "stderr").open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                FANLIGHT,
                *arguments,
                env={**os.environ, "FANLIGHT_DATA_DIR": str(self.folder / "data"), **self.environ},
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
            )
        try:
            async with asyncio.timeout(START_S):
                assert self._process.stdout is not None
                line = await self._process.stdout.readline()
        except TimeoutError:
            # One that is left behind would slow down the next.
            await self.stop()
            raise
        assert line, f"`fanlight run` did not start: {self.errors()}"
        self.token = json.loads(line)["operator_token"] or self.token
        keep(self.folder / "data")

    def errors(self) -> str:
        """What it said on stderr."""
        return (self.folder / "stderr").read_text(encoding="utf-8")

    def terminate(self) -> None:
        """Ask it to end; `stop` waits until it has."""
        assert self._process is not None
        self._process.terminate()
        self._asked_to_end = True

    async def stop(self) -> int:
        """End it as Ctrl-C or a service manager would; its exit status."""
        process, self._process = self._process, None
        if process is None:
            return 0
        if not self._asked_to_end and process.returncode is None:
            process.terminate()
        self._asked_to_end = False
        try:
            async with asyncio.timeout(STOP_S):
                return await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise


@asynccontextmanager
async def running(product: Product) -> AsyncIterator[Product]:
    """The product, while it runs."""
    await product.start()
    try:
        yield product
    finally:
        await product.stop()


async def until[T](look: Callable[[], Awaitable[T]], what: str) -> T:
    """What `look` gives, as soon as that is true; `what` is told when it never is."""
    for _ in range(150):
        if found := await look():
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"it did not come: {what}")


@dataclass
class Desk:
    """An operator at the API: what the console asks, without a browser."""

    product: Product
    client: httpx.AsyncClient
    headers: dict[str, str] = field(default_factory=dict)

    async def _call(self, method: str, path: str, body: object = None) -> httpx.Response:
        # Nothing but a browser resolves console.localhost.
        response = await self.client.request(
            method,
            f"http://127.0.0.1:{self.product.port}{path}",
            json=body,
            headers={"host": f"console.localhost:{self.product.port}", **self.headers},
        )
        return response.raise_for_status()

    async def log_in(self) -> None:
        """Take a session, and keep its cookie by hand: this is not TLS."""
        response = await self._call("POST", "/v1/operator/session", {"token": self.product.token})
        self.client.cookies.clear()
        self.headers["cookie"] = response.headers["set-cookie"].partition(";")[0]
        session = await self._call("GET", "/v1/operator/session")
        self.headers["x-csrf-token"] = session.json()["csrf"]

    async def asked(self, question: str) -> list[dict[str, Any]]:
        """Every escalation of this question, newest first."""
        listed = await self._call("GET", "/v1/escalations?status=all&limit=50")
        return [item for item in listed.json()["items"] if item["question"] == question]

    async def one(self, question: str) -> dict[str, Any]:
        """The one escalation of this question, waited for."""
        (found,) = await until(lambda: self.asked(question), question)
        return found

    async def reply(self, escalation: str, content: str, *, resolve: bool = False) -> None:
        """Answer."""
        body: dict[str, object] = {"content": content, "resolve": resolve}
        if resolve:
            item = (await self._call("GET", f"/v1/escalations/{escalation}")).json()
            body["seen"] = 1 + len(item["added"])
        await self._call("POST", f"/v1/escalations/{escalation}/replies", body)


@asynccontextmanager
async def desk(product: Product) -> AsyncIterator[Desk]:
    """A logged-in operator."""
    async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
        made = Desk(product, client)
        await made.log_in()
        yield made
