"""Keys in a folder: the newest signs, retired ones verify for a while, none is lost."""

import json
import os
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.errors import Unavailable
from core.jose import thumbprint
from core.ports import PublicKey
from gateway.adapters.crypto import LocalSigner, LocalVerifier
from gateway.adapters.key_folder import LOOK_S, KeyFolder, add, keep_known, rotate
from gateway.tokens import ACCESS, GRACE_S, Tokens
from tests.gateway.world import Time


def kids(keys: KeyFolder) -> list[str]:
    return [key.kid for key in keys.published]


def found(keys: KeyFolder, kid: str) -> PublicKey:
    key = keys.find(kid)
    assert key is not None
    return key


async def test_the_first_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    first, second = (KeyFolder(folder, clock=Time()) for _ in range(2))
    assert kids(first) == kids(second)
    assert [path.name for path in folder.iterdir()] == ["gateway.pem"]
    assert stat.S_IMODE((folder / "gateway.pem").stat().st_mode) == 0o600
    kid, signer = first.signing
    signature = await signer.sign(b"data")
    assert await LocalVerifier().verify(found(second, kid).jwk, b"data", signature)
    assert not await LocalVerifier().verify(found(second, kid).jwk, b"date", signature)


def test_first_starts_at_once_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: KeyFolder(tmp_path, clock=Time()).signing[0], range(32)))
    assert len(set(made)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["gateway.pem"]


def test_a_running_gateway_takes_a_new_key_up(tmp_path: Path) -> None:
    time = Time()
    keys = KeyFolder(tmp_path, clock=time)
    before = keys.signing[0]
    kid = rotate(tmp_path, now=time.now)
    assert keys.signing[0] == before
    time.now += LOOK_S
    assert keys.signing[0] == kid
    assert kids(keys) == [before, kid]
    assert found(keys, before).retired_at == time.now - LOOK_S
    assert found(keys, before).tokens_until == time.now - LOOK_S + GRACE_S
    assert found(keys, kid).tokens_until is None


async def test_a_token_under_a_key_not_seen_yet_is_read_at_once(tmp_path: Path) -> None:
    time = Time()
    early = KeyFolder(tmp_path, clock=time)
    time.now += 0.5
    rotate(tmp_path, now=time.now)
    verifier, issuer = LocalVerifier(), "http://gateway"
    late = Tokens(KeyFolder(tmp_path, clock=time), verifier, time, issuer)
    token = await late.issue(ACCESS, {"sid": "s"}, 600)
    assert (await Tokens(early, verifier, time, issuer).read(ACCESS, token))["sid"] == "s"


async def test_a_retired_keys_tokens_hold_until_they_have_all_ended(tmp_path: Path) -> None:
    time = Time()
    keys = KeyFolder(tmp_path, clock=time)
    tokens = Tokens(keys, LocalVerifier(), time, "http://gateway")
    last = await tokens.issue(ACCESS, {"sid": "s"}, 600)
    rotate(tmp_path, now=time.now)
    time.now += 599
    assert (await tokens.read(ACCESS, last))["sid"] == "s"
    assert (await tokens.read(ACCESS, await tokens.issue(ACCESS, {"sid": "n"}, 9)))["sid"] == "n"


async def test_a_retired_key_signs_nothing_that_is_read_after_its_grace(tmp_path: Path) -> None:
    time = Time()
    KeyFolder(tmp_path, clock=time)
    stolen = LocalSigner.load(tmp_path / "gateway.pem")
    thief = Tokens(_Stolen(stolen), LocalVerifier(), time, "http://gateway")
    rotate(tmp_path, now=time.now)
    tokens = Tokens(KeyFolder(tmp_path, clock=time), LocalVerifier(), time, "http://gateway")
    time.now += GRACE_S - 1
    await tokens.read(ACCESS, await thief.issue(ACCESS, {}, 600))
    forged = await thief.issue(ACCESS, {}, 600)
    time.now += 1
    with pytest.raises(ValueError, match="retired"):
        await tokens.read(ACCESS, forged)


async def test_a_stolen_keys_tokens_are_refused_at_once_even_if_read_before(
    tmp_path: Path,
) -> None:
    time = Time()
    keys = KeyFolder(tmp_path, clock=time)
    tokens = Tokens(keys, LocalVerifier(), time, "http://gateway")
    token = await tokens.issue(ACCESS, {}, 600)
    await tokens.read(ACCESS, token)
    rotate(tmp_path, now=time.now, at_once=True)
    time.now += LOOK_S
    with pytest.raises(ValueError, match="retired"):
        await tokens.read(ACCESS, token)


def test_the_grace_of_keys_retired_before_can_be_ended(tmp_path: Path) -> None:
    time = Time()
    first = KeyFolder(tmp_path, clock=time).signing[0]
    rotate(tmp_path, now=time.now)
    rotate(tmp_path, now=time.now + 1, at_once=True)
    assert found(KeyFolder(tmp_path, clock=time), first).tokens_until == time.now + 1


def test_a_retired_key_keeps_its_public_half_alone(tmp_path: Path) -> None:
    time = Time()
    keys = KeyFolder(tmp_path, clock=time)
    for step in range(3):
        rotate(tmp_path, now=time.now + step)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [
        "gateway-2.retired.json",
        "gateway-3.retired.json",
        "gateway-4.pem",
        "gateway.retired.json",
    ]
    assert "d" not in json.loads((tmp_path / "gateway.retired.json").read_text())["jwk"]
    time.now += LOOK_S
    assert len(kids(keys)) == 4
    assert kids(keys)[-1] == keys.signing[0]


def test_a_rotation_that_was_cut_off_leaves_keys_that_work(tmp_path: Path) -> None:
    time = Time()
    first = KeyFolder(tmp_path, clock=time).signing[0]
    second = LocalSigner.generate()
    (tmp_path / "gateway-2.pem").write_bytes(second.pem())
    keys = KeyFolder(tmp_path, clock=time)
    assert keys.signing[0] == thumbprint(dict(second.jwk))
    assert found(keys, first).tokens_until is not None
    rotate(tmp_path, now=time.now)
    assert not (tmp_path / "gateway.pem").exists()
    assert kids(KeyFolder(tmp_path, clock=time))[:2] == [first, thumbprint(dict(second.jwk))]


def test_rotations_at_once_add_a_key_each_or_say_so(tmp_path: Path) -> None:
    KeyFolder(tmp_path, clock=Time())

    def attempt(_: int) -> str | None:
        try:
            return rotate(tmp_path, now=1.0)
        except Unavailable:
            return None

    with ThreadPoolExecutor(8) as pool:
        made = [kid for kid in pool.map(attempt, range(16)) if kid is not None]
    assert made
    keys = KeyFolder(tmp_path, clock=Time())
    assert set(made) < set(kids(keys))
    assert len(kids(keys)) == len(made) + 1


async def test_a_key_that_waits_is_read_and_signs_after_the_next_rotation(tmp_path: Path) -> None:
    time, here, there = Time(), tmp_path / "here", tmp_path / "there"
    first = KeyFolder(here, clock=time).signing[0]
    kid = add(here)
    with pytest.raises(Unavailable, match="waits already"):
        add(here)
    shutil.copytree(here, there)
    rings = [KeyFolder(folder, clock=time) for folder in (here, there)]
    assert [ring.signing[0] for ring in rings] == [first, first]
    assert [kids(ring) for ring in rings] == [[first, kid]] * 2
    one, other = (Tokens(ring, LocalVerifier(), time, "http://gateway") for ring in rings)
    assert rotate(here, now=time.now) == kid
    time.now += GRACE_S / 2
    # One machine signs with the new key, the other not yet: each reads what both sign.
    assert [ring.signing[0] for ring in rings] == [kid, first]
    for reader, writer in ((one, other), (other, one)):
        assert (await reader.read(ACCESS, await writer.issue(ACCESS, {"sid": "s"}, 9)))[
            "sid"
        ] == "s"
    assert rotate(there, now=time.now) == kid
    time.now += LOOK_S
    assert rings[1].signing[0] == kid
    assert {path.name for path in there.iterdir()} == {"gateway.retired.json", "gateway-2.pem"}


def test_a_key_that_waited_retires_the_others_when_it_begins_to_sign(tmp_path: Path) -> None:
    time = Time()
    first = KeyFolder(tmp_path, clock=time).signing[0]
    add(tmp_path)
    os.utime(tmp_path / "gateway-2.next.pem", (1.0, 1.0))
    rotate(tmp_path, now=time.now)
    assert found(KeyFolder(tmp_path, clock=time), first).tokens_until == time.now + GRACE_S
    # So it is for whoever looks in the middle of it, when the first key is not retired yet.
    assert (tmp_path / "gateway-2.pem").stat().st_mtime > time.now - 10 * 365 * 86400


def test_a_key_that_waited_is_not_used_after_a_theft(tmp_path: Path) -> None:
    time = Time()
    KeyFolder(tmp_path, clock=time)
    waited = add(tmp_path)
    kid = rotate(tmp_path, now=time.now, at_once=True)
    ring = KeyFolder(tmp_path, clock=time)
    assert ring.signing[0] == kid != waited
    assert found(ring, waited).tokens_until == time.now
    assert {path.suffix for path in tmp_path.iterdir() if "3" not in path.name} == {".json"}


def test_a_key_that_waits_outlasts_a_restore_and_never_signs_again_once_it_was_retired(
    tmp_path: Path,
) -> None:
    time, backup, known = Time(), tmp_path / "backup", tmp_path / "known"
    KeyFolder(known, clock=time)
    add(known)
    for changes in range(3):
        shutil.rmtree(backup, ignore_errors=True)
        shutil.copytree(known, backup)
        if changes:
            rotate(known, now=time.now)
        if changes == 2:
            (backup / "gateway.pem").unlink(missing_ok=True)
        keep_known(backup, known)
        assert kids(KeyFolder(backup, clock=time)) == kids(KeyFolder(known, clock=time))
        assert KeyFolder(backup, clock=time).signing[0] == KeyFolder(known, clock=time).signing[0]
    shutil.rmtree(backup)
    backup.mkdir()
    shutil.copy2(known / "gateway.retired.json", backup)
    keep_known(backup, known)
    assert kids(KeyFolder(backup, clock=time)) == kids(KeyFolder(known, clock=time))


@pytest.mark.parametrize("name", ["gateway-2.pem", "gateway-2.next.pem", "gateway.retired.json"])
def test_a_damaged_key_stops_a_start_and_leaves_a_running_gateway_alone(
    tmp_path: Path, name: str
) -> None:
    time = Time()
    keys = KeyFolder(tmp_path, clock=time)
    before = keys.signing[0]
    if name.endswith("json"):
        rotate(tmp_path, now=time.now)
    (tmp_path / name).write_bytes(b"{}")
    time.now += LOOK_S
    assert keys.signing[0] == before
    with pytest.raises(Unavailable, match=name.replace(".", r"\.")):
        KeyFolder(tmp_path, clock=time)


def test_however_many_unknown_keys_are_named_the_folder_is_read_seldom(tmp_path: Path) -> None:
    time = Time()
    keys = KeyFolder(tmp_path, clock=time)
    kid = rotate(tmp_path, now=time.now)
    assert keys.find("nobody's") is None
    assert keys.find(kid) is None
    time.now += 0.3
    assert keys.find(kid) is not None


class _Stolen:
    """A ring that goes on with a key that its gateway has retired."""

    def __init__(self, signer: LocalSigner) -> None:
        self.signing = thumbprint(dict(signer.jwk)), signer
        self.published: tuple[PublicKey, ...] = ()

    def find(self, kid: str) -> PublicKey | None:
        return None
