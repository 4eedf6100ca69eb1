"""The desk where operators see, write and choose how a site's chat speaks.

It decides what an edit becomes (another row over the owner's files and settings, never a change of
them), and refuses, as a `Problem`, what cannot be used (every flaw at once), what is not there, a
change of a file's personality, a save over an edit that its writer has not seen or the undoing of
one, and the end of a personality that is in use. What is written is told to models from the next
question on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from core.errors import Conflict
from core.personalities import EditKind, PersonalityEdit, PersonalityStore
from core.ports import Clock
from gateway import problems
from gateway.bell import PERSONALITIES, Bell
from gateway.personality.layer import Action, Layer, Own
from gateway.personality.problems import (
    bad_personality,
    personality_changed,
    personality_in_use,
    personality_read_only,
    too_many_personalities,
)
from gateway.personality.serving import SitePersonalities
from gateway.pipeline.personality.form import (
    BadPersonality,
    Flaw,
    Personality,
    examine,
    read_personality,
)
from gateway.pipeline.personality.say import Filed

MOST_OWN: Final = 50
TRIES: Final = 5
"""How often an edit is made anew where another one came first."""

Origin = Literal["console", "folder", "fanlight"]


@dataclass(frozen=True, slots=True)
class Item:
    """A personality as operators see it; `flaws` are why there is none in its file.

    `edit` is the one that stands; None where a file speaks. `undoable` where it is there without
    that edit too.
    """

    name: str
    origin: Origin
    personality: Personality | None
    flaws: Sequence[Flaw] = ()
    edit: PersonalityEdit | None = None
    undoable: bool = False

    @property
    def number(self) -> int:
        """The number of the edit that stands; 0 where a file speaks."""
        return self.edit.number if self.edit else 0


@dataclass(frozen=True, slots=True)
class Choice:
    """Which personality a site uses: by its configuration, by an operator's choice, and so now."""

    configured: str | None
    chosen: PersonalityEdit | None
    in_use: str | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a model would be told, by language, with what stands in the way of keeping it."""

    told: Mapping[str, str]
    flaws: Sequence[Flaw]
    left_out: Sequence[Flaw]


class PersonalityDesk:
    """How the sites of one gateway speak, as operators see it."""

    def __init__(
        self, spoken: SitePersonalities, store: PersonalityStore, clock: Clock, bell: Bell
    ) -> None:
        self._spoken = spoken
        self._store = store
        self._clock = clock
        self._bell = bell

    async def items(self, site: str) -> list[Item]:
        """The site's own, the owner's folder's, and Fanlight's; raises `Unavailable`."""
        layer = await self._spoken.look(site)
        filed = await asyncio.to_thread(self._spoken.files.filed)
        own = [_of_console(each) for each in layer.own.values()]
        folder = [_of_file(each) for each in filed if each.own]
        return [*own, *folder, *(_of_file(each) for each in filed if not each.own)]

    async def item(self, site: str, name: str) -> Item:
        """One of them; raises `Problem` where there is none."""
        found = next((each for each in await self.items(site) if each.name == name), None)
        if found is None:
            raise problems.not_found("personality")
        return found

    async def history(self, site: str, name: str) -> list[tuple[PersonalityEdit, Action]]:
        """What was done to one in the console, newest first."""
        return (await self._spoken.look(site)).history(name)

    async def choice(self, site: str) -> Choice:
        """Which one the site uses; raises `Unavailable`."""
        layer = await self._spoken.look(site)
        return Choice(self._spoken.configured(site), layer.choice, self._spoken.in_use(site))

    def preview(self, document: object, locales: Sequence[str]) -> Preview:
        """What a model would be told of a personality in these languages; nothing is kept."""
        personality, flaws = examine(document)
        told = {each: self._spoken.files.said(personality, each) for each in locales}
        return Preview(told, flaws, personality.left_out)

    async def create(self, site: str, document: object, author: str) -> Item:
        """Keep a new one; raises `Problem`."""
        personality = _checked(document)

        def made(layer: Layer) -> PersonalityEdit:
            if len(layer.own) >= MOST_OWN:
                raise too_many_personalities(MOST_OWN)
            name = layer.free(personality.name)
            return self._edit(site, "set", author, name, personality.document())

        edit = await self._append(site, made)
        return await self.item(site, str(edit.name))

    async def change(
        self, site: str, name: str, document: object, author: str, *, based_on: int | None = None
    ) -> Item:
        """Write one anew; raises `Problem`.

        `based_on` is the number of the edit that its writer saw: only over that one is it written.
        """
        personality = _checked(document)
        await self._own(site, name)

        def made(layer: Layer) -> PersonalityEdit:
            own = layer.own.get(name)
            if own is None:
                raise problems.not_found("personality")
            if based_on not in {None, own.edit.number}:
                raise personality_changed()
            return self._edit(site, "set", author, name, personality.document())

        await self._append(site, made)
        return await self.item(site, name)

    async def remove(self, site: str, name: str, author: str) -> None:
        """Remove one of the site's own; raises `Problem`."""
        await self._own(site, name)

        def made(layer: Layer) -> PersonalityEdit:
            if name not in layer.own:
                raise problems.not_found("personality")
            _refuse_in_use(layer, name)
            return self._edit(site, "remove", author, name)

        await self._append(site, made)

    async def undo(self, site: str, name: str, author: str, *, based_on: int) -> Item | None:
        """Take back what was last done to one; None when it is gone with that. Raises `Problem`.

        `based_on` is the number of the edit that its author saw, 0 where it was removed: only that
        one, or that removal, is taken back.
        """
        if not (await self._spoken.look(site)).known(name):
            await self._own(site, name)

        def made(layer: Layer) -> PersonalityEdit:
            newest = layer.newest(name)
            if newest is None:
                raise problems.nothing_to_undo()
            if based_on != (newest.number if name in layer.own else 0):
                raise personality_changed()
            undone = self._edit(site, "undo", author, name)
            undone = replace(undone, takes_back=newest.number)
            if name not in Layer((*layer.edits, undone)).own:
                _refuse_in_use(layer, name)
            return undone

        await self._append(site, made)
        own = self._spoken.layer(site).own.get(name)
        return None if own is None else _of_console(own)

    async def use(self, site: str, name: str | None, author: str) -> Choice:
        """Let the site's chat speak by this one; without a name, as its model does.

        Raises `Problem`.
        """
        if name is not None and (await self.item(site, name)).personality is None:
            raise problems.invalid("name", "This personality's file cannot be used.", "Mend it.")

        def made(layer: Layer) -> PersonalityEdit:
            if name is not None and layer.known(name) and name not in layer.own:
                raise problems.not_found("personality")
            return self._edit(site, "use", author, name)

        await self._append(site, made)
        return await self.choice(site)

    async def reset(self, site: str, author: str) -> Choice:
        """Let the configuration choose again; raises `Unavailable`."""
        if (await self._spoken.look(site)).choice is not None:
            await self._append(site, lambda _layer: self._edit(site, "reset", author))
        return await self.choice(site)

    async def _own(self, site: str, name: str) -> None:
        """Raise `Problem` unless this is one that was made in the console."""
        if (await self.item(site, name)).origin != "console":
            raise personality_read_only()

    def _edit(
        self,
        site: str,
        kind: EditKind,
        author: str,
        name: str | None = None,
        document: Mapping[str, Any] | None = None,
    ) -> PersonalityEdit:
        return PersonalityEdit(site, kind, author, self._clock(), name, document)

    async def _append(self, site: str, made: Callable[[Layer], PersonalityEdit]) -> PersonalityEdit:
        """Store what is made of the newest layer; made anew where another edit came first."""
        for _ in range(TRIES):
            layer = await self._spoken.look(site)
            try:
                stored = await self._store.append(made(layer), seen=layer.number)
            except Conflict:
                continue
            await self._spoken.look(site)
            self._bell.ring(PERSONALITIES)
            return stored
        raise problems.conflict()


def _checked(document: object) -> Personality:
    try:
        return read_personality(document)
    except BadPersonality as error:
        raise bad_personality(error.flaws) from error


def _refuse_in_use(layer: Layer, name: str) -> None:
    if layer.choice is not None and layer.choice.name == name:
        raise personality_in_use()


def _of_console(own: Own) -> Item:
    return Item(own.name, "console", own.personality, (), own.edit, own.undoable)


def _of_file(filed: Filed) -> Item:
    origin: Origin = "folder" if filed.own else "fanlight"
    return Item(filed.name, origin, filed.personality, filed.flaws)
