"""The front: the parts that routes share, built once from the services."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.ports import Finished
from gateway import problems
from gateway.context import Services
from gateway.idempotency import Idempotency
from gateway.integrity import Integrity
from gateway.ledger import Ledger
from gateway.pipeline.answer import Pipeline
from gateway.pipeline.deadlines import Deadlines
from gateway.settings import SiteSettings
from gateway.tokens import Tokens

RUNNING_MARGIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Front:
    """What the visitor-facing routes work with.

    `running` holds the turns under way, which outlive their requests.
    """

    services: Services
    tokens: Tokens
    integrity: Integrity
    idempotency: Idempotency
    ledger: Ledger
    pipelines: Mapping[str, Pipeline]
    running: set[asyncio.Task[Finished]] = field(default_factory=set)

    def site(self, key: str) -> SiteSettings:
        """The site of this key; raises `Problem`."""
        site = self.services.settings.site(key)
        if site is None:
            raise problems.unknown_site()
        return site

    def pipeline(self, site: str) -> Pipeline:
        """The site's pipeline; raises `Problem` when the site is gone since the session began."""
        if site not in self.pipelines:
            raise problems.unknown_site()
        return self.pipelines[site]

    def targets(self, site: str) -> tuple[tuple[str, str], ...]:
        """The names and kinds of the targets that a site's escalations go to."""
        targets = self.services.targets
        return tuple((name, targets[name].kind) for name in self.site(site).targets)


def build_front(services: Services) -> Front:
    """Put the parts together."""
    settings, limits = services.settings, services.settings.limits
    tokens = Tokens(services.signer, services.verifier, services.clock, settings.public_url)
    integrity = Integrity(
        tokens=tokens,
        verifier=services.verifier,
        cache=services.cache,
        clock=services.clock,
        authority=settings.authority,
        limits=limits,
    )
    idempotency = Idempotency(
        services.truth, services.cache, services.clock, limits.turn_s + RUNNING_MARGIN_S
    )
    ledger = Ledger(services.truth, tokens, services.clock, services.bell)
    pipelines = {site.key: _pipeline(services, site) for site in settings.sites}
    return Front(services, tokens, integrity, idempotency, ledger, pipelines)


def _pipeline(services: Services, site: SiteSettings) -> Pipeline:
    limits = services.settings.limits
    return Pipeline(
        name=site.name,
        index=services.knowledge[site.key].index,
        threshold=site.confidence_threshold,
        transport=services.transport,
        deadlines=Deadlines(limits.first_token_s, limits.between_tokens_s, limits.turn_s),
        max_tokens=limits.max_tokens,
        clock=services.clock,
    )
