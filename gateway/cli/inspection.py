"""What `fanlight check` looks at, one function each, and what each found.

Decides when a thing is fit to run. Changes nothing, save that it tries to write a file in the data
folder and removes it. Calls the model server, PostgreSQL and Redis only where it is asked to.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

from core.errors import Unavailable
from core.ports import Prompt
from gateway.adapters.model_dialects import DIALECTS
from gateway.adapters.personality_files import PersonalityFiles, load
from gateway.adapters.prompt_files import PromptFiles
from gateway.cli.answering import stores
from gateway.cli.builders import installed_tools
from gateway.cli.encoders import ENCODER_KEYS, encoders
from gateway.cli.finding import Finding
from gateway.cli.knowledge import given_index, read_site, read_sources, shown
from gateway.configuration import Flaw
from gateway.configuration.routing_hints import routing_warnings
from gateway.loader import CURRENT, MARK
from gateway.pipeline.personality.form import BadPersonality
from gateway.settings import ModelSettings, Settings, SiteSettings
from kb import IndexFormatError, load_index

ONLINE_S: Final = 3.0
ASSETS: Final = ("loader.js", "panel.html", "console.html", "sw.js", "precache.json")
_TOKEN: Final = "FANLIGHT_OPERATOR_TOKEN"  # noqa: S105 - a variable's name


def inspect(settings: Settings | None, flaws: Sequence[Flaw], *, online: bool) -> list[Finding]:
    """Look at everything; without settings (an unreadable file) only the flaws are known."""
    found = _flaws(flaws)
    if settings is None:
        return found
    found.extend((_data_dir(settings.data_dir), _web(settings.web_dir), _proxies(settings)))
    if not any(flaw.key.endswith(("database_url", "DATABASE_URL", "REDIS_URL")) for flaw in flaws):
        found.extend(stores(settings, online=online))
    for site in settings.sites:
        found.extend((*_knowledge(site), _embedding(site)))
    if not any(flaw.key == _TOKEN for flaw in flaws):
        found.append(Finding("operator token", "ok", _TOKEN, "long and varied enough"))
    if not any(flaw.key.startswith(("model.", "models", "FANLIGHT_LLM_")) for flaw in flaws):
        found.extend(_models(settings, online=online))
    if not any(flaw.key.startswith(ENCODER_KEYS) for flaw in flaws):
        found.extend(encoders(settings, online=online))
    return [*found, *_prompts(settings), *_personalities(settings), *_routing(settings)]


def _flaws(flaws: Iterable[Flaw]) -> list[Finding]:
    found = [
        Finding(
            "operator token" if flaw.key == _TOKEN else "settings",
            "failed",
            flaw.key,
            flaw.detail,
            flaw.remedy,
        )
        for flaw in flaws
    ]
    return found or [Finding("settings", "ok", "fanlight.toml", "every key is known and in range")]


def _proxies(settings: Settings) -> Finding:
    """An https address means a proxy before the gateway, which speaks http itself."""
    key = "gateway.trusted_proxies"
    if settings.trusted_proxies or not settings.public_url.startswith("https://"):
        return Finding("proxies", "ok", key, "visitors are told apart by their own addresses")
    detail = "A proxy must stand before an https address, and none is trusted."
    remedy = 'List its address, such as "127.0.0.1"; else all visitors share one limit.'
    return Finding("proxies", "failed", key, detail, remedy)


def _data_dir(folder: Path) -> Finding:
    """Whether files can be written there; a missing folder is judged by where it would be made."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with TemporaryFile(dir=there):
            pass
    except OSError as error:
        remedy = "Make it writable, or set gateway.data_dir or FANLIGHT_DATA_DIR."
        detail = f"{folder}: {error.strerror}"
        return Finding("data folder", "failed", "gateway.data_dir", detail, remedy)
    state = "can be written" if there == folder else "will be made on the first run"
    return Finding("data folder", "ok", "gateway.data_dir", f"{shown(folder)} {state}")


def _web(folder: Path) -> Finding:
    missing = [name for name in ASSETS if not (folder / name).is_file()]
    remedy = "Build them with `npm --prefix web run build`, or set gateway.web_dir."
    if missing:
        detail = f"{folder} lacks {', '.join(missing)}"
        return Finding("web assets", "failed", "gateway.web_dir", detail, remedy)
    if MARK not in (folder / CURRENT).read_bytes():
        detail = f"{folder / CURRENT} has no place for this gateway's address"
        return Finding("web assets", "failed", "gateway.web_dir", detail, remedy)
    return Finding("web assets", "ok", "gateway.web_dir", "built")


