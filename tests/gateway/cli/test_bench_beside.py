"""The other chat of `fanlight bench widget`: how it is had, and what is said when it is not."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import httpx
import pytest

from gateway.cli.bench import beside
from gateway.cli.bench.beside import NotHadError, fetch_bundle, serving_beside
from gateway.cli.bench.beside_visit import measure_beside


def program(folder: Path, name: str, script: str) -> None:
    """A program of this name that a test writes."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder in which programs are found, for now."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    program(folder, "node", "exit 0")
    return folder


async def never() -> object:
    raise AssertionError("no browser is opened for a chat that cannot be had")


async def test_without_npm_the_reason_stands_in_place_of_figures(
    programs: Path, tmp_path: Path
) -> None:
    measured = await measure_beside(never, tmp_path, 1)  # type: ignore[arg-type]
    assert measured == {"name": "deep-chat 2.4.2", "skipped": "npm is not installed"}


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 'npm error network is down' >&2; exit 1", "npm failed: npm error network is down"),
        ("exit 3", "npm failed: without a word"),
        ("exit 0", "npm brought no deep-chat@2.4.2"),
        ("exec /bin/sleep 30", "npm was not done after 0.2 s"),
    ],
)
async def test_an_npm_that_brings_nothing_is_told(
    script: str,
    reason: str,
    programs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if "sleep" in script:
        monkeypatch.setattr(beside, "FETCH_S", 0.2)
    program(programs, "npm", script)
    with pytest.raises(NotHadError, match=reason):
        await fetch_bundle(tmp_path)


def packed_with(path: Path, name: str) -> None:
    with tarfile.open(path, "w:gz") as archive:
        held = tarfile.TarInfo(name)
        held.size = 4
        archive.addfile(held, io.BytesIO(b"true"))


async def test_another_package_under_its_name_is_refused(programs: Path, tmp_path: Path) -> None:
    program(programs, "npm", "exit 0")
    packed_with(tmp_path / "deep-chat-2.4.2.tgz", beside.BUNDLE)
    with pytest.raises(NotHadError, match="is not the package known here"):
        await fetch_bundle(tmp_path)


async def test_its_pages_have_its_tag_and_not_ours() -> None:
    async with serving_beside(b"") as origin, httpx.AsyncClient(trust_env=False) as client:
        eager = (await client.get(origin)).text
        later = (await client.get(f"{origin}/later")).text
        style = await client.get(f"{origin}/style.css")
    for page in (eager, later):
        assert '<script src="__FANLIGHT' not in page
        assert page.count("<deep-chat") == 1
    assert '<script type="module" src="/deep-chat.js">' in eager
    assert '<button id="open"' in later
    assert style.headers["content-type"].startswith("text/css")
