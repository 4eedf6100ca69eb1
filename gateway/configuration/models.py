"""The models of a configuration: `[model]` and its variables, and `[[models]]` for more than one.

Refuses an address that is none, a model without a name, a dialect that nobody speaks here, and a
key that stands in the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from core.model_routing.decision import Price
from gateway.configuration import rules
from gateway.configuration.flaws import Flaw
from gateway.configuration.reader import Values, read_tables
from gateway.settings import ModelSettings, Secret, model_variable

DIALECTS: Final = ("openai", "anthropic")
"""What a model's server may speak."""


def read_model(
    values: Values, environ: Mapping[str, str], private: tuple[str, ...], flaws: list[Flaw]
) -> ModelSettings | None:
    """The one model of `[model]` or `FANLIGHT_LLM_*`, with everything that is wrong with it."""
    url, url_key = _either(environ, "FANLIGHT_LLM_URL", values["url"], "model.url")
    model, model_key = _either(environ, "FANLIGHT_LLM_MODEL", values["model"], "model.model")
    key = environ.get("FANLIGHT_LLM_KEY", "")
    if url and not model:
        detail = f"{url_key} is set, but no model is named."
        flaws.append(Flaw(model_key, detail, "Set model.model or FANLIGHT_LLM_MODEL."))
    if not url:
        for name, value in ((model_key, model), ("FANLIGHT_LLM_KEY", key)):
            if value:
                remedy = "Set model.url or FANLIGHT_LLM_URL too, or take this out."
                flaws.append(Flaw(name, "There is no model server to use it with.", remedy))
        return None
    _check_address(url, private, url_key, flaws)
    return ModelSettings(
        url.rstrip("/"),
        model,
        Secret(key),
        context_tokens=values["context_tokens"],
        price=Price(values["read_usd"], values["written_usd"]),
    )


def read_models(
    raw: object, environ: Mapping[str, str], private: tuple[str, ...], flaws: list[Flaw]
) -> tuple[ModelSettings, ...]:
    """The models of `[[models]]`, with everything that is wrong with them."""
    found = [
        _one(values, where, environ, private, flaws)
        for where, values in read_tables(raw, "models", flaws)
    ]
    rules.unrepeated((model.name for model in found), "models", "name", flaws)
    return tuple(found)


def _one(
    values: Values,
    where: str,
    environ: Mapping[str, str],
    private: tuple[str, ...],
    flaws: list[Flaw],
) -> ModelSettings:
    name = rules.target_name(values["name"], f"{where}.name", flaws)
    dialect = rules.one_of(values["dialect"], DIALECTS, "dialect", f"{where}.dialect", flaws)
    if values["url"]:
        _check_address(values["url"], private, f"{where}.url", flaws)
    return ModelSettings(
        url=values["url"].rstrip("/"),
        model=values["model"],
        key=Secret(environ.get(model_variable(name), "")),
        name=name,
        dialect=dialect,
        context_tokens=values["context_tokens"],
        price=Price(values["read_usd"], values["written_usd"]),
    )


def _check_address(url: str, private: tuple[str, ...], key: str, flaws: list[Flaw]) -> None:
    address = rules.outbound(url, private, key, flaws)
    if address is not None and not address.rest.startswith("/"):
        remedy = f"Write {address.origin}/v1, or the base path that this server has."
        flaws.append(Flaw(key, "This has no path.", remedy))
    if address is not None and ("?" in address.rest or "#" in address.rest):
        flaws.append(Flaw(key, "This has a query or a fragment.", "Write the base address only."))


def _either(
    environ: Mapping[str, str], variable: str, value: str | None, key: str
) -> tuple[str, str]:
    """The environment's value, else the file's; and which of the two names messages use."""
    if environ.get(variable):
        return environ[variable], variable
    return value or "", key if value else variable
