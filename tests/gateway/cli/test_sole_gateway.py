"""Two gateways at one SQLite file: the second is refused and told why; one that was killed is no
obstacle. Real processes throughout."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result

from core.errors import Unavailable
from gateway.adapters.sql import sole_file
from gateway.cli.main import COMMANDS, build_cli
from tests.gateway.cli.test_run import STARTED_S, TOKEN, command, ended
from tests.gateway.cli.test_workers import Running
from tests.servers import RedisServer

SITE = """
[gateway]
port = {port}
public_url = "http://localhost:{port}"
console_url = "http://console.localhost:{port}"
{more}
[[sites]]
key = "site_shop"
name = "Shop"
origins = ["http://localhost:8001"]
kb = ["faq.md"]
"""
FAQ = "locale: en\n\n## When do you open? {#open}\n\nAt ten.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "faq.md").write_text(FAQ, encoding="utf-8")
    return tmp_path


def write(folder: Path, name: str, more: str = "") -> Path:
    """A configuration of its own port over the folder's database."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    path = folder / name
    path.write_text(SITE.format(port=port, more=more), encoding="utf-8")
    return path


@pytest.fixture
def first(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A gateway that runs."""
    process = started(folder, "first.toml")
    yield process
    stopped(process)


def started(folder: Path, name: str) -> subprocess.Popen[str]:
    config = str(write(folder, name))
    process = command("--json", "--config", config, data=folder, FANLIGHT_OPERATOR_TOKEN=TOKEN)
    assert process.stdout is not None
    line = process.stdout.readline()
    if '"running": true' not in line:
        raise AssertionError((line, process.communicate(timeout=STARTED_S)))
    return process


def refused(config: Path) -> str:
    """What one that may not run says, which is its end."""
    given = ("--json", "--config", str(config))
    code, out, errors = ended(*given, data=config.parent, FANLIGHT_OPERATOR_TOKEN=TOKEN)
    assert (code, '"running": false' in out) == (1, True), (out, errors)
    return errors


def stopped(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.kill()
    process.communicate(timeout=STARTED_S)


def test_the_second_is_refused_and_told_which_file_who_has_it_and_what_to_do(
    first: subprocess.Popen[str], folder: Path
) -> None:
    errors = refused(write(folder, "second.toml"))
    for told in (
        str(folder / "fanlight.db"),
        f"process {first.pid} on {socket.gethostname()}",
        "Stop that one first",
        "PostgreSQL",
    ):
        assert told in errors
    assert first.poll() is None


def test_another_name_of_the_same_file_is_the_same_file(
    first: subprocess.Popen[str], folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    shutil.copy(folder / "faq.md", elsewhere)
    (elsewhere / "link.db").symlink_to(folder / "fanlight.db")
    url = f'database_url = "sqlite:///{elsewhere}/link.db"'
    assert f"process {first.pid}" in refused(write(elsewhere, "second.toml", url))


def test_one_that_was_killed_is_no_obstacle_and_neither_is_one_that_ended(
    first: subprocess.Popen[str], folder: Path
) -> None:
    first.send_signal(signal.SIGKILL)
    first.wait(timeout=STARTED_S)
    for name in ("second.toml", "third.toml"):
        after = started(folder, name)
        after.send_signal(signal.SIGTERM)
        _, errors = after.communicate(timeout=STARTED_S)
        assert after.returncode == 0, errors


def test_what_looks_at_the_file_or_copies_it_is_let_and_a_restore_is_not(
    first: subprocess.Popen[str], folder: Path
) -> None:
    def fanlight(*arguments: str) -> Result:
        config = ("--config", str(folder / "first.toml"))
        runner = CliRunner(env={"FANLIGHT_DATA_DIR": str(folder), "FANLIGHT_OPERATOR_TOKEN": TOKEN})
        return runner.invoke(build_cli(entry_points(group=COMMANDS)), [*arguments, *config])

    archive = str(folder / "all.backup")
    for arguments in (
        ("check",),
        ("targets", "failed"),
        ("sessions", "revoke", "--sid", "s_1"),
        ("keys", "list"),
        ("backup", archive),
    ):
        done = fanlight(*arguments)
        assert done.exit_code == 0, (arguments, done.output)
    with sqlite3.connect(folder / "fanlight.db") as rows:
        assert rows.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    done = fanlight("restore", archive, "--force")
    assert (done.exit_code, f"process {first.pid}" in done.output) == (1, True)


@pytest.mark.needs("redis-server")
def test_the_workers_of_one_run_share_it_and_hold_it_until_the_last_has_ended(
    folder: Path, redis_server_path: Path
) -> None:
    redis = RedisServer(redis_server_path)
    redis.start()
    running = Running(folder, redis)
    try:
        assert f"process {running.process.pid}" in refused(write(folder, "second.toml"))
        children = running.children
        assert len(children) == 3
        running.process.kill()
        ends = time.monotonic() + STARTED_S
        while any(Path(f"/proc/{pid}").exists() for pid in children):
            assert time.monotonic() < ends
            time.sleep(0.1)
        stopped(started(folder, "third.toml"))
    finally:
        stopped(running.process)
        redis.close()


def test_it_ends_with_the_process_and_not_with_its_children(tmp_path: Path) -> None:
    """What is started, such as a build of an index, does not hold it; what is forked off does."""
    url = f"sqlite:///{tmp_path}/x/fanlight.db"
    with sole_file.sole(url):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        with pytest.raises(Unavailable, match=f"process {os.getpid()} on"):
            sole_file.refuse_held(url)
    sole_file.refuse_held(url)
    child.kill()
    child.wait()


@pytest.mark.parametrize("said", [b"", b"{", b"[]", b'{"pid": "x"}', b'{"pid": 1}'])
def test_a_holder_that_has_not_said_who_it_is_is_no_error(tmp_path: Path, said: bytes) -> None:
    url = f"sqlite:///{tmp_path}/fanlight.db"
    with sole_file.sole(url):
        sole_file.lock_of(tmp_path / "fanlight.db").write_bytes(said)
        with pytest.raises(Unavailable, match="it has not said which"):
            sole_file.refuse_held(url)


def test_a_folder_in_which_no_lock_can_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(Unavailable, match=r"fanlight\.db\.lock cannot be made"),
        sole_file.sole(f"sqlite:///{tmp_path}/file/fanlight.db"),
    ):
        pass


def test_a_file_system_without_locks_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(fd: int, how: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(sole_file, "fcntl", SimpleNamespace(flock=flock, LOCK_EX=2, LOCK_NB=4))
    with (
        pytest.raises(Unavailable, match="on a local disk"),
        sole_file.sole(f"sqlite:///{tmp_path}/fanlight.db"),
    ):
        pass
