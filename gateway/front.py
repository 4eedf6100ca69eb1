"""The front: the parts that routes share, built once from the services."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from core.model_routing.periods import SiteBudget
from core.model_routing.resolve import Resolver
from core.risk import own_topics
from core.truth import Finished
from gateway import problems
from gateway.attendance import attended, back_at
from gateway.bell import OPERATORS
from gateway.challenges import Challenges
from gateway.context import Services
from gateway.idempotency import Idempotency
from gateway.identity import Identities
from gateway.integrity import Integrity
from gateway.ledger import Ledger
from gateway.personality.serving import SitePersonalities
from gateway.pipeline.answer import Pipeline
from gateway.pipeline.bank import Bank, BankRules
from gateway.pipeline.budget_use import Callers
from gateway.pipeline.builtin import TOOLS, Parts, built_in, chat_stages
from gateway.pipeline.canary import canaries
from gateway.pipeline.deadlines import Deadlines
from gateway.pipeline.disclaimers import Disclaimers
from gateway.pipeline.history import History
from gateway.pipeline.learn.learners import Learners
from gateway.pipeline.reach import Patience
from gateway.pipeline.spending import Spending, SpendingRules
from gateway.pipeline.stages import Workflows, build_workflows
from gateway.pipeline.state import Site
from gateway.pipeline.tools.search import NAME as SEARCH
from gateway.pipeline.tools.toolbox import House, Toolbox, toolbox
from gateway.revocation import Revocations
from gateway.routing import routing_of
from gateway.settings import RoutingSettings, SiteSettings
from gateway.shelf import Shelf
from gateway.tokens import Tokens
from kb import Index
from kb.normalise import words

LENDING: Final = ("people", "all")
"""The settings under which answers are lent."""

RUNNING_MARGIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Front:
    """What the visitor-facing routes work with.

    `running` holds the turns under way, which outlive their requests.
    """

    services: Services
    tokens: Tokens
    integrity: Integrity
    challenges: Challenges
    identities: Identities
    revocations: Revocations
    idempotency: Idempotency
    ledger: Ledger
    shelf: Shelf
    workflows: Workflows
    spending: Spending
    history: History
    resolver: Resolver | None = None
    learners: Learners | None = None
    bank: Bank | None = None
    personalities: SitePersonalities | None = None
    running: set[asyncio.Task[Finished]] = field(default_factory=set)
    gates: asyncio.Lock = field(default_factory=asyncio.Lock)

    def site(self, key: str) -> SiteSettings:
        """The site of this key; raises `Problem`."""
        site = self.services.settings.site(key)
        if site is None:
            raise problems.unknown_site()
        return site

    def pipeline(self, site: str) -> Pipeline:
        """The site's pipeline over what is served now; a turn keeps it to its end.

        Raises `Problem` when the site is gone since the session began.
        """
        settings, limits = self.site(site), self.services.settings.limits
        return Pipeline(
            site=Site(
                key=site,
                name=settings.name,
                index=self.shelf[site].index,
                threshold=settings.confidence_threshold,
                max_tokens=limits.max_tokens,
                manner=self._manner(site),
                time_zone=settings.time_zone,
                tools=settings.tools,
                disclaimers=_disclaimers(settings),
            ),
            workflows=self.workflows,
            time_zone=settings.time_zone,
            attended=partial(attended, settings),
            deadlines=Deadlines(limits.first_token_s, limits.between_tokens_s, limits.turn_s),
            clock=self.services.clock,
            gates=self.gates,
            telemetry=self.services.telemetry,
            back_at=partial(back_at, settings),
            guard=self.services.guard,
            spending=self.spending,
            resolver=self.resolver,
            intents=self.services.intents,
            bank=self.bank,
            canaries=partial(canaries, self.services.random)
            if self.services.settings.canary
            else tuple,
        )

    def _manner(self, site: str) -> Callable[[str], str | None]:
        if self.personalities is None:
            return lambda _locale: None
        return partial(self.personalities.told, site)

    def targets(self, site: str) -> tuple[tuple[str, str], ...]:
        """The names and kinds of the targets that a site's escalations go to."""
        targets = self.services.targets
        return tuple((name, targets[name].kind) for name in self.site(site).targets)


def _disclaimers(site: SiteSettings) -> Disclaimers:
    """A site's own topics of risk, and what is said beside replies on them."""
    words = {topic.name: list(topic.words) for topic in site.risk_topics}
    return Disclaimers(
        own_topics(words), {one.name: one.text for one in site.risk_topics if one.text}
    )


