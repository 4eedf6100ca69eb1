"""A gateway of its own behind two models that can be made to fail, and its visitors."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

import httpx

from gateway.adapters.visitor import Visitor
from gateway.cli.bench.mortal import SITE, Mortal
from tests.faults.proxy import FaultProxy

UNKNOWN: Final = "which gauge of wire suits a garden lamp outdoors in winter"
ANSWER_S: Final = 5.0
RECOVERY_S: Final = 10.0


@dataclass
class House:
    """A gateway whose models can be made to fail; `patience` stretches the goals."""

    gateway: Mortal
    first: FaultProxy
    second: FaultProxy
    patience: float

    async def ask(self) -> dict[str, Any]:
        """The turn of a new visitor who asks what only a model may know, within its time."""
        limit = ANSWER_S * self.patience
        async with httpx.AsyncClient(trust_env=False, timeout=limit) as client:
            visitor = Visitor(client, self.gateway.url, SITE)
            await visitor.open_session()
            async with asyncio.timeout(limit):
                response = await visitor.ask(UNKNOWN)
            turn: dict[str, Any] = response.raise_for_status().json()
            return turn

    async def answered_by(self, model: str) -> None:
        """Wait until this model answers; raises `TimeoutError`."""
        async with asyncio.timeout(RECOVERY_S * self.patience):
            while (await self.ask())["model"] != model:  # noqa: ASYNC110 - it asks again
                await asyncio.sleep(0.1)
