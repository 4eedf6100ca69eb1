"""A site's knowledge base on disk: what is read, what is built, and what is kept."""

import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.cli.knowledge import KnowledgeError, prepare, read_site, read_sources
from gateway.settings import SiteSettings
from kb import Entry, build_index

MARKDOWN = "locale: en\n\n## When are you open? {#hours}\n\nFrom nine to five.\n"
CSV = "id,locale,question,answer\nwhere,en,Where are you?,In the harbour.\n"
JSONL = '{"id": "cost", "locale": "en", "question": "What is it?", "answer": "Nothing."}\n'


@contextmanager
def bar(_title: str) -> Iterator[Callable[[str, float], None]]:
    yield lambda _step, _share: None


def site(*paths: Path) -> SiteSettings:
    return SiteSettings("site_a", "A", ("https://a.example",), paths)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    sources = tmp_path / "kb"
    (sources / "more").mkdir(parents=True)
    (sources / "a.md").write_text(MARKDOWN, encoding="utf-8")
    (sources / "b.csv").write_text(CSV, encoding="utf-8")
    (sources / "notes.txt").write_text("not a source", encoding="utf-8")
    (sources / "more" / "c.jsonl.gz").write_bytes(gzip.compress(JSONL.encode()))
    return sources


def test_a_folder_gives_all_its_sources(folder: Path) -> None:
    reading = read_site(site(folder), read_sources(site(folder)))
    assert [entry.id for entry in reading.entries] == ["hours", "where", "cost"]
    assert reading.problems == ()


def test_an_index_is_built_once_until_something_changes(folder: Path, tmp_path: Path) -> None:
    first = prepare(site(folder), tmp_path, bar)
    second = prepare(site(folder), tmp_path, bar)
    assert (first.built, second.built) == (True, False)
    assert first.knowledge.packed == second.knowledge.packed
    (folder / "b.csv").write_text(CSV.replace("harbour", "old town"), encoding="utf-8")
    third = prepare(site(folder), tmp_path, bar)
    assert third.built
    assert len(third.knowledge.index) == 3
    assert len(list((tmp_path / "kb").glob("site_a-*.idx"))) == 1, "the stale index is gone"


def test_a_damaged_index_is_built_again(folder: Path, tmp_path: Path) -> None:
    prepare(site(folder), tmp_path, bar)
    (kept,) = (tmp_path / "kb").glob("*.idx")
    kept.write_bytes(kept.read_bytes()[:100])
    assert prepare(site(folder), tmp_path, bar).built


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("missing.md", None, "check the file"),
        ("latin.md", MARKDOWN.replace("nine", "nué").encode("latin-1"), "not UTF-8"),
        ("cut.md.gz", gzip.compress(MARKDOWN.encode())[:20], "compress it again"),
        ("not.md.gz", b"plain", "check the file"),
        ("sheet.xlsx", b"PK", "the name must end in one of .md"),
        ("row.csv", b"id,locale,question,answer\nx,en,,\n", ""),
    ],
)
def test_a_bad_source_is_a_problem_and_the_rest_still_builds(
    folder: Path, tmp_path: Path, name: str, content: bytes | None, reason: str
) -> None:
    bad = tmp_path / name
    if content is not None:
        bad.write_bytes(content)
    prepared = prepare(site(folder / "a.md", bad), tmp_path, bar)
    assert len(prepared.knowledge.index) == 1
    (problem,) = prepared.problems
    assert problem.source.endswith(name)
    assert reason in problem.reason


def test_the_line_of_a_wrong_byte_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_bytes(b"locale: en\n\n## A\n\xff\n")
    (problem,) = read_site(site(path), read_sources(site(path))).problems
    assert problem.line == 4


def test_a_given_index_is_served_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "shop.idx"
    path.write_bytes(build_index([Entry("a", "en", "Where?", "Here.")]))
    prepared = prepare(site(path), tmp_path / "data", bar)
    assert prepared.knowledge.packed == path.read_bytes()
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("content", [b"not an index", None], ids=["damaged", "missing"])
def test_a_given_index_that_cannot_be_read_is_refused(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "shop.idx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(KnowledgeError, match=r"shop\.idx"):
        prepare(site(path), tmp_path, bar)


def test_a_folder_that_cannot_be_written_is_refused_with_the_remedy(
    folder: Path, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    with pytest.raises(KnowledgeError, match="FANLIGHT_DATA_DIR"):
        prepare(site(folder), blocked, bar)
