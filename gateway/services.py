"""The composition root: builds the gateway's services from its settings.

One of the two places that may name both ports and adapters. What it opens, it closes.
"""

from __future__ import annotations

import asyncio
import math
import os
import secrets
import shutil
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

from core.breaker import Breaker
from core.model_routing.rates import ProcessRates
from core.ports import Cache, Embedder, Reranker, Target
from gateway.adapters import redis_rates
from gateway.adapters.command_head import load_command_head
from gateway.adapters.crypto import LocalVerifier
from gateway.adapters.first_tokens import OpenAiFirstTokens
from gateway.adapters.key_folder import KeyFolder
from gateway.adapters.memory_cache import MemoryCache
from gateway.adapters.model_dialects import DIALECTS
from gateway.adapters.outbound import Outbound
from gateway.adapters.pace import Pace
from gateway.adapters.packaged import packaged_disclaimers, packaged_intents, packaged_tasks
from gateway.adapters.pagerduty import PagerDutyTarget
from gateway.adapters.personality_files import PersonalityFiles
from gateway.adapters.prompt_files import PromptFiles
from gateway.adapters.published_models import PublishedModels
from gateway.adapters.redis_bell import RedisBell
from gateway.adapters.redis_budgets import RedisBudgets
from gateway.adapters.redis_cache import RedisCache
from gateway.adapters.redis_link import RedisLink
from gateway.adapters.redis_rates import RedisRates
from gateway.adapters.remote_embeddings import RemoteEmbedder
from gateway.adapters.remote_reranking import RemoteReranker
from gateway.adapters.safety_head import load_safety_head
from gateway.adapters.slack import SECONDS_A_MESSAGE, SlackTarget
from gateway.adapters.sole_cache import SoleCache
from gateway.adapters.sql.opening import is_postgresql
from gateway.adapters.sql.truth import SqlTruth
from gateway.adapters.standard_webhooks import StandardWebhooksTarget
from gateway.adapters.telemetry import HouseTelemetry, collector
from gateway.adapters.turnstile import DEADLINE_S, SiteVerify
from gateway.adapters.web_files import load_web
from gateway.adapters.workshop import ProcessWorkshop
from gateway.bell import Bell
from gateway.commands import Classifier
from gateway.configuration.tools import TOOLS
from gateway.configuration.workflows import EXTENSIONS
from gateway.context import PackedEmbedding, Services, SiteKnowledge, Space
from gateway.embedding import CachedEmbedder
from gateway.pipeline.guard import Guard
from gateway.pipeline.models import Model
from gateway.pipeline.stages import Stage
from gateway.pipeline.tools.tool import Tool
from gateway.rates import SharedRates
from gateway.settings import Settings, TargetSettings

WORKER = (sys.executable, "-P", "-m", "gateway.cli.desk_worker")
"""Starts a process that builds indexes; nothing in the working folder can take its place."""

MOST_KEPT = 20_000
"""Vectors in a process: some fifty megabytes of 384 numbers each."""

TRUTH_S = 4.0
"""A visitor hears within five seconds that the database does not answer."""


@asynccontextmanager
async def open_services(
    settings: Settings,
    knowledge: Mapping[str, SiteKnowledge],
    embedding: PackedEmbedding | None = None,
) -> AsyncIterator[Services]:
    """The services of a process that builds indexes with `embedding`; raises `Unavailable`."""
    async with AsyncExitStack() as opened:
        # First of all: what was signed before the cache began is refused.
        cache = await _open_cache(settings, opened)
        bell = _open_bell(settings, opened)
        telemetry = _open_telemetry(settings, opened)
        truth = SqlTruth(settings.database_url, clock=time.time, deadline_s=TRUTH_S)
        await truth.start()
        opened.push_async_callback(truth.close)
        outbound = Outbound(settings.private_endpoints, propagated=telemetry.propagated)
        opened.push_async_callback(outbound.close)
        commands = _open_commands(settings, outbound, telemetry, opened)
        # Signatures say whole seconds: whoever signs from here on signs after the cache began.
        await asyncio.sleep(max(0.0, math.ceil(cache.since) - time.time()))
        yield Services(
            settings=settings,
            clock=time.time,
            random=secrets.token_bytes,
            keys=own_keys(settings),
            verifier=LocalVerifier(),
            cache=cache,
            truth=truth,
            models=_open_models(settings, outbound, opened),
            targets=build_targets(settings, outbound, cache),
            knowledge=knowledge,
            web=load_web(settings.web_dir),
            turnstile=_open_turnstile(settings, opened),
            workshop=ProcessWorkshop(settings, WORKER, worker_environment(os.environ)),
            embedding=embedding,
            bell=bell,
            telemetry=telemetry,
            disk=lambda: _space(settings.data_dir),
            commands=commands,
            stages=installed_stages(),
            tools=_installed_tools(),
            prompts=PromptFiles(settings.prompts, time.monotonic),
            personalities=PersonalityFiles(settings.personalities, time.monotonic),
            disclaimers=packaged_disclaimers(),
            tasks=packaged_tasks(),
            intents=packaged_intents(),
            guard=_guard(embedding, telemetry) if settings.models else None,
            local_models=_open_local_models(settings),
            budgets=_open_budgets(settings, opened),
            rates=_open_rates(settings, telemetry, opened),
        )


