"""From a parsed `fanlight.toml` and an environment to `Settings`, with everything that is wrong.

Decides defaults that depend on other keys, and what must agree between keys. Opens nothing: whether
files exist is `source`'s question.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from gateway.configuration import identity, rules, stores
from gateway.configuration.addresses import BadAddress, is_local, parse_origin
from gateway.configuration.encoders import read_encoders
from gateway.configuration.flaws import Flaw
from gateway.configuration.greetings import read_greetings
from gateway.configuration.models import read_model, read_models
from gateway.configuration.reader import Values, hint, read_table, read_tables
from gateway.configuration.risk_topics import read_risk_topics
from gateway.configuration.routing import read_routing
from gateway.configuration.routing_rules import routing_flaws
from gateway.configuration.table import LENT
from gateway.configuration.targets import read_targets
from gateway.configuration.tools import with_tools
from gateway.configuration.workflows import read_workflows
from gateway.settings import (
    BankSettings,
    LimitSettings,
    RetentionSettings,
    Secret,
    Settings,
    SiteSettings,
    TargetSettings,
    TelemetrySettings,
    TurnstileSettings,
)

SECTIONS: Final = (
    "gateway",
    "sites",
    "targets",
    "model",
    "models",
    "embeddings",
    "rerank",
    "prompts",
    "routing",
    "tiers",
    "permissions",
    "workflows",
    "limits",
    "telemetry",
    "retention",
    "bank",
)
WEB_DIR: Final = Path(__file__).resolve().parents[2] / "web" / "dist"


def parse_settings(
    document: Mapping[str, Any],
    environ: Mapping[str, str],
    base: Path,
    stages: Collection[str] = (),
    tools: Collection[str] = (),
) -> tuple[Settings, list[Flaw]]:
    """Settings and all their flaws; with any flaw the settings serve only to look further.

    Relative paths of the document start at `base`, those of the environment at the working folder.
    `stages` and `tools` are those of others that are installed here, by name.
    """
    flaws: list[Flaw] = []
    for name in document:
        if name not in SECTIONS:
            remedy = hint(name, SECTIONS, f"Known sections: {', '.join(SECTIONS)}.")
            flaws.append(Flaw(name, "There is no such section.", remedy))
    values = read_table(document.get("gateway", {}), "gateway", "gateway", flaws)
    settings = _gateway(values, environ, base, flaws)
    private = settings.private_endpoints
    targets = read_targets(document.get("targets", []), environ, private, flaws)
    model = read_table(document.get("model", {}), "model", "model", flaws)
    limits = read_table(document.get("limits", {}), "limits", "limits", flaws)
    embeddings, rerank = read_encoders(document, environ, private, flaws)
    sites = _sites(document.get("sites", []), targets, base, environ, flaws)
    settings = replace(
        settings,
        targets=targets,
        sites=tuple(
            with_tools(site, values, where, tools, flaws) for site, (where, values) in sites
        ),
        model=read_model(model, environ, private, flaws),
        more_models=read_models(document.get("models", []), environ, private, flaws),
        embeddings=embeddings,
        rerank=rerank,
        **_prompts(document.get("prompts", {}), base, flaws),
        workflows=read_workflows(document.get("workflows", []), stages, flaws),
        routing=read_routing(document, flaws),
        limits=LimitSettings(**limits),
        retention=_retention(document.get("retention", {}), flaws),
        bank=_bank(document.get("bank", {}), flaws),
        telemetry=_telemetry(document.get("telemetry", {}), environ, flaws),
        operator_token=Secret(
            rules.operator_token(environ.get("FANLIGHT_OPERATOR_TOKEN", ""), flaws)
        ),
    )
    stores.counts(settings.routing.budgets, settings.redis_url.reveal(), flaws)
    flaws.extend(routing_flaws(settings))
    return settings, flaws


def _gateway(values: Values, environ: Mapping[str, str], base: Path, flaws: list[Flaw]) -> Settings:
    data_dir = _folder(environ.get("FANLIGHT_DATA_DIR"), values["data_dir"], base)
    port: int = values["port"]
    public = rules.origin(
        values["public_url"] or f"http://localhost:{port}", "gateway.public_url", flaws
    )
    apart = values["console_port"] if values["workers"] > 1 else None
    console = values["console_url"] or _console_beside(public, apart)
    database, database_key = values["database_url"], "gateway.database_url"
    if environ.get("FANLIGHT_DATABASE_URL"):
        database, database_key = environ["FANLIGHT_DATABASE_URL"], "FANLIGHT_DATABASE_URL"
    settings = Settings(
        public_url=public,
        console_url=rules.origin(console, "gateway.console_url", flaws),
        data_dir=data_dir,
        database_url=stores.database_url(
            database or f"{stores.SQLITE}{data_dir / 'fanlight.db'}", database_key, flaws
        ),
        web_dir=base / values["web_dir"] if values["web_dir"] else WEB_DIR,
        sites=(),
        operator_token=Secret(""),
        host=rules.listen_host(values["host"], "gateway.host", flaws),
        port=port,
        workers=values["workers"],
        console_port=values["console_port"],
        redis_url=Secret(stores.redis_url(environ.get(stores.REDIS_VARIABLE, ""), flaws)),
        private_endpoints=rules.endpoints(
            values["private_endpoints"], "gateway.private_endpoints", flaws
        ),
        trusted_proxies=rules.networks(values["trusted_proxies"], "gateway.trusted_proxies", flaws),
        models_dir=base / values["models_dir"] if values["models_dir"] else None,
    )
    _keep_apart(settings, flaws)
    stores.enough_for(settings.workers, settings.redis_url.reveal(), flaws)
    _ports_apart(settings, flaws)
    return settings


def _prompts(raw: object, base: Path, flaws: list[Flaw]) -> dict[str, Any]:
    """What models are told, by the settings' names."""
    values = read_table(raw, "prompts", "prompts", flaws)
    named = {"prompts": values["folder"], "personalities": values["personalities"]}
    folders = {name: base / path if path else None for name, path in named.items()}
    return {**folders, "canary": values["canary"]}