def _embedding(site: SiteSettings) -> Finding:
    pages = ", ".join(site.origins)
    detail = f"{pages}; `fanlight embed {site.key}` prints the tag"
    return Finding("embedding", "ok", f"sites[{site.key}].origins", detail)


def _knowledge(site: SiteSettings) -> list[Finding]:
    name, key = "knowledge base", f"sites[{site.key}].kb"
    given = given_index(site)
    if given is not None:
        return [_index(given, key)]
    reading = read_site(site, read_sources(site))
    bad = [
        Finding(name, "failed", key, str(problem), "Mend the row; the others still count.")
        for problem in reading.problems
    ]
    if not reading.entries:
        remedy = "Write entries into the files that it names; `fanlight init` shows the form."
        return [*bad, Finding(name, "failed", key, "there is no entry to answer with", remedy)]
    languages = ", ".join(sorted({entry.locale for entry in reading.entries}))
    return [*bad, Finding(name, "ok", key, f"{len(reading.entries)} entries ({languages})")]


def _index(path: Path, key: str) -> Finding:
    try:
        index = load_index(path.read_bytes())
    except (OSError, IndexFormatError) as error:
        remedy = "Build it again with `fanlight kb build`."
        return Finding("knowledge base", "failed", key, f"{shown(path)}: {error}", remedy)
    detail = f"{len(index)} entries ({', '.join(index.locales)})"
    table = installed_tools().table
    if table is not None and index.embedding != table.release:
        # It serves all the same: the vectors of another embedding are left aside.
        detail += "; it knows no meanings here: build it again with `fanlight kb build`"
    return Finding("knowledge base", "ok", key, detail)


def _prompts(settings: Settings) -> list[Finding]:
    """What is broken in the owner's own templates; Fanlight's stand in for none of them."""
    remedy = "Mend it; until then a minimal prompt stands in."
    return [
        Finding("prompt template", "failed", "prompts.folder", f"{name}: {flaw}", remedy)
        for name, flaw in PromptFiles(settings.prompts, time.monotonic).flaws().items()
    ]


def _personalities(settings: Settings) -> list[Finding]:
    """What is wrong with the personalities that sites name, or was left out of them."""
    files = PersonalityFiles(settings.personalities, time.monotonic)
    found = []
    for site in settings.sites:
        if site.personality is None:
            continue
        key = f"sites[{site.key}].personality"
        path = files.path(site.personality)
        if path is None:
            detail = f"there is no {site.personality!r}: {', '.join(files.names())}"
            remedy = "Name one of these, or write it into prompts.personalities."
            found.append(Finding("personality", "failed", key, detail, remedy))
            continue
        found.append(_personality(path, key))
    return found


def _personality(path: Path, key: str) -> Finding:
    try:
        warnings = load(path).warnings
    except BadPersonality as flaws:
        remedy = "Mend it; until then the model speaks as it does."
        return Finding("personality", "failed", key, f"{shown(path)}: {flaws}", remedy)
    left = f": {'; '.join(warnings)}" if warnings else ""
    return Finding("personality", "ok", key, f"{path.stem}{left}")


def _routing(settings: Settings) -> list[Finding]:
    """What is served, and may yet not be what was meant."""
    return [
        Finding("routing", "warned", warning.key, warning.detail, warning.remedy)
        for warning in routing_warnings(settings)
    ]


def _models(settings: Settings, *, online: bool) -> list[Finding]:
    if not settings.models:
        detail = "none is set: a person gets what the KB does not know"
        return [Finding("model server", "skipped", "model.url", detail)]
    return [_model(model, online=online) for model in settings.models]


def _model(model: ModelSettings, *, online: bool) -> Finding:
    name, key = "model server", f"models[{model.name}].url"
    if model.name == "model":
        key = "model.url"
    if not online:
        return Finding(name, "skipped", key, f"{model.url} was not called; --online does")
    flaw = asyncio.run(_ask(model))
    if flaw:
        remedy = "Correct the address, the model's name or the key, or start that server."
        return Finding(name, "failed", key, f"{model.url}: {flaw}", remedy)
    return Finding(name, "ok", key, f"{model.url} answers as {model.model}")


async def _ask(model: ModelSettings) -> str:
    """Ask for one token, just as the gateway would; what is wrong, or nothing."""
    transport = DIALECTS[model.dialect](model, None, ONLINE_S)
    pieces = transport.stream(Prompt(({"role": "user", "content": "Hello"},), max_tokens=1))
    try:
        async with asyncio.timeout(ONLINE_S):
            await anext(pieces, None)
    except TimeoutError:
        return f"no answer within {ONLINE_S:g} s"
    except Unavailable as error:
        return str(error)
    finally:
        await transport.close()
    return ""