def _open_models(
    settings: Settings, outbound: Outbound, opened: AsyncExitStack
) -> tuple[Model, ...]:
    models = []
    for each in settings.models:
        transport = DIALECTS[each.dialect](each, outbound.transport(), settings.limits.connect_s)
        opened.push_async_callback(transport.close)
        breaker = Breaker(time.monotonic)
        models.append(
            Model(
                each.name,
                transport,
                breaker,
                each.context_tokens,
                price=each.price,
                provider=each.dialect,
            )
        )
    return tuple(models)


def _open_turnstile(settings: Settings, opened: AsyncExitStack) -> SiteVerify:
    outbound = Outbound(settings.private_endpoints, timeout_s=DEADLINE_S)
    opened.push_async_callback(outbound.close)
    return SiteVerify(outbound)


def _open_commands(
    settings: Settings, outbound: Outbound, telemetry: HouseTelemetry, opened: AsyncExitStack
) -> Classifier:
    first_tokens = _open_first_tokens(settings, outbound, opened)
    return Classifier(load_command_head(), first_tokens, telemetry=telemetry)


def _open_first_tokens(
    settings: Settings, outbound: Outbound, opened: AsyncExitStack
) -> OpenAiFirstTokens | None:
    """Only a server of OpenAI's dialect tells them; of several the preferred one is asked."""
    told = next((each for each in settings.models if each.dialect == "openai"), None)
    if told is None:
        return None
    first_tokens = OpenAiFirstTokens(told, outbound.transport(), time.monotonic)
    opened.push_async_callback(first_tokens.close)
    return first_tokens


def installed_stages() -> dict[str, Stage]:
    """The stages of packages that are installed beside, by their registered names."""
    return {each.name: each.load()() for each in entry_points(group=EXTENSIONS)}


def _installed_tools() -> tuple[Tool, ...]:
    return tuple(each.load()() for each in entry_points(group=TOOLS))


def _guard(embedding: PackedEmbedding | None, telemetry: HouseTelemetry) -> Guard | None:
    head = load_safety_head(embedding.table if embedding else None)
    return Guard(head, telemetry) if head else None


def _open_local_models(settings: Settings) -> PublishedModels | None:
    """What visitors' browsers may run. Raises `BadPublication`."""
    ids = [name for site in settings.sites for name in site.local_models]
    encoders = [site.encoder for site in settings.sites if site.encoder]
    if settings.models_dir is None or not (ids or encoders):
        return None
    return PublishedModels(settings.models_dir, ids, encoders)


def _space(folder: Path) -> Space | None:
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None
    return Space(usage.free, usage.total)


def own_keys(settings: Settings) -> KeyFolder:
    """The gateway's keys, the first made on first use."""
    return KeyFolder(settings.data_dir / "keys", clock=time.time)


def figures_folder(settings: Settings) -> Path:
    """Where several processes keep their figures together."""
    return settings.data_dir / "figures"


@dataclass(frozen=True, slots=True)
class Encoders:
    """What the settings name for embedding and reranking; None for what they do not name."""

    embedder: Embedder | None
    reranker: Reranker | None


@asynccontextmanager
async def open_encoders(settings: Settings) -> AsyncIterator[Encoders]:
    """The servers that embed and rerank; vectors are kept in Redis where one is named.

    Else in this process, apart from what must not be forgotten, and no more than `MOST_KEPT`.
    Raises `Unavailable` where Redis does not answer.
    """
    async with AsyncExitStack() as opened:
        outbound = Outbound(settings.private_endpoints)
        opened.push_async_callback(outbound.close)
        embedder = reranker = None
        if settings.embeddings is not None:
            remote = RemoteEmbedder(settings.embeddings, outbound.transport(), time.monotonic)
            opened.push_async_callback(remote.close)
            redis = settings.redis_url.reveal()
            kept: Cache = MemoryCache(clock=time.time, capacity=MOST_KEPT)
            embedder = CachedEmbedder(remote, await _open_redis(redis, opened) if redis else kept)
        if settings.rerank is not None:
            reranker = RemoteReranker(settings.rerank, outbound.transport(), time.monotonic)
            opened.push_async_callback(reranker.close)
        yield Encoders(embedder, reranker)


