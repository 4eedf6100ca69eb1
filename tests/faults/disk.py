"""A disk under a folder that has only what was synced, once the power goes.

It is `unsynced.c`, compiled here and loaded before libc by the process under test.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).with_name("unsynced.c")


def compiled(folder: Path) -> Path:
    """The library, made by this machine's C compiler."""
    library = folder / "unsynced.so"
    command = ["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    done = subprocess.run(
        [*command, "-o", str(library), str(SOURCE), "-ldl", "-lpthread"],
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
