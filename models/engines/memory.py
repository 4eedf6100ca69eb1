"""How much memory there is, and how much a process takes, as Linux tells it.

Decides what counts as free: what the machine has available, or what is left to this process's
control group (a container's limit) where that is less. Pages of files that were not used lately
are free; those of models at work are not. Elsewhere than on Linux nothing is known.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ROOT: Final = Path("/")
_CGROUPS: Final = Path("sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes that there are, and that are free."""

    total: int
    free: int


def read_memory(root: Path = _ROOT) -> Memory | None:
    """What this process may use of the machine; None where nobody tells."""
    try:
        found = _numbers(root / "proc/meminfo")
        whole = Memory(found["MemTotal"] * 1024, found["MemAvailable"] * 1024)
    except (OSError, KeyError):
        return None
    limits = list(_limits(root))
    total = min([whole.total, *(each.total for each in limits)])
    return Memory(total, max(0, min([whole.free, *(each.free for each in limits)])))


def resident_bytes(process_id: int, root: Path = _ROOT) -> int | None:
    """What a process has in memory; None where nobody tells, or where it has ended."""
    try:
        pages = (root / f"proc/{process_id}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return None
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _limits(root: Path) -> Iterator[Memory]:
    """The limits of the control group that this process is in, and of those around it."""
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, kinds, place = line.split(":", 2)
        if not kinds:  # the second version: one tree for all
            names = ("memory.max", "memory.current", "inactive_file")
            yield from _of_tree(root / _CGROUPS, place, names)
        elif "memory" in kinds.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            yield from _of_tree(root / _CGROUPS / "memory", place, names)


def _of_tree(tree: Path, place: str, names: tuple[str, str, str]) -> Iterator[Memory]:
    most, current, unused = names
    group = tree / place.lstrip("/")
    # Within a container the place may be one of the host's: there the tree's root is its own.
    for folder in (group, *group.parents):
        if not folder.is_relative_to(tree):
            return
        try:
            limit = int((folder / most).read_text(encoding="ascii"))
            taken = int((folder / current).read_text(encoding="ascii"))
            taken -= _numbers(folder / "memory.stat").get(unused, 0)
        except (OSError, ValueError):  # it has none ("max"), or is not there
            continue
        yield Memory(limit, limit - taken)


def _numbers(path: Path) -> dict[str, int]:
    rows = (line.split() for line in path.read_text(encoding="ascii").splitlines())
    return {row[0].rstrip(":"): int(row[1]) for row in rows if len(row) > 1 and row[1].isdigit()}
