"""The desk: where operators read and change the sites' knowledge bases.

It decides what an edit becomes (another row over the owner's files, never a change of them) and
refuses, as a `Problem`, what is not there, what is there already, an undo of nothing, and a save
over an edit that its writer has not seen. Of two edits whose writers do not say what they saw the
last stands, and the history has both. What the files hold is read once, and again with every build.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from core.encoding import new_id
from core.errors import Conflict, NotFound
from core.knowledge import Edit, Key, Mark
from core.workshop import Source, Workshop
from gateway import problems
from gateway.bell import OPERATORS
from gateway.context import Services
from gateway.days import day_in
from gateway.knowledge import importing
from gateway.knowledge.checking import Checks
from gateway.knowledge.draft import Draft, Item
from gateway.knowledge.importing import Import, Imports
from gateway.knowledge.missed import MOST_ROWS, MissedGroup, missed_groups
from gateway.knowledge.publishing import Building, Publisher, recipe_of
from gateway.knowledge.trial import Trials
from gateway.settings import SiteSettings
from gateway.shelf import Shelf
from kb import Entry, Index
from kb.features import text_key

MOST_MARKS = 1_000
MOST_SAME_WORDS = 1_000
"""Entries whose ids are made from the same words."""


class Desk:
    """The knowledge bases of one gateway, as operators see them."""

    def __init__(self, services: Services, shelf: Shelf, workshop: Workshop) -> None:
        self.services = services
        self.shelf = shelf
        self.workshop = workshop
        self.store = services.truth.knowledge
        self.publisher = Publisher(services, shelf, workshop, self.changed)
        self.trials = Trials(services, workshop)
        self.checks = Checks(services, workshop, self.changed)
        self.imports = Imports(services.clock, services.random)
        self._drafts: dict[str, tuple[Sequence[Entry], Draft]] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._versions: defaultdict[str, int] = defaultdict(int)

    @property
    def versions(self) -> Mapping[str, int]:
        """How often each site's knowledge changed since the start: whoever compares sees it."""
        return dict(self._versions)

    def changed(self, site: str) -> None:
        """Tell the consoles that something about this site's knowledge is new."""
        self._versions[site] += 1
        self.services.bell.ring(OPERATORS)

    async def close(self) -> None:
        """End what is under way."""
        await self.publisher.close()
        await self.trials.close()
        await self.checks.close()

    def site(self, key: str) -> SiteSettings:
        """The site of this key; raises `Problem`."""
        found = self.services.settings.site(key)
        if found is None or key not in self.shelf:
            raise problems.not_found("site")
        return found

    def today(self, site: str) -> str:
        """The day that it is for the site; raises `Problem`."""
        return day_in(self.site(site).time_zone, self.services.clock())

    def live(self, site: str) -> Index:
        """What the site's visitors are answered from now."""
        return self.shelf[site].index

    async def draft(self, site: str) -> Draft:
        """The site's draft as it is now; raises `Unavailable`."""
        async with self._locks[site]:
            files = self.publisher.files.get(site)
            if files is None:
                files = self.publisher.files[site] = await self.workshop.read(site)
            seen, held = self._drafts.get(site, (None, None))
            edits = held.edits if held else ()
            more = await self.store.edits(site, held.number if held else 0)
            if held is None or more or seen is not files:
                held = Draft(files, (*edits, *more))
                self._drafts[site] = (files, held)
            return held

    async def item(self, site: str, key: Key) -> Item:
        """One entry beside what is live; raises `Problem` where there is none."""
        found = (await self.draft(site)).item(key, self.live(site))
        if found is None:
            raise problems.not_found("entry")
        return found

    async def create(self, site: str, entry: Entry, author: str, *, translates: bool) -> Item:
        """Add an entry, under an id of its own or, as a translation, under one that is there.

        Raises `Problem`.
        """
        draft = await self.draft(site)
        if translates and all(entry.id != each.id for each in draft.entries):
            raise problems.not_found("entry")
        if not translates:
            entry = replace(entry, id=_own_id(entry.id, draft.ids))
        key = (entry.id, entry.locale)
        if draft.get(key) is not None:
            raise problems.entry_exists()
        edit = self._edit(site, key, author, entry)
        await self._append([edit], seen=draft.number)
        return await self.item(site, key)

    async def change(
        self, site: str, entry: Entry, author: str, *, based_on: int | None = None
    ) -> Item:
        """Write an entry anew, or bring back one that was removed; raises `Problem`.

        `based_on` is the number of the edit that its writer saw: only over that one is it written.
        """
        key = (entry.id, entry.locale)
        draft = await self.draft(site)
        known = draft.item(key, self.live(site))
        if known is None:
            raise problems.not_found("entry")
        if draft.get(key) != entry:
            if based_on not in {None, known.number}:
                raise problems.entry_changed()
            before = draft.newest(key)
            edit = self._edit(site, key, author, entry)
            if before is not None:
                edit = replace(edit, origin=before.origin, source_hash=before.source_hash)
            try:
                await self._append([edit], seen=None if based_on is None else draft.number)
            except Conflict as error:
                raise problems.entry_changed() from error
        return await self.item(site, key)

    async def remove(self, site: str, key: Key, author: str) -> Item | None:
        """Remove an entry; None when it was never live, and so is gone. Raises `Problem`."""
        await self.item(site, key)
        draft = await self.draft(site)
        if draft.get(key) is not None:
            await self._append([self._edit(site, key, author, None)])
        return (await self.draft(site)).item(key, self.live(site))

    async def undo(self, site: str, key: Key, author: str) -> Item | None:
        """Take back what was last done to an entry; None when it is gone with that.

        Raises `Problem`.
        """
        draft = await self.draft(site)
        newest = draft.newest(key)
        if newest is None:
            if draft.item(key, self.live(site)) is None and not draft.last_number(key):
                raise problems.not_found("entry")
            raise problems.nothing_to_undo()
        undone = self._edit(site, key, author, None)
        await self._append([replace(undone, kind="undo", takes_back=newest.number)])
        return (await self.draft(site)).item(key, self.live(site))

    async def publish(self, site: str, author: str) -> Building:
        """Begin to make the draft live; raises `Problem` when that is under way."""
        return self.publisher.start(site, await self.draft(site), author)

    async def check(self, site: str) -> None:
        """Begin to look for what should be mended in the draft."""
        draft = await self.draft(site)
        recipe = await recipe_of(self.store, site, draft)
        threshold = self.site(site).confidence_threshold
        self.checks.start(site, draft, recipe, threshold=threshold, today=self.today(site))

    async def missed(self, site: str, since: float) -> list[MissedGroup]:
        """What visitors asked since then (Unix seconds) and are not answered now either."""
        rows = await self.store.missed(site, since, MOST_ROWS)
        marks, live = await self.store.marks(site), self.live(site)
        threshold = self.site(site).confidence_threshold
        # A second of arithmetic for a thousand questions: visitors do not wait for it.
        today = self.today(site)
        return await asyncio.to_thread(missed_groups, rows, marks, live, threshold, today)

    async def mark(self, site: str, question: str, entry_id: str | None, author: str) -> Mark:
        """Say which entry answers a question, or that none does; raises `Problem`.

        The newer of two marks of one question stands.
        """
        draft = await self.draft(site)
        if entry_id is not None and all(entry.id != entry_id for entry in draft.entries):
            raise problems.not_found("entry")
        at = self.services.clock()
        name = new_id("m", int(at * 1000), self.services.random(10))
        mark = Mark(name, site, question, entry_id, author, at)
        async with self._locks[site]:
            marks, key = await self.store.marks(site), text_key(question)
            same = [mark.id for mark in marks if text_key(mark.question) == key]
            if len(marks) - len(same) >= MOST_MARKS:
                raise problems.too_many_marks(MOST_MARKS)
            await self.store.mark(mark, instead_of=same)
        self.changed(site)
        return mark

    async def unmark(self, site: str, mark_id: str) -> None:
        """Remove a mark; raises `Problem` where there is none."""
        try:
            await self.store.unmark(site, mark_id)
        except NotFound as error:
            raise problems.not_found("mark") from error
        self.changed(site)

    async def declare_prior(self, site: str, out_of_scope: float) -> None:
        """Declare the share of questions that have no answer; it counts from the next build on."""
        await self.store.declare_prior(site, out_of_scope)
        self.changed(site)

    async def gather(self, site: str, source: Source) -> Import:
        """Look what a source has that the draft has not; nothing is changed yet.

        Raises `Unavailable`.
        """
        draft = await self.draft(site)
        brought = await self.workshop.gather(site, source, importing.known(draft))
        wanted = importing.wanted(brought, draft)
        return self.imports.keep(site, source.name, draft.number, wanted)

    async def take(self, site: str, name: str, author: str) -> list[Key]:
        """Make an import a part of the draft; which entries stay, for someone edited them since.

        Raises `Problem`, and `Conflict` when someone edits one of the others at this very moment.
        """
        kept = self.imports.find(site, name)
        draft = await self.draft(site)
        moved = draft.changed_since(kept.number)
        made = importing.edits(kept, author, self.services.clock())
        taken = [edit for edit in made if edit.key not in moved]
        if taken:
            await self._append(taken, seen=draft.number)
        self.imports.done(kept)
        return [edit.key for edit in made if edit.key in moved]

    def _edit(self, site: str, key: Key, author: str, entry: Entry | None) -> Edit:
        kind = "remove" if entry is None else "set"
        return Edit(site, *key, kind, author, self.services.clock(), entry)  # type: ignore[arg-type]

    async def _append(self, edits: Sequence[Edit], seen: int | None = None) -> None:
        await self.store.append(edits, seen=seen)
        self.changed(edits[0].site)


def _own_id(made: str, taken: set[str]) -> str:
    """An id that no other entry has or had; raises `NotFound` where there is none left."""
    for number in range(1, MOST_SAME_WORDS):
        name = made if number == 1 else f"{made[:120]}-{number}"
        if name not in taken:
            return name
    raise NotFound("no id is left for these words")
