"""Prompt templates as files: Jinja2, sandboxed, one for each type of task and language.

A file is `<task type>.<language>.md.j2`, with the blocks `system`, `nothing`, `earlier`,
`answered` and `parts`, or none and then all of it is the system's. `catalogue.toml` beside them
says which variables each may use. Files are looked at again when they have changed, a second later
at most; one that is broken is told of once, and the minimal prompt stands in for it until it is
mended. An owner's folder comes before Fanlight's own. It refuses variables that the catalogue does
not list, and what the sandbox refuses: templates read no file, reach no attribute of Python's and
call nothing.
"""

from __future__ import annotations

import logging
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from jinja2 import StrictUndefined, TemplateError, meta
from jinja2 import Template as JinjaTemplate
from jinja2.sandbox import ImmutableSandboxedEnvironment

from core.ports import Clock
from core.prompting.template import CLOUD
from gateway.pipeline.prompt import PROMPT_TOKENS, Instructions, Ready

log = logging.getLogger("fanlight")

OWN: Final = Path(__file__).resolve().parents[1] / "prompts"
CATALOGUE: Final = "catalogue.toml"
SUFFIX: Final = ".md.j2"
VARIABLES: Final = ("name", "language", "locale", "task_type")
DEFAULT: Final = ("chat", "en")
LOOK_S: Final = 1.0
MOST_BYTES: Final = 65_536
LEAST_BUDGET: Final = 256
_BROKEN: Final = (TemplateError, TypeError, ValueError, ArithmeticError, RecursionError)
"""What a template can end in, within its sandbox."""


class BrokenTemplate(ValueError):
    """A file that cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """What the catalogue says of a task type's templates."""

    variables: tuple[str, ...] = VARIABLES
    budget: int = PROMPT_TOKENS


@dataclass(slots=True)
class _Folder:
    """The files of a folder as they were when they were looked at last."""

    path: Path
    seen: Mapping[str, float] = field(default_factory=dict)
    templates: dict[tuple[str, str], JinjaTemplate | None] = field(default_factory=dict)
    catalogue: dict[str, _Entry] = field(default_factory=dict)
    flaws: dict[str, str] = field(default_factory=dict)


class PromptFiles:
    """The catalogue over an owner's folder, where there is one, and Fanlight's own."""

    def __init__(self, own: Path | None, clock: Clock) -> None:
        self._clock = clock
        self._looked = float("-inf")
        self._folders = tuple(_Folder(path) for path in (own, OWN) if path is not None)
        self._made: dict[tuple[str, ...], Instructions | None] = {}

    def instructions(
        self, task_type: str, locale: str, values: Mapping[str, str]
    ) -> Instructions | None:
        """What stands for this task in this language, else in English, else for a chat."""
        self._look()
        key = (task_type, locale, *values.values())
        if key not in self._made:
            self._made[key] = self._rendered(task_type, locale, values)
        return self._made[key]

    def flaws(self) -> dict[str, str]:
        """Why a file cannot be used, by its name."""
        self._look()
        return {name: flaw for folder in self._folders for name, flaw in folder.flaws.items()}

    def _look(self) -> None:
        now = self._clock()
        if now - self._looked < LOOK_S:
            return
        self._looked = now
        for folder in self._folders:
            seen = _seen(folder.path)
            if seen != folder.seen:
                folder.seen = seen
                _read(folder)
                self._made.clear()

    def _rendered(
        self, task_type: str, locale: str, values: Mapping[str, str]
    ) -> Instructions | None:
        for wanted in dict.fromkeys(
            ((task_type, locale), (task_type, DEFAULT[1]), (DEFAULT[0], locale), DEFAULT)
        ):
            for folder in self._folders:
                if wanted not in folder.templates:
                    continue
                told = self._told(folder, wanted, values)
                return told and replace(told, budget=self._budget(task_type, wanted[0]))
        return None

    def _budget(self, *task_types: str) -> int:
        """The first of these that a catalogue names, an owner's before Fanlight's own."""
        for folder in self._folders:
            for name in task_types:
                if name in folder.catalogue:
                    return folder.catalogue[name].budget
        return PROMPT_TOKENS

    def _told(
        self, folder: _Folder, wanted: tuple[str, str], values: Mapping[str, str]
    ) -> Instructions | None:
        template = folder.templates[wanted]
        if template is None:
            return None
        try:
            return _filled(template, self._entry(wanted[0]), values)
        except _BROKEN as exc:
            log.warning("prompt template %s.%s is left aside: %s", *wanted, exc)
            return None

    def _entry(self, task_type: str) -> _Entry:
        found = (folder.catalogue.get(task_type) for folder in self._folders)
        return next((entry for entry in found if entry is not None), _Entry())