def _retention(raw: object, flaws: list[Flaw]) -> RetentionSettings:
    return RetentionSettings(**read_table(raw, "retention", "retention", flaws))


def _bank(raw: object, flaws: list[Flaw]) -> BankSettings:
    values = read_table(raw, "bank", "bank", flaws)
    rules.one_of(values["answers"], LENT, "answer", "bank.answers", flaws)
    return BankSettings(**values)


def _telemetry(raw: object, environ: Mapping[str, str], flaws: list[Flaw]) -> TelemetrySettings:
    values = read_table(raw, "telemetry", "telemetry", flaws)
    collector = values["collector"] or ""
    if collector:
        collector = rules.origin(collector, "telemetry.collector", flaws)
    token = rules.metrics_token(environ.get("FANLIGHT_METRICS_TOKEN", ""), flaws)
    return TelemetrySettings(collector, Secret(token))


def _folder(from_environment: str | None, from_file: str, base: Path) -> Path:
    if from_environment:
        return Path(from_environment).absolute()
    return (base / from_file).absolute()


def _console_beside(public: str, port: int | None) -> str:
    """The console's address where none is given; an IP address cannot have one beside it.

    A local one follows `port`, where the console has its own: no proxy leads there.
    """
    try:
        address = parse_origin(public)
    except BadAddress:
        return "http://console.localhost:8000"
    named = not (address.host.replace(".", "").isdigit() or ":" in address.host)
    if not named:
        return public
    if port is not None and is_local(address.host):
        address = replace(address, port=port)
    return replace(address, host=f"console.{address.host}").origin


def _keep_apart(settings: Settings, flaws: list[Flaw]) -> None:
    """The console needs a host of its own: cookies do not tell ports apart, and the panel's do."""
    console, public = urlsplit(settings.console_url), urlsplit(settings.public_url)
    if console.hostname == public.hostname:
        detail = "The console has the same host as gateway.public_url."
        remedy = "Give it a host name of its own, such as https://console.example.com."
        flaws.append(Flaw("gateway.console_url", detail, remedy))


