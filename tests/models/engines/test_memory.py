"""How much memory there is, in the files of Linux: the machine's, or the control group's."""

import os
import sys
from pathlib import Path

import pytest

from models.engines.memory import Memory, read_memory, resident_bytes

MEMINFO = "MemTotal:       16000 kB\nMemFree:         1000 kB\nMemAvailable:    8000 kB\n"
KB = 1024


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in {"proc/meminfo": MEMINFO, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")
    return root


def group(folder: str, most: str, current: int, unused: int) -> dict[str, str]:
    return {
        f"sys/fs/cgroup/{folder}memory.max": f"{most}\n",
        f"sys/fs/cgroup/{folder}memory.current": f"{current}\n",
        f"sys/fs/cgroup/{folder}memory.stat": f"anon 5\ninactive_file {unused}\n",
    }


OLD = "sys/fs/cgroup/memory/box/memory."


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, Memory(16_000 * KB, 8_000 * KB)),
        # Pages of files that nobody used lately do not count as taken.
        (
            {"proc/self/cgroup": "0::/box\n", **group("box/", "4096000", 2_048_000, 1_000_000)},
            Memory(4_096_000, 3_048_000),
        ),
        ({"proc/self/cgroup": "0::/box\n", **group("box/", "max", 9, 9)}, None),
        # The group around it has less left.
        (
            {
                "proc/self/cgroup": "0::/outer/box\n",
                **group("outer/", "3000000", 2_900_000, 0),
                **group("outer/box/", "4096000", 1_000, 0),
            },
            Memory(3_000_000, 100_000),
        ),
        # Within a container the place is the host's, and its own group is at the root.
        (
            {"proc/self/cgroup": "0::/docker/abc\n", **group("", "2000000", 500_000, 0)},
            Memory(2_000_000, 1_500_000),
        ),
        (
            {
                "proc/self/cgroup": "7:cpu:/box\n4:memory:/box\n0::/\n",
                f"{OLD}limit_in_bytes": "5000000\n",
                f"{OLD}usage_in_bytes": "5100000\n",
                f"{OLD}stat": "total_inactive_file 0\n",
            },
            Memory(5_000_000, 0),
        ),
    ],
)
def test_what_is_free_is_the_least_that_anybody_allows(
    tmp_path: Path, files: dict[str, str], expected: Memory | None
) -> None:
    machine = Memory(16_000 * KB, 8_000 * KB)
    assert read_memory(tree(tmp_path, files)) == (expected or machine)


def test_where_nobody_tells_nothing_is_known(tmp_path: Path) -> None:
    assert read_memory(tmp_path) is None
    assert resident_bytes(1, tmp_path) is None


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_this_machine_and_this_process_are_read() -> None:
    found, own = read_memory(), resident_bytes(os.getpid())
    assert found is not None
    assert own is not None
    assert 0 < own < found.total
    assert 0 <= found.free <= found.total
