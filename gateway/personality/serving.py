"""How each site's chat speaks now, in every process, without a restart.

It decides whose word holds: what was chosen in the console, while that is there; else what the
site's configuration names; else nothing, and the model speaks as it does. It looks at the truth
when the bell says that something changed, and now and then all the same; while the truth does not
answer, what was known holds on.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from core.errors import FanlightError
from core.personalities import PersonalityStore
from gateway.bell import OPERATORS, PERSONALITIES, Bell
from gateway.personality.layer import Layer
from gateway.pipeline.personality.say import Personalities
from gateway.settings import SiteSettings

log = logging.getLogger("fanlight")

LOOK_S: Final = 30.0


class SitePersonalities:
    """The layers of a gateway's sites over the personalities of its files."""

    def __init__(
        self,
        files: Personalities,
        store: PersonalityStore,
        sites: Sequence[SiteSettings],
        bell: Bell,
    ) -> None:
        self.files = files
        self._store = store
        self._bell = bell
        self._configured = {site.key: site.personality for site in sites}
        self._layers: dict[str, Layer] = {site.key: Layer() for site in sites}
        self._said: dict[tuple[str, str, str], str] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @property
    def versions(self) -> Mapping[str, int]:
        """A number for each site, which is another one when an operator changed how it speaks."""
        return {site: layer.number for site, layer in self._layers.items()}

    def layer(self, site: str) -> Layer:
        """What operators made for the site, as far as this process has looked."""
        return self._layers[site]

    def configured(self, site: str) -> str | None:
        """The name that the site's configuration has, there or not."""
        return self._configured[site]

    def in_use(self, site: str) -> str | None:
        """The name of the personality that holds now; None where the model speaks as it does."""
        choice = self._layers[site].choice
        if choice is not None and (choice.name is None or self._is_there(site, choice.name)):
            return choice.name
        configured = self._configured[site]
        return configured if configured and self._is_there(site, configured) else None

    def told(self, site: str, locale: str) -> str | None:
        """What a model is told of how the site's chat speaks."""
        name = self.in_use(site)
        if name is None:
            return None
        own = self._layers[site].own.get(name)
        if own is None:
            return self.files.told(name, locale)
        key = (site, name, locale)
        if key not in self._said:
            self._said[key] = self.files.said(own.personality, locale)
        return self._said[key]

    async def look(self, site: str) -> Layer:
        """Read what is new of a site; raises `Unavailable`."""
        async with self._locks[site]:
            layer = self._layers[site]
            more = await self._store.edits(site, layer.number)
            if more:
                layer = self._layers[site] = Layer((*layer.edits, *more))
                self._said = {key: told for key, told in self._said.items() if key[0] != site}
                self._bell.ring(OPERATORS)
            return layer

    async def look_around(self) -> None:
        """Read what is new of every site; one that cannot be read stays as it was."""
        for site in self._layers:
            try:
                await self.look(site)
            except FanlightError as error:
                log.warning("how %s speaks was not looked at: %s", site, error)

    async def run(self) -> None:
        """Look until the process stops."""
        with self._bell.listen(PERSONALITIES) as ear:
            while not self._bell.closed:
                await self.look_around()
                await ear.wait(LOOK_S)

    def _is_there(self, site: str, name: str) -> bool:
        return name in self._layers[site].own or self.files.told(name, "en") is not None