def _seen(path: Path) -> dict[str, float]:
    try:
        files = [each for each in path.iterdir() if each.name.endswith((SUFFIX, CATALOGUE))]
        return {each.name: each.stat().st_mtime for each in files}
    except OSError:
        return {}


def _read(folder: _Folder) -> None:
    """Read a folder anew; what is broken in it is told, and stands for nothing."""
    folder.flaws = {}
    folder.catalogue = _catalogue(folder)
    folder.templates = {}
    for name in sorted(folder.seen):
        if not name.endswith(SUFFIX):
            continue
        task_type, _, locale = name.removesuffix(SUFFIX).rpartition(".")
        if not task_type or not locale:
            folder.flaws[name] = f"a name is <task type>.<language>{SUFFIX}"
            continue
        template = None
        try:
            template = _template(folder.path / name, folder.catalogue.get(task_type, _Entry()))
        except BrokenTemplate as exc:
            folder.flaws[name] = str(exc)
        folder.templates[task_type, locale] = template
    for name, flaw in folder.flaws.items():
        log.warning("prompt template %s is left aside: %s", name, flaw)


def _template(path: Path, entry: _Entry) -> JinjaTemplate:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True
    )
    environment.globals.clear()
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BrokenTemplate(f"it is longer than {MOST_BYTES} bytes")
        text = path.read_text(encoding="utf-8")
        strange = meta.find_undeclared_variables(environment.parse(text)) - set(entry.variables)
        if strange:
            known = ", ".join(entry.variables)
            raise BrokenTemplate(f"it has the variable {min(strange)}; the catalogue lists {known}")
        template = environment.from_string(text)
        _filled(template, entry, dict.fromkeys(VARIABLES, "x"))
    except (OSError, UnicodeDecodeError) as exc:
        raise BrokenTemplate("it cannot be read as UTF-8") from exc
    except _BROKEN as exc:
        raise BrokenTemplate(str(exc)) from exc
    return template


def _filled(template: JinjaTemplate, entry: _Entry, values: Mapping[str, str]) -> Instructions:
    """The template's blocks, each filled in; raises `TemplateError`."""
    known = {name: values[name] for name in entry.variables}
    texts = {
        name: "".join(block(template.new_context(known))) for name, block in template.blocks.items()
    }
    system = texts.get("system") or template.render(known)
    if not system.strip():
        raise BrokenTemplate("it says nothing")
    ready = Ready(
        system.rstrip() + "\n",
        texts.get("nothing", CLOUD.nothing),
        texts.get("earlier", CLOUD.earlier),
        texts.get("answered", CLOUD.answered),
        texts.get("parts", CLOUD.parts),
    )
    return Instructions(ready, entry.budget)


def _catalogue(folder: _Folder) -> dict[str, _Entry]:
    if CATALOGUE not in folder.seen:
        return {}
    try:
        rows = tomllib.loads((folder.path / CATALOGUE).read_text(encoding="utf-8"))
        return {task_type: _entry(task_type, row) for task_type, row in rows.items()}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, BrokenTemplate) as exc:
        folder.flaws[CATALOGUE] = str(exc)
        return {}


def _entry(task_type: str, row: Any) -> _Entry:
    if not isinstance(row, dict):
        raise BrokenTemplate(f"{task_type} is no table")
    variables = row.get("variables", list(VARIABLES))
    budget = row.get("budget", PROMPT_TOKENS)
    if not isinstance(variables, list) or not set(variables) <= set(VARIABLES):
        raise BrokenTemplate(f"{task_type}.variables may have {', '.join(VARIABLES)}")
    if not isinstance(budget, int) or budget < LEAST_BUDGET:
        raise BrokenTemplate(f"{task_type}.budget is a number of tokens, {LEAST_BUDGET} or more")
    return _Entry(tuple(variables), budget)
