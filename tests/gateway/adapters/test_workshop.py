"""The workshop's processes: what they give, how they end, and what they are not told."""

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from core.workshop import Calibration, Known, Recipe, Source, WorkFailed
from gateway.adapters.workshop import Deadlines, ProcessWorkshop
from gateway.services import WORKER, worker_environment
from gateway.settings import Settings
from kb import Entry, load_index
from kb.calibrate import UNCORRECTED
from tests.gateway.routes.test_knowledge import worker_in
from tests.gateway.routes.workshop import SITE, on_disk
from tests.gateway.world import ENTRIES, PACKED

NEW = Entry("new", "en", "Is it new?", "Yes.")
PRINTS = (
    "import os, sys; order = sys.stdin.readline(); "
    'print(\'{"step": "reading", "share": 0.5}\', flush=True); '
)


@pytest.fixture
def chosen(tmp_path: Path) -> Settings:
    return on_disk(tmp_path)


def workshop(
    chosen: Settings, *command: str, deadlines: Deadlines | None = None
) -> ProcessWorkshop:
    environ = worker_environment({**os.environ, "FANLIGHT_OPERATOR_TOKEN": "secret"})
    return ProcessWorkshop(chosen, command or WORKER, environ, deadlines)


def nothing(_step: str, _share: float) -> None:
    """Nobody listens."""


async def test_what_the_files_say_is_read_anew_each_time(chosen: Settings, tmp_path: Path) -> None:
    made = workshop(chosen)
    assert [entry.id for entry in await made.read(SITE)] == ["returns", "hours"]
    (tmp_path / "faq.md").write_text("locale: en\n\n## Why? {#why}\n\nSo.\n", encoding="utf-8")
    assert [entry.id for entry in await made.read(SITE)] == ["why"]


async def test_an_index_is_built_once_from_the_same(chosen: Settings) -> None:
    made, steps = workshop(chosen), []
    recipe = Recipe({("new", "en"): NEW, ("hours", "en"): None}, 0.25)
    built = await made.build(SITE, recipe, lambda step, _share: steps.append(step))
    assert steps[0] == "reading"
    index = load_index(built.packed)
    assert index.release == built.release
    assert {entry.id for entry in index.entries} == {"returns", "new"}
    assert [entry.id for entry in built.files] == ["returns", "hours"]
    [kept] = (chosen.data_dir / "kb").glob("*.idx")
    assert kept.read_bytes() == built.packed
    again: list[str] = []
    assert await made.build(SITE, recipe, lambda step, _share: again.append(step)) == built
    assert again == []


async def test_the_index_that_is_served_stays_until_the_next_one(chosen: Settings) -> None:
    folder = chosen.data_dir / "kb"
    folder.mkdir(parents=True)
    for number, name in enumerate(("site_demo-old", "site_demo-served", "site_other-old")):
        (folder / f"{name}.idx").write_bytes(b"")
        os.utime(folder / f"{name}.idx", (number, number))
    await workshop(chosen).build(SITE, Recipe({}, 0.3), nothing)
    left = {path.name for path in folder.glob("*.idx")}
    assert len(left) == 3
    assert {"site_demo-served.idx", "site_other-old.idx"} < left


async def test_a_ready_made_index_can_be_edited_too(chosen: Settings, tmp_path: Path) -> None:
    given = tmp_path / "given.idx"
    given.write_bytes(PACKED)
    site = chosen.sites[0].__class__(SITE, "Shop", (), kb=(given,))
    made = workshop(replace(chosen, sites=(site,)))
    assert await made.read(SITE) == ENTRIES
    assert (await made.build(SITE, Recipe({}, 0.25), nothing)).packed == PACKED
    built = await made.build(SITE, Recipe({("new", "en"): NEW}, 0.25), nothing)
    assert len(load_index(built.packed)) == len(ENTRIES) + 1
    given.write_bytes(b"damaged")
    with pytest.raises(WorkFailed, match=r"given\.idx:1: not an index"):
        await made.build(SITE, Recipe({}, 0.25), nothing)


async def test_a_file_that_cannot_be_read_is_not_published_away(
    chosen: Settings, tmp_path: Path
) -> None:
    (tmp_path / "faq.md").unlink()
    with pytest.raises(WorkFailed, match=r"faq\.md: No such file or directory: check the file"):
        await workshop(chosen).build(SITE, Recipe({("new", "en"): NEW}, 0.25), nothing)


async def test_a_worker_that_takes_too_long_is_ended(chosen: Settings, tmp_path: Path) -> None:
    code = f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))"
    command = (sys.executable, "-c", f"{code}; time.sleep(60)")
    made = workshop(chosen, *command, deadlines=Deadlines(read_s=2.0))
    with pytest.raises(WorkFailed, match="longer than 2 s"):
        await made.read(SITE)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (PRINTS + "sys.exit(3)", "failed; the gateway's log says why"),
        (PRINTS + "os.kill(os.getpid(), 9)", "ended by signal 9"),
        (PRINTS + "print('{\"document\": 100, \"packed\": 0}'); print('{')", "failed"),
        (PRINTS + "print('no JSON', flush=True); sys.stdin.read()", "failed"),
        (PRINTS + 'print(\'{"error": "Mend it."}\')', "^Mend it.$"),
    ],
)
async def test_a_worker_that_gives_no_result_is_told_in_words(
    chosen: Settings, code: str, told: str
) -> None:
    with pytest.raises(WorkFailed, match=told):
        await workshop(chosen, sys.executable, "-c", code).read(SITE)


