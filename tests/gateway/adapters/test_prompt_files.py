"""Prompt templates as files: found by task and language, reloaded, sandboxed, never in the way."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.adapters.packaged import packaged_tasks
from gateway.adapters.prompt_files import LOOK_S, PromptFiles
from gateway.pipeline.prompt import Instructions

VALUES = {"name": "Shop", "language": "Spanish", "locale": "es", "task_type": "chat"}


@dataclass
class Time:
    """A clock that is set by hand."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Folder:
    """An owner's folder of templates."""

    path: Path
    clock: Time
    files: PromptFiles
    written: int = 0

    def write(self, **texts: str) -> None:
        """Write these, by the names before `.md.j2`, and let the time for a look come."""
        for name, text in texts.items():
            file = self.path / f"{name.replace('_', '.')}.md.j2"
            if name == "catalogue":
                file = self.path / "catalogue.toml"
            file.write_text(text, encoding="utf-8")
            self.written += 1
            os.utime(file, (self.written, self.written))
        self.clock.now += LOOK_S

    def system(self, task: str = "chat", locale: str = "en", **more: str) -> str | None:
        """What the model is told first; None where the minimal prompt stands in."""
        found = self.told(task, locale, {**VALUES, **more})
        return found.template.system if found else None

    def told(
        self, task: str = "chat", locale: str = "en", values: Mapping[str, str] = VALUES
    ) -> Instructions | None:
        return self.files.instructions(task, locale, values)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    clock = Time()
    return Folder(tmp_path, clock, PromptFiles(tmp_path, clock))


@pytest.mark.parametrize(
    ("locale", "begins", "nothing"),
    [
        ("en", 'You answer visitors of the website "Shop".', "(There are no passages.)"),
        ("es", "Respondes a quienes visitan el sitio web «Shop».", "(No hay pasajes.)"),
        ("he", 'תפקידך לענות למבקרים באתר "Shop".', "(אין קטעים.)"),
        ("fr", 'You answer visitors of the website "Shop".', "(There are no passages.)"),
    ],
)
def test_each_language_has_its_own_and_others_have_english(
    folder: Folder, locale: str, begins: str, nothing: str
) -> None:
    found = folder.told("chat", locale)
    assert found is not None
    assert found.template.system.startswith(begins)
    assert found.template.nothing == nothing
    assert "<passage>" in found.template.system


def test_a_task_without_a_template_has_the_chats(folder: Folder) -> None:
    assert folder.system("code", "es") == folder.system("chat", "es")
    folder.write(code_en="Write code for {{ name }}.")
    assert folder.system("code", "es") == "Write code for Shop.\n"


def test_an_owners_file_comes_first_and_is_read_again_when_it_has_changed(folder: Folder) -> None:
    ours = folder.system()
    folder.write(chat_en="Hello {{ name }}.")
    assert folder.system() == "Hello Shop.\n"
    folder.write(chat_en="Welcome to {{ name }}.")
    assert folder.system() == "Welcome to Shop.\n"
    (folder.path / "chat.en.md.j2").unlink()
    folder.clock.now += LOOK_S
    assert folder.system() == ours


def test_braces_and_marks_in_a_name_are_only_text(folder: Folder) -> None:
    folder.write(chat_en="Hello {{ name }}.")
    assert folder.system(name="{{ 7 * 7 }} {name} <b>") == "Hello {{ 7 * 7 }} {name} <b>.\n"


BROKEN = {
    "syntax": "{% if %}",
    "another variable": "{{ password }}",
    "a variable that this task has not": "{{ locale }}",
    "nothing": "  \n",
    "an attribute of Python's": "{{ name.__class__.__mro__ }}",
    "a call of Python's": "{{ name.__init__.__globals__ }}",
    "a file": "{% include '/etc/passwd' %}",
    "work without end": "{% for _ in range(10 ** 9) %}x{% endfor %}",
    "no arithmetic": "{{ 1 / 0 }}",
    "too long": "x" * 70_000,
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_broken_template_is_left_aside_and_told_until_it_is_mended(
    folder: Folder, text: str
) -> None:
    catalogue = '[chat]\nvariables = ["name", "language"]\nbudget = 1000\n'
    folder.write(catalogue=catalogue, chat_en=text)
    assert folder.system() is None
    assert list(folder.files.flaws()) == ["chat.en.md.j2"]
    folder.write(chat_en="Hello.")
    assert folder.system() == "Hello.\n"
    assert folder.files.flaws() == {}


BUDGETS = {
    "code_generation": 24_000,
    "code_review": 24_000,
    "research": 16_000,
    "analysis": 16_000,
    "tool_use": 12_000,
    "creative": 8_192,
    "chat": 8_192,
    "unknown": 8_192,
}


def budget(folder: Folder, task: str = "chat") -> int | None:
    found = folder.told(task)
    return found.budget if found else None


def test_every_type_of_task_has_a_budget_of_its_own(folder: Folder) -> None:
    types = {one.name for one in packaged_tasks().tasks}
    assert {name: budget(folder, name) for name in types} == BUDGETS
    assert folder.told("code_review") != folder.told()
    assert folder.system("code_review") == folder.system(), "with the words of a chat"


def test_an_owners_catalogue_says_how_long_a_prompt_may_be(folder: Folder) -> None:
    folder.write(catalogue="[chat]\nbudget = 900\n")
    assert [budget(folder, name) for name in ("chat", "research")] == [900, 900]
    folder.write(catalogue="[chat]\nbudget = 900\n[research]\nbudget = 2000\n")
    assert [budget(folder, name) for name in ("chat", "research", "creative")] == [900, 2000, 900]


@pytest.mark.parametrize(
    "text", ["[chat", "chat = 1", "[chat]\nbudget = 3", '[chat]\nvariables = ["password"]']
)
def test_a_broken_catalogue_is_told_and_changes_nothing(folder: Folder, text: str) -> None:
    ours = folder.told()
    folder.write(catalogue=text)
    assert folder.told() == ours
    assert list(folder.files.flaws()) == ["catalogue.toml"]


def test_a_name_without_a_language_is_told(folder: Folder) -> None:
    folder.write(chat="Hello.")
    assert list(folder.files.flaws()) == ["chat.md.j2"]


def test_bytes_that_are_no_text_are_told(folder: Folder) -> None:
    (folder.path / "chat.en.md.j2").write_bytes(b"\xff\xfe")
    folder.clock.now += LOOK_S
    assert folder.system() is None
