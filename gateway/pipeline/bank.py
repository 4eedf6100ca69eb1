"""The reasoning bank at work: which answers of a site a model is given for a question.

Decides how alike two questions must be, and how many answers are given. It keeps vectors and the
names of turns, and no word: what an answer says is read from the truth when it is used, so that
what was erased, or taken out, is used by no process from then on. An answer is looked through once,
as it is new, and again whenever it is used. It fails no turn: where the truth does not answer,
nothing is recalled.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import sumprod
from typing import Final

from core.bank import Banked, BankStore, Recalled, Wanted, bank_id
from core.errors import FanlightError
from core.particulars import figures, shareable
from core.ports import Clock
from gateway.bell import OPERATORS, Bell
from gateway.pipeline.guard import Guard
from gateway.pipeline.state import TurnState
from kb import Index

Embed = Callable[[str], Sequence[float] | None]
"""Gives a question its unit vector; None where it has none."""

ALIKE: Final = 0.7
"""Cosine from which two questions are alike: docs/learning.md has what it was measured by."""
GIVEN: Final = 2
"""Answers that a model is given."""
LOOKED_UP: Final = 4
"""Answers that are read, since some of them may not be given."""
EVERY_S: Final = 60.0
PAUSE_S: Final = 1.0
"""Between two looks, however often the bell rings."""
AT_ONCE: Final = 100
"""Entries of a knowledge base that are looked through between two pauses."""
DAY_S: Final = 86_400.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BankRules:
    """How far back answers are lent, how many of a site, and of which sites models' are too."""

    days: int
    most: int
    models: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Known:
    """What a process knows of a site: the figures of its knowledge base, and by each turn when it
    was answered, with the vector of its question; None where the answer is not lent."""

    release: str | None = None
    published: frozenset[str] = frozenset()
    turns: Mapping[str, tuple[float, Sequence[float] | None]] = field(default_factory=dict)


class Bank:
    """The banks of some sites, each apart."""

    def __init__(
        self,
        store: BankStore,
        rules: BankRules,
        sites: Mapping[str, Callable[[], Index]],
        embed: Embed,
        clock: Clock,
    ) -> None:
        """`sites` gives the index that each of them serves now."""
        self._store = store
        self._rules = rules
        self._embed = embed
        self._clock = clock
        self._indexes = sites
        self._sites = {site: _Known() for site in sites}

    async def answers(self, site: str) -> list[Banked]:
        """What is in a site's bank now, newest first; raises `Unavailable`."""
        known, kept = await self._known(site), []
        for one in await self._store.answers(site, self._wanted(site)):
            told = lent(one, known.published)
            if told is not None:
                kept.append(told)
            await asyncio.sleep(0)
        return kept

    async def leave_out(self, site: str, name: str, by: str) -> bool:
        """Take an item out for good; whether there was one. Raises `Unavailable`."""
        for one in await self._store.answers(site, self._wanted(site)):
            if bank_id(site, one.turn_id) == name:
                await self._store.leave_out(site, one.turn_id, by)
                return True
        return False

    async def look(self) -> None:
        """Learn what the truth has that is new, and forget what is gone; raises `Unavailable`."""
        for site in self._sites:
            known = await self._known(site)
            turns = {}
            for one in await self._store.answers(site, self._wanted(site)):
                seen = known.turns.get(one.turn_id)
                if seen is None or seen[0] != one.at:
                    is_lent = lent(one, known.published) is not None
                    seen = one.at, self._embed(one.question) if is_lent else None
                    # A long conversation takes milliseconds: what is ready goes before the next.
                    await asyncio.sleep(0)
                turns[one.turn_id] = seen
            known.turns = turns

    async def _known(self, site: str) -> _Known:
        """What is known of a site, begun anew where it publishes other entries than before."""
        index = self._indexes[site]()
        known = self._sites[site]
        if known.release != index.release:
            published: set[str] = set()
            for number, entry in enumerate(index.entries, 1):
                # Not the variants: those may be what visitors wrote, and nobody is shown them.
                published.update((*figures(entry.question), *figures(entry.answer)))
                if number % AT_ONCE == 0:
                    await asyncio.sleep(0)
            known = self._sites[site] = _Known(index.release, frozenset(published))
        return known

    async def alike(self, site: str, question: str) -> tuple[Recalled, ...]:
        """The answers to questions like this one, the likest first."""
        near = self._near(site, question)
        if not near:
            return ()
        try:
            found = await self._store.answers(site, self._wanted(site, frozenset(near)))
        except FanlightError as exc:
            _log.warning("bank: nothing recalled: %s", exc)
            return ()
        published = self._sites[site].published
        told = [lent(one, published) for one in found]
        made = [
            Recalled(bank_id(site, one.turn_id), one.answer, one.by, near[one.turn_id])
            for one in told
            if one is not None
        ]
        return tuple(sorted(made, key=lambda one: -one.alike))

    def _near(self, site: str, question: str) -> dict[str, float]:
        known = self._sites.get(site)
        about = self._embed(question) if known and known.turns else None
        if not known or about is None:
            return {}
        vectors = {name: vector for name, (_, vector) in known.turns.items()}
        cosines = {name: sumprod(about, one) for name, one in vectors.items() if one is not None}
        best = sorted(cosines, key=lambda name: -cosines[name])[:LOOKED_UP]
        return {name: cosines[name] for name in best if cosines[name] >= ALIKE}

    def _wanted(self, site: str, turn_ids: frozenset[str] | None = None) -> Wanted:
        since = self._clock() - self._rules.days * DAY_S
        return Wanted(since, self._rules.most, site in self._rules.models, turn_ids)

    async def run(self, bell: Bell) -> None:
        """Look when an operator has done something, and every minute; until cancelled."""
        with bell.listen(OPERATORS) as ear:
            while not bell.closed:
                try:
                    await self.look()
                except FanlightError as exc:
                    _log.warning("bank: to be looked at again: %s", exc)
                except Exception:  # noqa: BLE001 - it outlives whatever the store gives
                    _log.exception("bank: a look failed")
                await asyncio.sleep(PAUSE_S)
                await ear.wait(EVERY_S)


def lent(one: Banked, published: Collection[str]) -> Banked | None:
    """An answer as it may reach other visitors; None where it may not."""
    answer = shareable(one.answer, one.said, published)
    return None if answer is None else replace(one, answer=answer)


async def with_recalled(state: TurnState, bank: Bank | None, guard: Guard | None) -> TurnState:
    """The state with the answers that its model is given, beside what was retrieved."""
    if bank is None:
        return state
    found = await bank.alike(state.site.key, state.request.question)
    given = [one for one in found if guard is None or await guard.admits_result(one.answer)]
    return replace(state, recalled=tuple(given[:GIVEN]))
