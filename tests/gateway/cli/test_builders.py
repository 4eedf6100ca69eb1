"""What an installation builds with: an embedding, a trainer, or neither."""

import sys
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest

from gateway.cli.builders import (
    TRAINER,
    TRAINERS,
    UNTRAINED,
    Tools,
    build,
    code_of,
    installed_tools,
    load_trainer,
    meaning,
)
from gateway.context import PackedEmbedding, load_knowledge
from kb import Entry, load_index
from kb.bundled import bundled_embedding, load_bundled
from kb.embed import load_embedding
from tests.small_embedding import small_embedding

PLAIN = (Entry("a", "en", "Where are you?", "Here."), Entry("b", "en", "What is it?", "That."))
VARIED = (Entry("a", "en", "Where are you?", "Here.", ("your address", "how to find you")),)


def packed(seed: int = 1) -> PackedEmbedding:
    data = small_embedding(seed)
    return PackedEmbedding(load_embedding(data), data)


def point(value: str) -> EntryPoint:
    return EntryPoint(TRAINER, value, TRAINERS)


def test_the_installations_trainer_is_found_by_its_entry_point() -> None:
    points = entry_points(group=TRAINERS, name=TRAINER)
    assert load_trainer(points) is not None
    assert installed_tools().find_trainer() is installed_tools().find_trainer()


def test_a_trainer_whose_libraries_are_missing_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "needing.py").write_text("import a_library_that_nobody_has\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert load_trainer([point("needing:Trainer"), point("nowhere.at_all:Trainer")]) is None
    assert load_trainer([]) is None


def test_a_trainers_code_is_known_without_its_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "unimported.py"
    module.write_text("first = 1\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    before = code_of([point("unimported:Trainer")])
    assert before == code_of([point("unimported:Trainer")])
    module.write_text("second = 2\n", encoding="utf-8")
    assert code_of([point("unimported:Trainer")]) != before
    assert "unimported" not in sys.modules
    assert code_of([point("nowhere.at_all:Trainer"), point("nowhere:Trainer")]) == code_of([])


def test_the_embedding_is_the_packages_own() -> None:
    embedding = installed_tools().embedding
    assert meaning() is load_bundled()
    assert (embedding.packed if embedding else None) == bundled_embedding()


def test_an_index_says_which_embedding_it_was_built_with() -> None:
    embedding = packed()
    data = Tools(embedding, b"", lambda: None).build(PLAIN)
    assert load_index(data).embedding == embedding.table.release
    assert load_index(Tools(None, b"", lambda: None).build(PLAIN)).embedding is None


@pytest.mark.parametrize(
    ("built", "loaded", "fits"),
    [(1, 1, True), (1, 2, False), (None, 1, False), (1, None, False)],
)
def test_only_the_embedding_of_the_build_goes_with_an_index(
    built: int | None, loaded: int | None, fits: bool
) -> None:
    tools = Tools(packed(built) if built else None, b"", lambda: None)
    embedding = packed(loaded) if loaded else None
    knowledge = load_knowledge(tools.build(PLAIN), embedding)
    assert knowledge.embedding == (embedding if fits else None)
    assert knowledge.index.search("Where are you?")[0].entry.id == "a"


@pytest.mark.parametrize(("entries", "told"), [(PLAIN, ""), (VARIED, UNTRAINED)])
def test_who_would_gain_from_a_trainer_is_told(entries: tuple[Entry, ...], told: str) -> None:
    assert Tools(None, b"", lambda: None).notice(entries) == told
    assert Tools(None, b"", installed_tools().find_trainer).notice(entries) == ""


def test_a_build_with_all_that_is_installed_tells_on_stderr(
    capsys: pytest.CaptureFixture[str],
) -> None:
    index = load_index(build(PLAIN), meaning())
    table = meaning()
    assert index.embedding == (table.release if table else None)
    assert capsys.readouterr().out == ""
