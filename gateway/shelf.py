"""The shelf: the knowledge bases that are served, each of which can be replaced while it is.

It decides how long the release that was replaced can still be fetched: a panel that was loaded a
moment before asks for it. It opens nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from core.ports import Clock
from gateway.context import SiteKnowledge

REPLACED_KEPT_S: Final = 3600.0
REPLACED_KEPT: Final = 3
"""Releases of a site that are kept when it is published again and again."""


@dataclass(frozen=True, slots=True)
class _Replaced:
    knowledge: SiteKnowledge
    until: float


class Shelf(Mapping[str, SiteKnowledge]):
    """What is served by site; whoever asks in the middle of a swap gets one or the other, whole."""

    def __init__(self, knowledge: Mapping[str, SiteKnowledge], clock: Clock) -> None:
        self._now = dict(knowledge)
        self._clock = clock
        self._replaced: dict[str, list[_Replaced]] = {}

    def __getitem__(self, site: str) -> SiteKnowledge:
        return self._now[site]

    def __iter__(self) -> Iterator[str]:
        return iter(self._now)

    def __len__(self) -> int:
        return len(self._now)

    def put(self, site: str, knowledge: SiteKnowledge) -> None:
        """Serve this from now on."""
        old, kept = self._now.get(site), self._kept(site)
        self._now[site] = knowledge
        if old is not None and old.index.release != knowledge.index.release:
            kept.append(_Replaced(old, self._clock() + REPLACED_KEPT_S))
        self._replaced[site] = kept[-REPLACED_KEPT:]

    def release(self, site: str, release: str) -> SiteKnowledge | None:
        """The site's knowledge of this release, if it is served or was a moment ago."""
        current = self._now.get(site)
        if current is not None and current.index.release == release:
            return current
        if current is None:
            return None
        kept = self._replaced[site] = self._kept(site)
        return next((old.knowledge for old in kept if old.knowledge.index.release == release), None)

    def _kept(self, site: str) -> list[_Replaced]:
        """What was replaced and can still be fetched; the rest is let go with this."""
        now = self._clock()
        return [old for old in self._replaced.get(site, ()) if old.until > now]