def build_front(services: Services, shelf: Shelf | None = None) -> Front:
    """Put the parts together; without a shelf nobody else replaces what is served."""
    shelf = shelf or Shelf(services.knowledge, services.clock)
    settings, limits = services.settings, services.settings.limits
    tokens = Tokens(services.keys, services.verifier, services.clock, settings.public_url)
    revocations = Revocations(services.truth.revocations, services.clock)
    integrity = Integrity(
        tokens=tokens,
        verifier=services.verifier,
        cache=services.cache,
        clock=services.clock,
        authority=settings.authority,
        limits=limits,
        revocations=revocations,
    )
    idempotency = Idempotency(
        services.truth, services.cache, services.clock, limits.turn_s + RUNNING_MARGIN_S
    )
    ledger = Ledger(services.truth, tokens, services.clock, services.bell)
    learners = _learners(services)
    identities = Identities(services.verifier, services.cache, services.clock)
    spending = build_spending(services)
    return Front(
        services=services,
        tokens=tokens,
        integrity=integrity,
        challenges=Challenges(services, tokens),
        identities=identities,
        revocations=revocations,
        idempotency=idempotency,
        ledger=ledger,
        shelf=shelf,
        workflows=_workflows(services, spending, learners),
        spending=spending,
        history=History(services.truth, services.guard),
        learners=learners,
        bank=_bank(services, shelf),
        personalities=_personalities(services),
        resolver=_resolver(settings.routing),
    )


def _tools(services: Services) -> Toolbox:
    """Fanlight's own tools and those that were handed in."""
    limits = services.settings.limits
    house = House(
        rounds=limits.tool_rounds,
        tool_s=limits.tool_s,
        guard=services.guard,
        commands=services.commands,
        telemetry=services.telemetry,
    )
    return toolbox((*TOOLS, *services.tools), house)


def build_spending(services: Services) -> Spending:
    """What counts the cost of turns: in the truth, or where the services say otherwise."""
    settings, routing = services.settings, services.settings.routing
    budgets = {site.key: SiteBudget(site.daily_usd, site.monthly_usd) for site in settings.sites}
    resolver = _resolver(routing)
    return Spending(
        services.budgets or services.truth.budgets,
        services.clock,
        SpendingRules(budgets, routing.reset_hour_utc, routing.alerts),
        services.telemetry,
        cache=services.cache,
        callers=Callers(resolver.allowed, tuple(routing.permissions.users)) if resolver else None,
        random=services.random,
        ring=lambda: services.bell.ring(OPERATORS),
    )


def _resolver(routing: RoutingSettings) -> Resolver | None:
    """What says who may have what; None where nobody is limited."""
    if not routing.limits_callers:
        return None
    return Resolver(routing.permissions, [tier.name for tier in routing.tiers])


def _bank(services: Services, shelf: Shelf) -> Bank | None:
    """What lends one visitor's answers to another's model; None where nothing is lent."""
    policy, embedding = services.settings.bank, services.embedding
    if policy.answers not in LENDING or embedding is None:
        return None
    sites = services.settings.sites
    # What any other tool gave may be the visitor's own: an order, an appointment.
    open_ones = {site.key for site in sites if {*site.tools} <= {SEARCH}}
    models = frozenset(open_ones if policy.answers == "all" else ())
    rules = BankRules(policy.days, policy.most, models)
    return Bank(
        services.truth.bank,
        rules,
        {site.key: partial(_served, shelf, site.key) for site in sites},
        lambda text: embedding.table.vector(words(text)),
        services.clock,
    )


def _served(shelf: Shelf, site: str) -> Index:
    """The index that is served now."""
    return shelf[site].index


def _personalities(services: Services) -> SitePersonalities | None:
    """How the sites speak; None where no personalities are at hand."""
    if services.personalities is None:
        return None
    return SitePersonalities(
        services.personalities,
        services.truth.personalities,
        services.settings.sites,
        services.bell,
    )


def _learners(services: Services) -> Learners | None:
    """What learns which tier suffices; None where nothing goes by it, or nothing embeds."""
    settings = services.settings
    if settings.routing.mode != "learned" or services.embedding is None:
        return None
    return Learners(
        services.truth.learning,
        [site.key for site in settings.sites],
        [tier.name for tier in settings.routing.tiers],
        services.embedding.table,
        services.clock,
    )


def _workflows(services: Services, spending: Spending, learners: Learners | None) -> Workflows:
    """The workflows of the settings, over Fanlight's own stages and those that were handed in."""
    limits = services.settings.limits
    patience = Patience(limits.first_token_s, limits.model_tries, limits.hedge_after_s)
    parts = Parts(
        services.models,
        patience,
        services.telemetry,
        services.prompts,
        embedding=services.embedding.table if services.embedding else None,
        disclaimers=services.disclaimers,
        tasks=services.tasks,
        routing=routing_of(
            services.settings,
            services.budgets or services.truth.budgets,
            services.clock,
            spending,
            services.rates,
        ),
        predict=learners.predict if learners else None,
        tools=_tools(services),
        purse=spending,
    )
    catalogue = {**built_in(parts), **services.stages}
    return build_workflows(
        catalogue, chat_stages(services.settings.routing.mode), services.settings.workflows
    )
