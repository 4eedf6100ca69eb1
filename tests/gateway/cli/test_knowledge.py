"""A site's knowledge base on disk: what is read, what is built, and what is kept."""

import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.cli.builders import UNTRAINED, Tools, installed_tools
from gateway.cli.knowledge import KnowledgeError, prepare, read_site, read_sources
from gateway.context import PackedEmbedding
from gateway.settings import SiteSettings
from kb import Entry, build_index
from kb.embed import load_embedding
from tests.small_embedding import small_embedding

MARKDOWN = "locale: en\n\n## When are you open? {#hours}\n\nFrom nine to five.\n"
CSV = "id,locale,question,answer\nwhere,en,Where are you?,In the harbour.\n"
JSONL = '{"id": "cost", "locale": "en", "question": "What is it?", "answer": "Nothing."}\n'


@contextmanager
def bar(_title: str) -> Iterator[Callable[[str, float], None]]:
    yield lambda _step, _share: None


def tools(seed: int | None = None, *, trained: bool = False) -> Tools:
    """Without the installation's own embedding, and with its trainer only where that is said."""
    packed = small_embedding(seed) if seed else b""
    embedding = PackedEmbedding(load_embedding(packed), packed) if packed else None
    own = installed_tools()
    return Tools(embedding, own.trainer_code, own.find_trainer if trained else lambda: None)


def site(*paths: Path) -> SiteSettings:
    return SiteSettings("site_a", "A", ("https://a.example",), paths)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    sources = tmp_path / "kb"
    (sources / "more").mkdir(parents=True)
    (sources / "a.md").write_text(MARKDOWN, encoding="utf-8")
    (sources / "b.csv").write_text(CSV, encoding="utf-8")
    (sources / "notes.txt").write_text("not a source", encoding="utf-8")
    (sources / "more" / "c.jsonl.gz").write_bytes(gzip.compress(JSONL.encode(), mtime=0))
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


def test_another_embedding_builds_another_index(folder: Path, tmp_path: Path) -> None:
    for seed in (None, 1, 2, None):
        chosen = tools(seed)
        first = prepare(site(folder), tmp_path, bar, chosen)
        again = prepare(site(folder), tmp_path, bar, chosen)
        assert (first.built, again.built) == (True, False)
        assert first.knowledge.embedding is again.knowledge.embedding is chosen.embedding
        table = chosen.table
        assert first.knowledge.index.embedding == (table.release if table else None)


def test_a_trainer_that_comes_builds_anew_and_one_that_goes_leaves_its_index(
    folder: Path, tmp_path: Path
) -> None:
    looked: list[None] = []

    def without() -> None:
        looked.append(None)

    built = [
        prepare(site(folder), tmp_path, bar, tools(trained=trained)).built
        for trained in (False, False, True, True, False)
    ]
    assert built == [True, False, True, False, False]
    own = installed_tools()
    assert not prepare(site(folder), tmp_path, bar, Tools(None, own.trainer_code, without)).built
    assert looked == [], "a kept index needs no trainer, and none is imported"


def test_an_owner_of_several_phrasings_is_told_of_the_trainer_when_built(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("locale: en\n\n## Where? {#a}\n\n- your address\n\nHere.\n", encoding="utf-8")
    varied = tmp_path / "b.jsonl"
    varied.write_text(JSONL.replace('"answer"', '"variants": ["price"], "answer"'), "utf-8")
    told = [prepare(site(varied), tmp_path, bar, tools()).notice for _ in range(2)]
    assert told == [UNTRAINED, ""]
    trained = prepare(site(varied), tmp_path, bar, tools(trained=True))
    assert (trained.built, trained.notice) == (True, "")


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
        ("cut.md.gz", gzip.compress(MARKDOWN.encode(), mtime=0)[:20], "compress it again"),
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


@pytest.mark.parametrize(("seed", "fits"), [(1, True), (2, False), (None, False)])
def test_a_given_index_is_served_with_the_embedding_that_it_was_built_with(
    tmp_path: Path, seed: int | None, fits: bool
) -> None:
    path = tmp_path / "shop.idx"
    path.write_bytes(tools(1).build([Entry("a", "en", "Where?", "Here.")]))
    chosen = tools(seed)
    knowledge = prepare(site(path), tmp_path / "data", bar, chosen).knowledge
    assert knowledge.embedding is (chosen.embedding if fits else None)


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
