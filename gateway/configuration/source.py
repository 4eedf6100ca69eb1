"""Finds and opens what settings come from: `fanlight.toml`, a `.env` beside it, the environment.

Decides precedence: the environment, then `.env`, then the file. Refuses files that cannot be read,
knowledge-base paths that do not exist, and files of keys that hold none.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final

from gateway.configuration import identity
from gateway.configuration.flaws import ConfigurationError, Flaw
from gateway.configuration.parse import parse_settings
from gateway.configuration.tools import TOOLS
from gateway.configuration.workflows import EXTENSIONS
from gateway.settings import Settings

CONFIG_NAME: Final = "fanlight.toml"
_ASSIGNMENT: Final = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")


def find_config(path: Path | None, environ: Mapping[str, str]) -> Path:
    """Where the file is: the argument, else FANLIGHT_CONFIG, else the working folder."""
    if path is not None:
        return path
    return Path(environ.get("FANLIGHT_CONFIG") or CONFIG_NAME)


def read_settings(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read, check and return the settings. Raises `ConfigurationError` with every flaw."""
    settings, flaws = examine_settings(path, environ)
    if settings is None or flaws:
        raise ConfigurationError(flaws)
    return settings


def examine_settings(
    path: Path | None, environ: Mapping[str, str]
) -> tuple[Settings | None, list[Flaw]]:
    """Settings as far as they can be read (None when the file cannot), and every flaw."""
    found = find_config(path, environ)
    document, flaws = _document(found)
    if document is None:
        return None, flaws
    base = found.absolute().parent
    variables, bad_lines = environment(base, environ)
    stages = entry_points(group=EXTENSIONS).names
    tools = entry_points(group=TOOLS).names
    settings, more = parse_settings(document, variables, base, stages, tools)
    settings, bad_keys = identity.loaded(settings)
    missing = (*_missing_files(settings), *_missing_models(settings))
    return settings, [*bad_lines, *more, *bad_keys, *missing]


def environment(folder: Path, environ: Mapping[str, str]) -> tuple[dict[str, str], list[Flaw]]:
    """The environment over the FANLIGHT_ variables of the folder's `.env`, and its bad lines."""
    path = folder / ".env"
    values: dict[str, str] = {}
    flaws: list[Flaw] = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        lines = []
    except (OSError, UnicodeDecodeError) as error:
        lines = []
        remedy = "Make it a readable UTF-8 file, or remove it."
        flaws.append(Flaw(path.name, f"{_reason(error)}.", remedy))
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        match = _ASSIGNMENT.fullmatch(text)
        if match is None:
            # Not the line itself: it may hold a secret.
            flaws.append(Flaw(f"{path.name}:{number}", "This is not NAME=value.", "Mend the line."))
        elif match[1].startswith("FANLIGHT_"):
            values[match[1]] = _unquoted(match[2])
    return {**values, **environ}, flaws


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value


def _document(path: Path) -> tuple[dict[str, Any] | None, list[Flaw]]:
    name = str(path)
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig")), []
    except FileNotFoundError:
        remedy = (
            "Write one with `fanlight init`, name one with --config, or try `fanlight run --demo`."
        )
        return None, [Flaw(name, "There is no such file.", remedy)]
    except UnicodeDecodeError:
        return None, [Flaw(name, "This is not UTF-8.", "Save it as UTF-8.")]
    except OSError as error:
        return None, [Flaw(name, f"{_reason(error)}.", "Make it a readable file.")]
    except tomllib.TOMLDecodeError as error:
        return None, [Flaw(name, f"This is not TOML: {error}.", "Mend that line.")]


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return (
        error.strerror or "It cannot be read" if isinstance(error, OSError) else "It is not UTF-8"
    )


def _missing_files(settings: Settings) -> list[Flaw]:
    folders = {"folder": settings.prompts, "personalities": settings.personalities}
    return [
        *(
            Flaw(f"prompts.{key}", f"{path} is no folder.", "Correct the path, or make it.")
            for key, path in folders.items()
            if path is not None and not path.is_dir()
        ),
        *_missing_kb(settings),
    ]


def _missing_kb(settings: Settings) -> list[Flaw]:
    return [
        Flaw(
            f"sites[{site.key}].kb",
            f"{path} does not exist.",
            "Correct the path, or write the file.",
        )
        for site in settings.sites
        for path in site.kb
        if not path.exists()
    ]


def _missing_models(settings: Settings) -> Iterator[Flaw]:
    folder = settings.models_dir
    for site in settings.sites:
        encoders = [("encoder", site.encoder)] if site.encoder else []
        for setting, name in [*(("local_models", each) for each in site.local_models), *encoders]:
            key = f"sites[{site.key}].{setting}"
            remedy = f"Write it with `fanlight models publish {name} --to FOLDER`."
            if folder is None:
                yield Flaw("gateway.models_dir", f"{key} needs it.", remedy)
            elif not (folder / f"{name}.json").is_file():
                yield Flaw(key, f"{name!r} is not in {folder}.", remedy)
