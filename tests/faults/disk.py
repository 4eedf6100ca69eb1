"""Disks under a folder: one that has only what was synced once the power goes, one that fails.

They are `unsynced.c` and `failing.c`, compiled here and loaded before libc by the process under
test.
"""

from __future__ import annotations

import errno
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


def compiled(folder: Path, name: str = "unsynced") -> Path:
    """The library, made by this machine's C compiler."""
    library = folder / f"{name}.so"
    command = ["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    done = subprocess.run(
        [*command, "-o", str(library), str(HERE / f"{name}.c"), "-ldl", "-lpthread"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return library


@dataclass(frozen=True)
class Disk:
    """`folder` as a process sees it, and beside it what the disk has of it."""

    library: Path
    folder: Path
    seed: int

    @property
    def shadow(self) -> Path:
        """What the disk has."""
        return self.folder.with_name(f"{self.folder.name}-on-disk")

    @property
    def environ(self) -> Mapping[str, str]:
        """What the process is started with."""
        self.folder.mkdir(exist_ok=True)
        self.shadow.mkdir(exist_ok=True)
        return {
            "LD_PRELOAD": str(self.library),
            "FANLIGHT_DISK_ROOT": str(self.folder.resolve()),
            "FANLIGHT_DISK_SHADOW": str(self.shadow.resolve()),
            "FANLIGHT_DISK_SEED": str(self.seed),
        }

    def fail(self) -> None:
        """The power went: the folder is what the disk has."""
        shutil.rmtree(self.folder)
        shutil.copytree(self.shadow, self.folder)


@dataclass(frozen=True)
class Fault:
    """How a disk fails: with this error, at writes, at syncs, at one call in `every`."""

    error: int = errno.EIO
    writes: bool = True
    syncs: bool = True
    every: int = 1


@dataclass(frozen=True)
class FailingDisk:
    """`folder` on a disk that can be told to fail, and to be well again."""

    library: Path
    folder: Path

    @property
    def _control(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}-fault")

    @property
    def environ(self) -> Mapping[str, str]:
        """What the process is started with."""
        return {
            "LD_PRELOAD": str(self.library),
            "FANLIGHT_DISK_ROOT": str(self.folder.resolve()),
            "FANLIGHT_DISK_FAULT": str(self._control),
        }

    def fail(self, fault: Fault) -> None:
        """Fail in this way from now on. The file appears whole."""
        words = (fault.error, int(fault.writes), int(fault.syncs), fault.every)
        written = self._control.with_suffix(".new")
        written.write_text(" ".join(map(str, words)))
        written.replace(self._control)

    def mend(self) -> None:
        """Be well again."""
        self._control.unlink()
