"""The composition root: builds the gateway's services from its settings.

One of the two places that may name both ports and adapters. What it opens, it closes.
"""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from core.ports import Target
from gateway.adapters.crypto import LocalSigner, LocalVerifier
from gateway.adapters.memory import MemoryCache
from gateway.adapters.openai_dialect import OpenAiTransport
from gateway.adapters.outbound import Outbound
from gateway.adapters.sql.truth import SqlTruth
from gateway.adapters.standard_webhooks import StandardWebhooksTarget
from gateway.adapters.web_files import load_web
from gateway.context import Services, SiteKnowledge
from gateway.settings import Settings, TargetSettings


@asynccontextmanager
async def open_services(
    settings: Settings, knowledge: Mapping[str, SiteKnowledge]
) -> AsyncIterator[Services]:
    """The services of one gateway process; raises `Unavailable` when one cannot be opened."""
    # First of all: what was signed before the cache began is refused.
    cache = MemoryCache(clock=time.time)
    signer = LocalSigner.load_or_create(settings.data_dir / "keys" / "gateway.pem")
    truth = SqlTruth(settings.database_url, clock=time.time)
    outbound = Outbound(settings.private_endpoints)
    transport = None
    if settings.model is not None:
        transport = OpenAiTransport(settings.model, outbound.transport())
    await truth.start()
    # Signatures say whole seconds: whoever signs from here on signs after the cache began.
    await asyncio.sleep(max(0.0, math.ceil(cache.since) - time.time()))
    try:
        yield Services(
            settings=settings,
            clock=time.time,
            random=secrets.token_bytes,
            signer=signer,
            verifier=LocalVerifier(),
            cache=cache,
            truth=truth,
            transport=transport,
            targets={each.name: _target(each, outbound) for each in settings.targets},
            knowledge=knowledge,
            web=load_web(settings.web_dir),
        )
    finally:
        if transport is not None:
            await transport.close()
        await outbound.close()
        await truth.close()


def _target(settings: TargetSettings, outbound: Outbound) -> Target:
    kinds = {"webhook": StandardWebhooksTarget}
    return kinds[settings.kind](settings, outbound)
