"""The built-in demo: one site that knows Fanlight's own FAQ, on this machine, with no file.

Decides its addresses and where it keeps its data. The operator token comes from the environment,
else it is made once and kept in the data folder, readable by its owner alone.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import kb
from gateway.configuration.addresses import Address, BadAddress, parse_address
from gateway.configuration.flaws import ConfigurationError, Flaw
from gateway.configuration.parse import parse_settings
from gateway.settings import Settings, model_variable

DEMO_SITE: Final = "site_demo"
TOKEN_FILE: Final = "operator-token"  # noqa: S105 - a file name
_TOKEN_BYTES: Final = 24
_ONE_MODEL: Final = {"FANLIGHT_LLM_URL", "FANLIGHT_LLM_MODEL", "FANLIGHT_LLM_KEY"}


LOOPBACKS: Final = frozenset({"127.0.0.1", "::1", "localhost"})
SMALL: Final = "smollm2-135m"
"""The model that runs beside the demo, and that it offers to browsers, once it was fetched."""

ENCODERS: Final = ("multilingual-e5-small", "all-minilm-l6-v2")
"""What the demo offers to browsers for a better search, once it was published; the first is taken:
its pages are in three languages."""

SMALL_MODEL: Final = {"first_token_s": 20.0, "between_tokens_s": 10.0, "max_tokens": 200}
"""A model on this machine's processor is small, begins late, and does not end by itself."""

SMALL_MODEL_PRICES: Final = {"read_usd": 0.1, "written_usd": 0.4}
LARGE_MODEL_PRICES: Final = {"read_usd": 3.0, "written_usd": 15.0}
"""US dollars for a million tokens: examples of what a small and a large hosted model cost. What
runs on this machine costs nothing, and a console full of noughts would show nothing."""

SMALL_TIER: Final = "everyday-example"
LARGE_TIER: Final = "hard-example"
HARD_FROM: Final = 0.25
"""The complexity from which a question is one for the dearer tier."""

STAND_IN: Final = "large-example"
"""The dear tier's model: the same weights, standing in for a large model."""

DAILY_USD: Final = 1.0
A_MINUTE: Final = 60
"""Turns of one visitor; the usual ten of a stranger are soon tried out on one's own machine."""


def demo_settings(
    project_root: Path, environ: Mapping[str, str], *, port: int = 8000, page_port: int = 8001
) -> Settings:
    """The demo's settings; its data is in `.fanlight/` of `project_root`, or FANLIGHT_DATA_DIR.

    A model server on this machine is waited for longer; where it has the demo's own small model,
    there are two tiers with example prices. Writes the operator token where there is none. Raises
    `ConfigurationError`.
    """
    variables = dict(environ)
    model = _model_address(variables)
    site: dict[str, object] = {
        "key": DEMO_SITE,
        "name": "Fanlight",
        "origins": [f"http://localhost:{page_port}", f"http://127.0.0.1:{page_port}"],
        "kb": [str(Path(kb.__file__).parent / "data")],
        "accent": "#1f5f8b",
    }
    document: dict[str, Any] = {
        "gateway": {"port": port, "private_endpoints": [model.endpoint] if model else []},
        "sites": [site],
    }
    published = published_folder(demo_folder(project_root, variables))
    if (published / f"{SMALL}.json").exists():
        document["gateway"] |= {"models_dir": str(published)}
        site["local_models"] = [SMALL]
    for encoder in ENCODERS:
        if (published / f"{encoder}.json").exists():
            document["gateway"] |= {"models_dir": str(published)}
            site.setdefault("encoder", encoder)
    if model is not None and model.host in LOOPBACKS:
        document["limits"] = SMALL_MODEL
        if variables.get("FANLIGHT_LLM_MODEL") == SMALL:
            site["daily_usd"] = DAILY_USD
            document |= _tiers(variables["FANLIGHT_LLM_URL"])
            key = variables.get("FANLIGHT_LLM_KEY", "")
            variables |= dict.fromkeys(map(model_variable, (SMALL, STAND_IN)), key)
            # They are in the document, by names that the console shows.
            variables = {name: variables[name] for name in variables.keys() - _ONE_MODEL}
    if not variables.get("FANLIGHT_OPERATOR_TOKEN"):
        variables["FANLIGHT_OPERATOR_TOKEN"] = kept_token(demo_folder(project_root, variables))
    settings, flaws = parse_settings(document, variables, project_root)
    if flaws:
        raise ConfigurationError(flaws)
    return settings


def _tiers(url: str) -> dict[str, Any]:
    """Two tiers over the one small model, so that a new user sees how questions are routed."""
    served = {"url": url, "model": SMALL}
    return {
        "models": [
            {"name": SMALL, **served, **SMALL_MODEL_PRICES},
            {"name": STAND_IN, **served, **LARGE_MODEL_PRICES},
        ],
        "routing": {"mode": "tiered"},
        "tiers": [
            {"name": SMALL_TIER, "models": [SMALL], "high": HARD_FROM},
            {"name": LARGE_TIER, "models": [STAND_IN], "low": HARD_FROM},
        ],
        "permissions": {"zero_trust": {"max_tier": LARGE_TIER, "rate_limit": A_MINUTE}},
    }


def demo_folder(project_root: Path, environ: Mapping[str, str]) -> Path:
    """Where the demo keeps its data."""
    return Path(environ.get("FANLIGHT_DATA_DIR") or project_root / ".fanlight")


def published_folder(data: Path) -> Path:
    """Where the demo publishes models for browsers, in its data folder."""
    return data / "published"


def kept_token(folder: Path) -> str:
    """The token of this folder, made on first use (mode 0600)."""
    path = folder / TOKEN_FILE
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            # O_EXCL: two first starts at once agree on one token.
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text(encoding="ascii").strip()
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(_TOKEN_BYTES) + "\n")
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        remedy = f"Make {folder} writable, or set FANLIGHT_DATA_DIR or FANLIGHT_OPERATOR_TOKEN."
        detail = f"The token in {path} can be neither read nor written."
        raise ConfigurationError([Flaw("FANLIGHT_OPERATOR_TOKEN", detail, remedy)]) from error


def _model_address(environ: Mapping[str, str]) -> Address | None:
    """Whoever starts the demo and names a model server means that one, be it on this machine."""
    try:
        return parse_address(environ.get("FANLIGHT_LLM_URL", ""))
    except BadAddress:
        return None