def _open_telemetry(settings: Settings, opened: AsyncExitStack) -> HouseTelemetry:
    url = settings.telemetry.collector
    shared = figures_folder(settings) if settings.workers > 1 else None
    telemetry = HouseTelemetry(collector(url) if url else None, shared=shared)
    opened.push_async_callback(asyncio.to_thread, telemetry.close)
    return telemetry


def _open_bell(settings: Settings, opened: AsyncExitStack) -> Bell:
    """Heard in other processes too where Redis carries it."""
    redis = settings.redis_url.reveal()
    if not redis:
        return Bell()
    carried = RedisBell(redis, random=secrets.token_bytes)
    carried.start()
    opened.push_async_callback(carried.close)
    return carried.bell


async def _open_cache(settings: Settings, opened: AsyncExitStack) -> Cache:
    """In Redis where one is named, else in this process, which then has its database to itself."""
    redis = settings.redis_url.reveal()
    sole = await _open_presence(settings, opened)
    if not redis:
        return SoleCache(clock=time.time, sole=sole) if sole else MemoryCache(clock=time.time)
    return await _open_redis(redis, opened)


def _open_budgets(settings: Settings, opened: AsyncExitStack) -> RedisBudgets | None:
    """Where the settings say so; the cache has looked whether that server is fit for it."""
    if settings.routing.budgets != "redis":
        return None
    budgets = RedisBudgets(RedisLink(settings.redis_url.reveal()))
    opened.push_async_callback(budgets.close)
    return budgets


def _open_rates(
    settings: Settings, telemetry: HouseTelemetry, opened: AsyncExitStack
) -> SharedRates | None:
    """Counted in Redis where one is named; None where this process counts by itself."""
    redis, limit = settings.redis_url.reveal(), settings.routing.rate_limit
    if not redis:
        return None
    shared = RedisRates(RedisLink(redis, deadline_s=redis_rates.DEADLINE_S), limit)
    opened.push_async_callback(shared.close)
    return SharedRates(shared, ProcessRates(limit, time.time), telemetry)


async def _open_redis(url: str, opened: AsyncExitStack) -> RedisCache:
    cache = RedisCache(url, clock=time.time, random=secrets.token_bytes)
    await cache.start()
    opened.push_async_callback(cache.close)
    return cache


async def _open_presence(
    settings: Settings, opened: AsyncExitStack
) -> Callable[[], float | None] | None:
    """Says since when no gateway is at this PostgreSQL database that may not be there."""
    if not is_postgresql(settings.database_url):
        return None
    # Its driver is loaded where it is used.
    from gateway.adapters.sql.presence import Presence  # noqa: PLC0415

    alone = not settings.redis_url.reveal()
    presence = Presence(settings.database_url, clock=time.time, alone=alone)
    await presence.start()
    opened.push_async_callback(presence.close)
    return lambda: presence.since


def worker_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what is the gateway's own: its settings, and its secrets."""
    return {name: value for name, value in environ.items() if not name.startswith("FANLIGHT_")}


def build_targets(
    settings: Settings, outbound: Outbound, cache: Cache | None = None
) -> dict[str, Target]:
    """The targets of the settings by their names; targets that share a channel share its pace."""
    channels = {each.channel for each in settings.targets}
    paces = {name: Pace(SECONDS_A_MESSAGE, f"pace:{name}", cache) for name in channels}
    names = {site.key: site.name for site in settings.sites}
    console = settings.console_url
    severity = {site.key: site.severity for site in settings.sites}
    makers: dict[str, Callable[[TargetSettings], Target]] = {
        "webhook": lambda each: StandardWebhooksTarget(each, outbound),
        "slack": lambda each: SlackTarget(
            each, outbound, paces[each.channel], site_names=names, console_url=console
        ),
        "pagerduty": lambda each: PagerDutyTarget(
            each, outbound, site_names=names, severity=severity, console_url=console
        ),
    }
    return {each.name: makers[each.kind](each) for each in settings.targets}
