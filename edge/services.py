"""The Worker's services: WebCrypto behind the signing ports, stores of this isolate's memory."""

from __future__ import annotations

import os
import time
from typing import Any

from edge.bindings import read_bindings, read_knowledge
from edge.webcrypto import WebCryptoSigner, WebCryptoVerifier
from gateway.adapters.memory import MemoryCache, MemoryTruth
from gateway.context import Services, SiteKnowledge
from kb import load_index


async def open_services(env: Any) -> Services:
    """The services of one isolate; raises `Unavailable` naming what the environment lacks."""
    bindings = read_bindings(env)
    knowledge = {}
    for site in bindings.settings.sites:
        packed = await read_knowledge(env, site.key)
        knowledge[site.key] = SiteKnowledge(load_index(packed), packed)
    truth = MemoryTruth(clock=time.time)
    await truth.start()
    return Services(
        settings=bindings.settings,
        clock=time.time,
        random=os.urandom,
        signer=await WebCryptoSigner.load(bindings.signing_jwk),
        verifier=WebCryptoVerifier(),
        cache=MemoryCache(clock=time.time),
        truth=truth,
        transport=None,
        targets={},
        knowledge=knowledge,
    )