def _ports_apart(settings: Settings, flaws: list[Flaw]) -> None:
    if settings.workers > 1 and settings.console_port == settings.port:
        detail = "With several workers the console has a port of its own."
        flaws.append(Flaw("gateway.console_port", detail, "Choose another than gateway.port."))


def _sites(
    raw: object,
    targets: tuple[TargetSettings, ...],
    base: Path,
    environ: Mapping[str, str],
    flaws: list[Flaw],
) -> list[tuple[SiteSettings, tuple[str, Values]]]:
    """The sites, each with its table and what messages call that."""
    known = tuple(target.name for target in targets)
    tables = read_tables(raw, "sites", flaws)
    found = [
        replace(
            _site(values, where, known, base, flaws),
            turnstile=_turnstile(values, where, environ, flaws),
            api_key=_api_key(values, environ, flaws),
        )
        for where, values in tables
    ]
    if raw == []:
        remedy = "Add a [[sites]] table; `fanlight init` writes one to start from."
        flaws.append(Flaw("sites", "There is no site to serve.", remedy))
    rules.unrepeated((site.key for site in found), "sites", "key", flaws)
    return list(zip(found, tables, strict=True))


def _site(
    values: Values, where: str, targets: tuple[str, ...], base: Path, flaws: list[Flaw]
) -> SiteSettings:
    locales = rules.locales(values["locales"], f"{where}.locales", flaws)
    default = values["default_locale"] or next(iter(locales), "")
    origins = rules.origins(values["origins"], f"{where}.origins", flaws)
    for name in values["targets"]:
        rules.one_of(name, targets, "target", f"{where}.targets", flaws)
    return SiteSettings(
        key=rules.site_key(values["key"], f"{where}.key", flaws),
        name=rules.site_name(values["name"], f"{where}.name", flaws),
        origins=origins,
        kb=tuple((base / path).absolute() for path in values["kb"]),
        locales=locales,
        default_locale=rules.one_of(default, locales, "locale", f"{where}.default_locale", flaws),
        time_zone=rules.time_zone(values["time_zone"], f"{where}.time_zone", flaws),
        accent=rules.accent(values["accent"], f"{where}.accent", flaws),
        theme=rules.one_of(
            values["theme"] or "auto", rules.THEMES, "theme", f"{where}.theme", flaws
        ),
        confidence_threshold=values["confidence_threshold"],
        targets=tuple(dict.fromkeys(values["targets"])),
        identity=identity.declared(values, where, base, flaws),
        hours=rules.hours(values["hours"], f"{where}.hours", flaws),
        severity=rules.severity(values["severity"], f"{where}.severity", flaws),
        greetings=read_greetings(values["greetings"], where, origins, locales, flaws),
        voice=values["voice"],
        local_models=tuple(dict.fromkeys(values["local_models"])),
        risk_topics=read_risk_topics(values["risk_topics"], where, locales, flaws),
        encoder=values["encoder"] or None,
        personality=values["personality"],
        daily_usd=values["daily_usd"],
        monthly_usd=values["monthly_usd"],
    )


def _api_key(values: Values, environ: Mapping[str, str], flaws: list[Flaw]) -> Secret:
    variable = f"FANLIGHT_SITE_{values['key'].upper()}_API_KEY"
    return Secret(rules.api_key(environ.get(variable, ""), variable, flaws))


def _turnstile(
    values: Values, where: str, environ: Mapping[str, str], flaws: list[Flaw]
) -> TurnstileSettings | None:
    variable = f"FANLIGHT_TURNSTILE_{values['key'].upper()}_SECRET"
    site_key, secret = values["turnstile_site_key"] or "", environ.get(variable, "")
    if not site_key and not secret:
        return None
    if not site_key:
        remedy = f"Set it to the widget's site key, or take {variable} out."
        flaws.append(Flaw(f"{where}.turnstile_site_key", "There is a secret alone.", remedy))
    if not secret:
        remedy = "Set it to the secret that Cloudflare shows beside the widget's site key."
        flaws.append(Flaw(variable, "This Turnstile widget has no secret.", remedy))
    return TurnstileSettings(site_key, Secret(secret))
