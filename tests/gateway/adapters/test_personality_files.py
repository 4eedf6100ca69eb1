"""Personalities as files: found, reloaded, and the last good one while a file is broken."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.adapters.personality_files import (
    LOOK_S,
    MOST_BYTES,
    OWN,
    PersonalityFiles,
    load,
    parse,
)
from gateway.pipeline.personality.form import BadPersonality

ANA = "identity: {name: Ana}\ncommunication: {tone: warm}\n"


class Desk:
    """An owner's folder, and a clock that is set by hand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = 0.0
        self.files = PersonalityFiles(folder, lambda: self.now)

    def write(self, name: str, text: str) -> None:
        file = self.folder / f"{name}.yaml"
        file.write_text(text, encoding="utf-8")
        self.now += LOOK_S
        os.utime(file, (self.now, self.now))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.mark.parametrize("name", ["default", "professional", "teacher"])
def test_fanlights_own_have_no_flaw_and_no_warning(name: str) -> None:
    assert load(OWN / f"{name}.yaml").warnings == ()


def test_a_changed_file_is_told_within_a_second(desk: Desk) -> None:
    desk.write("ana", ANA)
    assert "Ana" in (desk.files.told("ana", "en") or "")
    assert "cálido" in (desk.files.told("ana", "es") or "")
    desk.write("ana", ANA.replace("Ana", "Eva"))
    assert "Eva" in (desk.files.told("ana", "en") or "")
    assert "Eva" in (desk.files.told("ana", "es") or "")


def test_the_last_good_one_stands_while_a_file_is_broken(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.write("ana", ANA)
    before = desk.files.told("ana", "en")
    desk.write("ana", "identity: [")
    assert desk.files.told("ana", "en") == before
    desk.now += LOOK_S
    assert desk.files.told("ana", "en") == before
    assert len([r for r in caplog.records if "left as it was" in r.getMessage()]) == 1


def test_an_owners_own_comes_before_fanlights(desk: Desk) -> None:
    assert "Assistant" in (desk.files.told("default", "en") or "")
    desk.write("default", ANA)
    assert "Ana" in (desk.files.told("default", "en") or "")
    assert desk.files.names() == ["default", "professional", "teacher"]


@pytest.mark.parametrize("name", ["nobody", "../secrets", "a/b", "", "ana.yaml", "x" * 61])
def test_a_name_that_nobody_has_is_no_personality(desk: Desk, name: str) -> None:
    (desk.folder.parent / "secrets.yaml").write_text(ANA, encoding="utf-8")
    assert desk.files.path(name) is None
    assert desk.files.told(name, "en") is None


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("identity: {name: Ana", "line 1, column 21"),
        ("identity:\n\tname: Ana", "line 2, column 1"),
        ("!!python/object/apply:os.system ['true']", "could not determine a constructor"),
        ("identity: {name: 2024-01-01}\ncommunication: {}", "identity.name: this is no text"),
        ("\x00", "this is not YAML"),
        ("a: " + "b" * MOST_BYTES, f"longer than {MOST_BYTES} bytes"),
        ("[" * 5_000, "this is not YAML"),
    ],
)
def test_what_is_no_yaml_is_refused_with_its_place(text: str, flaw: str) -> None:
    with pytest.raises(BadPersonality) as refused:
        parse(text)
    assert flaw in str(refused.value)