async def test_imports_that_wait_for_other_servers_hold_nobody_up(chosen: Settings) -> None:
    code = (
        "import sys, time; order = sys.stdin.readline()\n"
        "if 'gather' in order:\n"
        "    time.sleep(60)\n"
        'print(\'{"error": "It was read."}\')'
    )
    made = workshop(chosen, sys.executable, "-c", code)
    waiting = [
        asyncio.create_task(made.gather(SITE, Source("https://x.example"), [])) for _ in range(3)
    ]
    await asyncio.sleep(0)
    with pytest.raises(WorkFailed, match="It was read"):
        await made.read(SITE)
    assert not any(task.done() for task in waiting)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_the_wait_for_ones_turn_is_a_part_of_the_time(chosen: Settings) -> None:
    code = "import sys, time; sys.stdin.readline(); time.sleep(60)"
    made = workshop(chosen, sys.executable, "-c", code, deadlines=Deadlines(read_s=1.0))
    like = Calibration({}, None, UNCORRECTED, has_head=False, has_meaning=False)
    waiting = [asyncio.create_task(made.preview(SITE, [], like)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(WorkFailed, match="longer than 1 s"):
        await made.read(SITE)
    assert not any(task.done() for task in waiting), "they may take longer"
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_work_that_is_not_wanted_any_more_ends_amid_a_large_result(
    chosen: Settings, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    code = (
        "import os, sys; sys.stdin.readline(); size = 1 << 20\n"
        'print(\'{"document": 1000000000, "packed": 0}\', flush=True)\n'
        "os.write(1, bytes(size))\n"
        f"open({str(pid)!r}, 'w').write(str(os.getpid()))\n"
        "while True: os.write(1, bytes(size))"
    )
    work = asyncio.create_task(workshop(chosen, sys.executable, "-c", code).read(SITE))
    worker = await asyncio.to_thread(worker_in, pid)
    work.cancel()
    done, _ = await asyncio.wait({work}, timeout=20)
    assert done == {work}
    assert work.cancelled()
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


async def test_a_worker_knows_none_of_the_gateways_secrets(chosen: Settings) -> None:
    code = PRINTS + "print('{\"error\": \"%s\"}' % [n for n in os.environ if 'FANLIGHT' in n])"
    with pytest.raises(WorkFailed, match=r"^\[\]$"):
        await workshop(chosen, sys.executable, "-c", code).read(SITE)


async def test_an_unknown_site_is_refused(chosen: Settings) -> None:
    with pytest.raises(WorkFailed):
        await workshop(chosen).read("site_none")


async def test_only_addresses_are_fetched(chosen: Settings, tmp_path: Path) -> None:
    with pytest.raises(WorkFailed, match="begins with http"):
        await workshop(chosen).gather(SITE, Source(str(tmp_path / "faq.md")), [])


async def test_one_answer_in_two_places_is_told(chosen: Settings) -> None:
    content = "## Why?\n\nSo.\n\n## Why?\n\nOtherwise.\n"
    brought = await workshop(chosen).gather(SITE, Source("a.md", content), [Known(NEW)])
    assert [one.entry.question for one in brought.added] == ["Why?"]
    assert "2 places whose answers differ" in brought.problems[0]


def test_a_worker_that_is_done_ends_in_peace(chosen: Settings) -> None:
    site = {"key": SITE, "name": "x", "kb": [str(chosen.sites[0].kb[0])], "default_locale": "en"}
    order = {"job": "read", "site": site, "data_dir": str(chosen.data_dir)}
    worker = subprocess.Popen(
        WORKER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        assert worker.stderr is not None
        worker.stdin.write(json.dumps(order).encode() + b"\n")
        worker.stdin.flush()
        said = worker.stdout.read()  # until it ends, while the gateway is still there
        assert (worker.wait(30), worker.stderr.read()) == (0, b"")
    assert b'"returns"' in said


def test_a_worker_whose_gateway_is_gone_ends(chosen: Settings, tmp_path: Path) -> None:
    fifo = tmp_path / "faq.md"
    fifo.unlink()
    os.mkfifo(fifo)
    site = {"key": SITE, "name": "x", "kb": [str(fifo)], "default_locale": "en"}
    order = {"job": "read", "site": site, "data_dir": str(tmp_path)}
    worker = subprocess.Popen(WORKER, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert worker.stdin is not None
    worker.stdin.write(json.dumps(order).encode() + b"\n")
    worker.stdin.flush()
    with fifo.open("wb"):  # it reads by now, and waits for more
        worker.stdin.close()
        assert worker.wait(30) == 1
    assert worker.stdout is not None
    assert worker.stdout.read() == b""
    worker.stdout.close()
