"""A running `fanlight run` under the commands that change keys and end sessions, and its death."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
from click.testing import CliRunner

from core import jose
from core.scope import anonymous
from gateway.adapters.visitor import Visitor
from gateway.cli.bench.mortal import SECRET, SITE, TOKEN, Mortal
from gateway.cli.keys import keys_group
from gateway.cli.receipts import receipts_group
from gateway.cli.sessions import sessions_group
from tests.gateway.serving import free_port

ENVIRON = {"FANLIGHT_OPERATOR_TOKEN": TOKEN, "FANLIGHT_TARGET_DESK_SECRET": SECRET}
QUESTION = "How long do I have to return an item?"


async def command(group: object, *arguments: str) -> str:
    """What a command says; it must succeed."""
    runner = CliRunner(env=ENVIRON)
    result = await asyncio.to_thread(runner.invoke, group, arguments)  # type: ignore[arg-type]
    assert result.exit_code == 0, result.output
    return result.stdout


async def ask(visitor: Visitor) -> httpx.Response:
    response = await visitor.ask(QUESTION)
    assert response.status_code == 200, response.text
    return response


async def refused_soon(visitor: Visitor) -> bool:
    """Whether the visitor's calls are refused within the time that a process takes to notice."""
    for _ in range(100):
        if (await visitor.ask(QUESTION)).status_code == 401:
            return True
        await asyncio.sleep(0.2)
    return False


async def test_a_session_goes_over_a_rotation_and_a_death_with_one_chain_of_receipts(
    tmp_path: Path,
) -> None:
    gateway, receipts = Mortal(tmp_path, free_port()), []
    settings = ("--config", str(tmp_path / "fanlight.toml"))
    await gateway.start()
    try:
        async with httpx.AsyncClient(timeout=20) as client:
            visitor = Visitor(client, gateway.url, SITE)
            await visitor.open_session()
            receipts.append((await ask(visitor)).headers["x-integrity"])
            kid = json.loads(await command(keys_group, "rotate", "--json", *settings))["kid"]
            while jose.split(receipts[-1]).kid != kid:
                receipts.append((await ask(visitor)).headers["x-integrity"])
                await asyncio.sleep(0.2)
            await gateway.kill()
            await gateway.start()
            receipts.append((await ask(visitor)).headers["x-integrity"])
            file = tmp_path / "receipts.jsonl"
            file.write_text("\n".join(receipts))
            address = f"{gateway.url}/.well-known/fanlight-keys.json"
            said = await command(receipts_group, "verify", str(file), "--keys", address, "--json")
            assert json.loads(said)["sessions"][0]["receipts"] == len(receipts) >= 3
    finally:
        await gateway.stop()


async def test_a_session_ended_by_command_stays_ended_over_a_death(tmp_path: Path) -> None:
    gateway = Mortal(tmp_path, free_port())
    await gateway.start()
    try:
        async with httpx.AsyncClient(timeout=20) as client:
            visitor, other = (Visitor(client, gateway.url, SITE) for _ in range(2))
            for one in (visitor, other):
                await one.open_session()
                await ask(one)
            subject = anonymous(SITE, visitor.keyid).subject
            named = ("--site", SITE, "--subject", subject)
            config = ("--config", str(tmp_path / "fanlight.toml"))
            await command(sessions_group, "revoke", *named, *config)
            assert await refused_soon(visitor)
            await ask(other)
            await gateway.kill()
            await gateway.start()
            refused = await visitor.ask(QUESTION)
            assert refused.json()["type"].endswith("/session-ended")
            await ask(other)
    finally:
        await gateway.stop()
