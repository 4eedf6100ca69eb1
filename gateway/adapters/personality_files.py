"""Personalities as YAML files: those that Fanlight brings, and an owner's own.

A file is `<name>.yaml`; in an owner's folder it comes before Fanlight's of that name, which are
never changed. Files are looked at again when they have changed, a second later at most. One that is
broken is told of once, and the last good one stands until it is mended; a name that nobody has is
no personality. It refuses names with other signs than `A-Z a-z 0-9 _ -`, which could lead out of
the folder, and files over `MOST_BYTES`.
"""

from __future__ import annotations

import logging
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from core.ports import Clock
from gateway.pipeline.personality.form import BadPersonality, Flaw, Personality, read_personality
from gateway.pipeline.personality.say import Filed, say

log = logging.getLogger("fanlight")

OWN: Final = Path(__file__).resolve().parents[1] / "personalities"
SUFFIX: Final = ".yaml"
LOOK_S: Final = 1.0
MOST_BYTES: Final = 16_384
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,60}")


def is_name(name: str) -> bool:
    """Whether a personality may be called so."""
    return _NAME.fullmatch(name) is not None


@cache
def phrases() -> Mapping[str, Any]:
    """What a model is told of each field, by language."""
    return tomllib.loads((OWN / "phrases.toml").read_text(encoding="utf-8"))


def parse(text: str) -> Personality:
    """A personality from YAML; raises `BadPersonality`, which names line and column or field."""
    if len(text.encode()) > MOST_BYTES:
        raise BadPersonality(Flaw("", f"it is longer than {MOST_BYTES} bytes"))
    try:
        document = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise BadPersonality(Flaw(where, error.problem or "this is not YAML")) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BadPersonality(Flaw("", f"this is not YAML: {error}")) from error
    return read_personality(document)


def load(path: Path) -> Personality:
    """A personality from a file; raises `BadPersonality`."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BadPersonality(Flaw("", f"it is longer than {MOST_BYTES} bytes"))
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadPersonality(Flaw("", "it cannot be read as UTF-8")) from error
    return parse(text)


@dataclass(slots=True)
class _Kept:
    """What a file was when it was looked at last."""

    seen: tuple[Path, float] | None = None
    looked: float = float("-inf")
    personality: Personality | None = None
    said: dict[str, str] = field(default_factory=dict)


class PersonalityFiles:
    """The personalities of an owner's folder, where there is one, and Fanlight's own."""

    def __init__(self, own: Path | None, clock: Clock) -> None:
        self._folders = tuple(path for path in (own, OWN) if path is not None)
        self._clock = clock
        self._kept: dict[str, _Kept] = {}

    def names(self) -> list[str]:
        """Every personality at hand, in the order of the alphabet."""
        found = {path.stem for folder in self._folders for path in folder.glob(f"*{SUFFIX}")}
        return sorted(filter(is_name, found))

    def path(self, name: str) -> Path | None:
        """The file of a name."""
        if not is_name(name):
            return None
        paths = (folder / f"{name}{SUFFIX}" for folder in self._folders)
        return next((path for path in paths if path.is_file()), None)

    def filed(self) -> list[Filed]:
        """Every one that has a file, in the order of the alphabet; it reads them all."""
        paths = ((name, self.path(name)) for name in self.names())
        return [_filed(name, path) for name, path in paths if path is not None]

    def said(self, personality: Personality, locale: str) -> str:
        """What a model would be told of any."""
        return say(personality, phrases(), locale)

    def told(self, name: str, locale: str) -> str | None:
        """What a model is told of this one; None where no good one was ever there."""
        kept = self._kept.setdefault(name, _Kept())
        now = self._clock()
        if now - kept.looked >= LOOK_S:
            kept.looked = now
            self._look(name, kept)
        if kept.personality is None:
            return None
        if locale not in kept.said:
            kept.said[locale] = self.said(kept.personality, locale)
        return kept.said[locale]

    def _look(self, name: str, kept: _Kept) -> None:
        path = self.path(name)
        try:
            seen = None if path is None else (path, path.stat().st_mtime)
        except OSError:
            seen = None
        if path is None or seen is None or seen == kept.seen:
            return
        kept.seen = seen
        try:
            personality = load(path)
        except BadPersonality as flaw:
            log.warning("personality %s is left as it was: %s", name, flaw)
            return
        for warning in personality.warnings:
            log.info("personality %s: %s", name, warning)
        kept.personality, kept.said = personality, {}


def _filed(name: str, path: Path) -> Filed:
    own = path.parent != OWN
    try:
        return Filed(name, own, load(path))
    except BadPersonality as error:
        return Filed(name, own, None, error.flaws)
