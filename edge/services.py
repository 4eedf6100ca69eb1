"""The Worker's services: WebCrypto behind the signing ports, stores of this isolate's memory."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from pyodide.ffi import JsException

from core.errors import Unavailable
from edge.bindings import SIGNING_JWK, read_bindings, read_embedding, read_knowledge
from edge.webcrypto import WebCryptoSigner, WebCryptoVerifier
from gateway.adapters.memory import MemoryTruth
from gateway.adapters.memory_cache import MemoryCache
from gateway.configuration import ConfigurationError, Flaw
from gateway.context import Services, SiteKnowledge
from gateway.keys import OneKey
from gateway.settings import Settings


async def open_services(env: object) -> Services:
    """The services of one isolate.

    Raises `ConfigurationError` naming what the environment lacks, `Unavailable` when KV is down.
    """
    bindings = read_bindings(env)
    truth = MemoryTruth(clock=time.time)
    await truth.start()
    return Services(
        settings=bindings.settings,
        clock=time.time,
        random=os.urandom,
        keys=OneKey(await _signer(bindings.signing_jwk)),
        verifier=WebCryptoVerifier(),
        cache=MemoryCache(clock=time.time),
        truth=truth,
        models=(),
        targets={},
        knowledge=await _knowledge(env, bindings.settings),
    )


async def _signer(jwk: Mapping[str, str]) -> WebCryptoSigner:
    try:
        return await WebCryptoSigner.load(jwk)
    except ValueError as exc:
        remedy = "Export the key pair again, as one private JWK."
        raise ConfigurationError([Flaw(SIGNING_JWK, f"{exc}.", remedy)]) from exc


async def _knowledge(env: object, settings: Settings) -> dict[str, SiteKnowledge]:
    try:
        embedding = await read_embedding(env)
        return {site.key: await read_knowledge(env, site.key, embedding) for site in settings.sites}
    except JsException as exc:
        raise Unavailable("The KV binding KB does not answer. Try again.") from exc
