"""`GET /m/sha256/<hash>`: the manifests and files of models that visitors' browsers run.

An address names its bytes, so they are kept for good and may be asked for in part. Nothing is
served but what a site offers: the folder may hold more.
"""

from __future__ import annotations

import re
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from gateway import problems
from gateway.context import Services
from gateway.local_models import LocalModel, ModelFile, ModelFiles
from gateway.settings import SiteSettings

PREFIX: Final = "/m/sha256/"
FOREVER: Final = "public, max-age=31536000, immutable"
_RANGE: Final = re.compile(r"bytes=(\d{1,19})?-(\d{1,19})?")


def offered(site: SiteSettings, files: ModelFiles | None) -> list[dict[str, object]]:
    """What the panel is told of the models that this site offers, first choice first."""
    if files is None:
        return []
    return [_row(files.models[name]) for name in site.local_models if name in files.models]


def encoder(site: SiteSettings, files: ModelFiles | None) -> dict[str, object] | None:
    """What the panel is told of this site's encoder; None where it has none."""
    found = files.encoders.get(site.encoder or "") if files else None
    if found is None:
        return None
    return {"id": found.id, "name": found.name, "licence": found.licence, **_file(found)}


def _row(model: LocalModel) -> dict[str, object]:
    return {
        "id": model.id,
        "name": model.name,
        "licence": model.licence,
        "parameters": model.parameters,
        "context": model.context,
        **_file(model),
        "webllm": [
            {
                **_file(form),
                "quantisation": form.quantisation,
                "shader_f16": form.shader_f16,
                "buffer": form.buffer,
                "library": form.library,
            }
            for form in model.webllm
        ],
    }


def _file(form: ModelFile) -> dict[str, object]:
    return {
        "memory": form.memory,
        "bytes": form.size,
        "manifest": f"{PREFIX}{form.release}",
        "sha256": form.release,
    }


class Models:
    """The endpoint over the published models."""

    def __init__(self, files: ModelFiles) -> None:
        self._files = files
        forms: list[ModelFile] = []
        for each in (*files.models.values(), *files.encoders.values()):
            forms += [each, *each.webllm]
        self._manifests = {each.release: each.manifest for each in forms}
        self._models: dict[str, ModelFile] = {each.sha256: each for each in forms}

    async def blob(self, request: Request) -> Response:
        """`GET` and `HEAD`: a manifest, or a file or a part of it; raises `Problem`."""
        name = request.path_params["sha256"]
        headers = {
            "cache-control": FOREVER,
            "etag": f'"{name}"',
            "accept-ranges": "bytes",
            "cross-origin-resource-policy": "same-origin",
        }
        manifest, model = self._manifests.get(name), self._models.get(name)
        if manifest is None and model is None:
            raise problems.not_found("model")
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        if model is None:
            return Response(manifest, media_type="application/json", headers=headers)
        return self._part(request, model, headers)

    def _part(self, request: Request, model: ModelFile, headers: dict[str, str]) -> Response:
        size = model.size
        asked = _asked(request, headers["etag"], size)
        if asked is None:
            start, end, status = 0, size, 200
        elif asked.start >= asked.stop:
            headers["content-range"] = f"bytes */{size}"
            return Response(status_code=416, headers=headers)
        else:
            start, end, status = asked.start, asked.stop, 206
            headers["content-range"] = f"bytes {start}-{end - 1}/{size}"
        headers["content-length"] = str(end - start)
        kind = "application/octet-stream"
        if request.method == "HEAD":
            return Response(status_code=status, headers=headers, media_type=kind)
        body = self._files.read(model, start, end)
        return StreamingResponse(body, status, headers, media_type=kind)


def _asked(request: Request, etag: str, size: int) -> range | None:
    """The one part that is asked for, empty where it lies outside; None for the whole.

    Several parts at once, and what is no range, get the whole, as RFC 9110 allows.
    """
    if request.headers.get("if-range", etag) != etag:
        return None
    match = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if match is None or not (match[1] or match[2]):
        return None
    if match[1] is None:
        return range(max(0, size - int(match[2])), size)
    first = int(match[1])
    if match[2] is None:
        return range(first, size)
    return range(first, min(int(match[2]) + 1, size)) if first <= int(match[2]) else None


def model_routes(services: Services) -> list[Route]:
    """The route, where any site offers a model."""
    if services.local_models is None:
        return []
    return [Route(PREFIX + "{sha256}", Models(services.local_models).blob)]
