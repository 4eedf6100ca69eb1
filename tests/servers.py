"""Real servers for tests, on loopback, in temporary folders: Redis and PostgreSQL.

Each can be stopped, stalled, gone on with and started again on its own port. None outlives the
tests: `close` ends it.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

STARTED_S: Final = 30.0
STOPPED_S: Final = 15.0
PASSWORD: Final = "a password: with @/ and %"


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A process that listens on `port` once it is started."""

    def __init__(self, port: int | None = None) -> None:
        self.port = port or free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="fanlight-server-"))
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        """What starts it, in the foreground."""
        raise NotImplementedError

    @property
    def user(self) -> str | None:
        """Who runs it, where it is not whoever runs the tests."""
        return None

    def start(self) -> None:
        """Start it, and wait until it listens."""
        log = (self.folder / "log").open("ab")
        self._process = subprocess.Popen(
            self.command(),
            stdout=log,
            stderr=log,
            cwd=self.folder,
            start_new_session=True,
            user=self.user,
        )
        log.close()
        ends = time.monotonic() + STARTED_S
        while not self.answers():
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < ends, (self.folder / "log").read_text()
            time.sleep(0.02)

    def answers(self) -> bool:
        """Whether somebody listens."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it, and wait for that."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            self.signal_group(process, signal.SIGCONT)
            self.end(process, number)
            process.wait(STOPPED_S)

    def end(self, process: subprocess.Popen[bytes], number: int) -> None:
        """Ask it to end."""
        self.signal_group(process, number)

    def stall(self) -> None:
        """Let it answer nothing, with all its connections open."""
        assert self._process is not None
        self.signal_group(self._process, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it answer again."""
        assert self._process is not None
        self.signal_group(self._process, signal.SIGCONT)

    def signal_group(self, process: subprocess.Popen[bytes], number: int) -> None:
        """Send a signal to it and its children."""
        os.killpg(process.pid, number)

    def close(self) -> None:
        """End it for good."""
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)


class RedisServer(Server):
    """Redis without persistence: whatever it held is gone when it stops."""

    def __init__(self, program: Path, *options: str, port: int | None = None) -> None:
        super().__init__(port)
        self._program = program
        self._options = options

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        """What starts it, in the foreground."""
        fixed = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        return [str(self._program), *fixed, "--save", "", "--appendonly", "no", *self._options]


class PostgresServer(Server):
    """PostgreSQL as a person would run it, synced to disk; user and database `fanlight`."""

    def __init__(self, programs: Path, port: int | None = None) -> None:
        super().__init__(port)
        self._programs = programs
        self._cluster = self.folder / "cluster"
        self._databases = 0
        self._initialise()

    @property
    def user(self) -> str | None:
        """It refuses to run as root."""
        return "postgres" if os.geteuid() == 0 else None

    def url(self, database: str = "fanlight") -> str:
        """A database's address, with the password in it."""
        password = quote(PASSWORD, safe="")
        return f"postgresql://fanlight:{password}@127.0.0.1:{self.port}/{database}"

    def create_database(self) -> str:
        """A new, empty database; its address."""
        self._databases += 1
        name = f"test_{self._databases}"
        self.run_sql(f"CREATE DATABASE {name}")
        return self.url(name)

    def run_sql(self, statement: str, database: str = "fanlight") -> str:
        """Run one statement as the owner; what psql prints of it."""
        done = subprocess.run(
            [self._programs / "psql", "-qAt", "-c", statement, self.url(database)],
            capture_output=True,
            text=True,
            timeout=STARTED_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def command(self) -> list[str]:
        """What starts it, in the foreground."""
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self.folder,
            "max_connections": 60,
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        return [str(self._programs / "postgres"), "-D", str(self._cluster), *options]

    def answers(self) -> bool:
        """Whether it takes connections; a port is open sooner."""
        ready = [str(self._programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(ready, timeout=STARTED_S, check=False).returncode == 0

    def end(self, process: subprocess.Popen[bytes], number: int) -> None:
        """Ask it to end: at once, its connections cut."""
        os.kill(process.pid, signal.SIGQUIT if number == signal.SIGKILL else signal.SIGINT)

    def signal_group(self, process: subprocess.Popen[bytes], number: int) -> None:
        """Send a signal to it and its children, each of which leads a group of its own."""
        for pid in [process.pid, *_children(process.pid)]:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _initialise(self) -> None:
        if self.user:
            owner = pwd.getpwnam("postgres")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        word = self.folder / "password"
        word.write_text(PASSWORD)
        word.chmod(0o644)
        how = ["-U", "fanlight", "-A", "scram-sha-256", "-E", "UTF8", "--locale", "C.UTF-8"]
        where = ["-D", str(self._cluster), "--pwfile", str(word)]
        subprocess.run(
            [str(self._programs / "initdb"), *how, *where],
            check=True,
            capture_output=True,
            timeout=STARTED_S,
            cwd=self.folder,
            user=self.user,
        )
        self.start()
        self.run_sql("CREATE DATABASE fanlight", "postgres")


def _children(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[1]) == parent:
                found.append(int(stat.parent.name))
    return found
