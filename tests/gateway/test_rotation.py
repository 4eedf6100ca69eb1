"""A rotation of the gateway's keys under running sessions: nobody is sent away."""

import asyncio
import json
import shutil
from pathlib import Path
from time import time as clock

import pytest
from click.testing import CliRunner

from core import jose
from gateway.adapters.crypto import LocalVerifier
from gateway.adapters.key_folder import LOOK_S, KeyFolder
from gateway.adapters.visitor import Visitor
from gateway.cli.keys import keys_group
from gateway.tokens import GRACE_S
from tests.gateway.test_chat import events
from tests.gateway.test_escalations import answer
from tests.gateway.test_integrity import problem
from tests.gateway.test_revocation import escalated, listening
from tests.gateway.test_sessions import challenge, opened
from tests.gateway.world import GATEWAY, Time, World, world


def rotated(folder: Path, *options: str) -> str:
    """What the command says after it rotated."""
    result = CliRunner().invoke(keys_group, ["rotate", "--data-dir", str(folder), *options])
    assert result.exit_code == 0, result.output
    return result.output


async def on_its_way(gateway: World) -> tuple[Visitor, dict[str, object]]:
    """A visitor whose challenge was made before the rotation."""
    stranger = gateway.stranger()
    return stranger, await challenge(stranger)


async def test_sessions_and_challenges_from_before_a_rotation_go_on(tmp_path: Path) -> None:
    time = Time(int(clock()) + 1.0)  # the command has no other clock
    async with world(keys=KeyFolder(tmp_path / "keys", clock=time), time=time) as gateway:
        visitor, (stranger, asked) = await gateway.visitor(), await on_its_way(gateway)
        assert (await visitor.ask("When are you open?")).status_code == 200
        rotated(tmp_path)
        gateway.time.now += LOOK_S
        assert (await visitor.ask("When are you open?")).status_code == 200
        assert (await opened(stranger, asked)).status_code == 201
        renewed = await visitor.call("POST", "/v1/sessions/renew", {})
        visitor.token = renewed.json()["access_token"]
        gateway.time.now += GRACE_S - 120
        assert (await visitor.ask("When are you open?")).status_code == 200


async def test_machines_without_a_common_disk_take_a_new_key_one_after_another(
    tmp_path: Path,
) -> None:
    time = Time(int(clock()) + 1.0)  # the command has no other clock
    folders = [tmp_path / name for name in ("a", "b")]
    keys = [KeyFolder(folders[0] / "keys", clock=time)]
    result = CliRunner().invoke(keys_group, ["add", "--data-dir", str(folders[0])])
    assert (result.exit_code, "Copy" in result.output) == (0, True)
    shutil.copytree(folders[0] / "keys", folders[1] / "keys")
    keys.append(KeyFolder(folders[1] / "keys", clock=time))
    async with world(keys=keys[0], time=time) as one, world(keys=keys[1], time=time) as other:
        visitors = [await one.visitor()]
        for folder in folders:
            rotated(folder)
            time.now += 120
            # One that came before, and one that came between the two machines' rotations.
            visitors.append(await one.visitor())
            for visitor in visitors:
                for machine in (other, one):
                    visitor.client = machine.client
                    assert (await visitor.ask("When are you open?")).status_code == 200
    assert keys[0].signing[0] == keys[1].signing[0]


def test_what_signs_and_what_waits_is_shown(tmp_path: Path) -> None:
    KeyFolder(tmp_path / "keys", clock=clock)
    run = CliRunner().invoke
    waiting = json.loads(run(keys_group, ["add", "--data-dir", str(tmp_path), "--json"]).stdout)
    shown = run(keys_group, ["list", "--data-dir", str(tmp_path)]).output.splitlines()
    assert [line.partition("  ")[2] for line in shown] == ["signs", "waits for the next rotation"]
    listed = json.loads(run(keys_group, ["list", "--data-dir", str(tmp_path), "--json"]).stdout)
    assert [one["signs"] for one in listed["keys"]] == [True, False]
    assert listed["keys"][1]["kid"] == waiting["kid"]
    again = run(keys_group, ["add", "--data-dir", str(tmp_path)])
    assert (again.exit_code, "waits already" in again.output) == (1, True)


async def test_a_chain_of_receipts_goes_over_a_rotation(tmp_path: Path) -> None:
    time = Time(int(clock()) + 1.0)  # the command has no other clock
    keys = KeyFolder(tmp_path / "keys", clock=time)
    async with world(keys=keys, time=time) as gateway:
        visitor = await gateway.visitor()
        receipts = []
        for _ in range(2):
            receipts.append((await visitor.ask("When are you open?")).headers["x-integrity"])
            rotated(tmp_path)
            time.now += LOOK_S
        published = (await gateway.client.get(GATEWAY + "/.well-known/fanlight-keys.json")).json()
        by_kid = {key["kid"]: key for key in published["keys"]}
        assert len(by_kid) == 3
        assert [("retired_at" in key) for key in published["keys"]] == [True, True, False]
        parts = [jose.split(receipt) for receipt in receipts]
        assert parts[0].kid != parts[1].kid
        for part in parts:
            key = by_kid[part.kid]
            assert await LocalVerifier().verify(key, part.signed, part.signature)
        assert parts[1].payload["prev"] is not None


async def test_a_stolen_key_ends_every_session_at_once(tmp_path: Path) -> None:
    time = Time(int(clock()) + 1.0)  # the command has no other clock
    keys = KeyFolder(tmp_path / "keys", clock=time)
    async with world(keys=keys, time=time) as gateway:
        visitor = await gateway.visitor()
        assert "open new sessions" in rotated(tmp_path, "--at-once")
        time.now += LOOK_S
        assert problem(await visitor.ask("When are you open?")) == "unauthorised"
        await visitor.open_session()
        assert (await visitor.ask("When are you open?")).status_code == 200


async def test_a_stolen_keys_token_hears_no_further_reply(tmp_path: Path) -> None:
    time = Time(int(clock()) + 1.0)  # the command has no other clock
    keys = KeyFolder(tmp_path / "keys", clock=time)
    async with world(keys=keys, time=time) as gateway:
        visitor = await gateway.visitor()
        made, place = await escalated(visitor)
        reading = await listening(visitor, place)
        rotated(tmp_path)
        time.now += LOOK_S
        await answer(gateway, made, "It is basalt.", resolve=False)
        await asyncio.sleep(0.1)
        rotated(tmp_path, "--at-once")
        time.now += LOOK_S
        await answer(gateway, made, "That is all.", resolve=True)
        told = events(await asyncio.wait_for(reading, 5))
        assert [data.get("content") for _, data in told if "content" in data] == ["It is basalt."]
        assert told[-1] == ("reauth", {})


def test_keys_are_listed_newest_last(tmp_path: Path) -> None:
    KeyFolder(tmp_path / "keys", clock=Time())
    rotated(tmp_path)
    listed = CliRunner().invoke(keys_group, ["list", "--data-dir", str(tmp_path)])
    assert [line.split("  ")[1][:7] for line in listed.output.splitlines()] == ["retired", "signs"]


@pytest.mark.parametrize("command", ["list", "rotate"])
def test_a_folder_without_keys_is_refused_and_not_made(tmp_path: Path, command: str) -> None:
    result = CliRunner().invoke(keys_group, [command, "--data-dir", str(tmp_path)])
    assert result.exit_code == 1
    assert "--data-dir" in result.output
    assert list(tmp_path.iterdir()) == []
