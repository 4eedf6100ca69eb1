"""The built web assets, read once into memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gateway.context import WebFile

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
}


def load_web(folder: Path) -> Mapping[str, WebFile]:
    """Every file below `folder` by its relative path; empty when there is no such folder.

    `name.br` beside `name` is its brotli form.
    """
    files: dict[str, WebFile] = {}
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.suffix in (".br", ".map"):
            continue
        packed = path.with_name(path.name + ".br")
        brotli = packed.read_bytes() if packed.exists() else None
        media_type = _TYPES.get(path.suffix, "application/octet-stream")
        name = path.relative_to(folder).as_posix()
        files[name] = WebFile(path.read_bytes(), media_type, brotli)
    return files
