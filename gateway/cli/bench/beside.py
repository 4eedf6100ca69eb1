"""Another chat beside ours in the same run: deep-chat, as its own package has it.

Decides its embedding: the demo's page with deep-chat's tag in place of ours, fixed in the same
corner; and, since it has no launcher, the same page with a button that fetches it first, which is
the kindest way to put a large script on a page. Nothing of it is part of Fanlight: npm fetches the
package by its name into a folder of this run. Refuses a package whose hash is not the one known
here. What keeps it from being had is the reason that stands in place of its figures.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import shutil
import socket
import tarfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from gateway.demo.app import FILES

NAME: Final = "deep-chat 2.4.2"
PACKAGE: Final = "deep-chat@2.4.2"
INTEGRITY: Final = (
    "wQNd6Z6HDoH7OMeoQKpmxDm9XdWrRjMkBJ2yl5tsYND9Dz2UCv/BdGVM8vK2V0mhO1u+OniHYPWDGvjlNxjCeQ=="
)
"""SHA-512 of the package, as npm's registry has it."""
BUNDLE: Final = "package/dist/deepChat.bundle.js"
FETCH_S: Final = 60.0
_PACK: Final = """const [from, to] = process.argv.slice(1);
fs.writeFileSync(to, zlib.brotliCompressSync(fs.readFileSync(from)));"""
_TAG: Final = re.compile(r"<script\b[^>]*data-site[^>]*></script>")
_ELEMENT: Final = (
    '<deep-chat demo="true" style="position:fixed;bottom:16px;right:16px"></deep-chat>'
)
_EAGER: Final = f'<script type="module" src="/deep-chat.js"></script>{_ELEMENT}'
_LATER: Final = f"""<button id="open" type="button">Chat</button><script>
document.getElementById("open").addEventListener("click", () => {{
  import("/deep-chat.js");
  document.body.insertAdjacentHTML("beforeend", `{_ELEMENT}`);
}});
</script>"""


class NotHadError(Exception):
    """Why the other chat cannot be measured here."""


async def fetch_bundle(folder: Path) -> bytes:
    """The other chat's script; raises `NotHadError`."""
    for program in ("npm", "node"):
        if shutil.which(program) is None:
            raise NotHadError(f"{program} is not installed")
    await _run("npm", "pack", PACKAGE, "--silent", "--pack-destination", str(folder))
    return _unpacked(folder)


def _unpacked(folder: Path) -> bytes:
    brought = next(folder.glob("deep-chat-*.tgz"), None)
    if brought is None:
        raise NotHadError(f"npm brought no {PACKAGE}")
    digest = base64.b64encode(hashlib.sha512(brought.read_bytes()).digest()).decode()
    if digest != INTEGRITY:
        raise NotHadError(f"{PACKAGE} is not the package known here: its hash is {digest}")
    with tarfile.open(brought) as archive:
        script = archive.extractfile(BUNDLE)
        if script is None:
            raise NotHadError(f"{PACKAGE} has no {BUNDLE}")
        return script.read()


async def packed(script: bytes, folder: Path) -> bytes:
    """The script under brotli at its best, as our own build packs ours."""
    source, target = folder / "deep-chat.js", folder / "deep-chat.js.br"
    source.write_bytes(script)
    await _run("node", "-e", _PACK, str(source), str(target))
    return target.read_bytes()


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(FETCH_S):
            _, errors = await process.communicate()
    except TimeoutError as error:
        process.kill()
        await process.wait()
        raise NotHadError(f"{command[0]} was not done after {FETCH_S:g} s") from error
    if process.returncode != 0:
        words = errors.decode("utf-8", "replace").strip().splitlines()
        raise NotHadError(f"{command[0]} failed: {words[-1][:200] if words else 'without a word'}")


@asynccontextmanager
async def serving_beside(script: bytes) -> AsyncIterator[str]:
    """The pages with the other chat, while they are served; their origin."""
    # Bound here: who connects before the server runs waits in its queue.
    bound = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(_site(script), log_level="error", lifespan="off"))
    task = asyncio.create_task(server.serve([bound]))
    try:
        yield f"http://localhost:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


def _site(script: bytes) -> Starlette:
    static = resources.files("gateway.demo").joinpath("static")
    page = static.joinpath("index.html").read_text(encoding="utf-8")
    kinds = {**FILES, "/": "text/html", "/later": "text/html", "/deep-chat.js": "text/javascript"}

    async def answer(request: Request) -> Response:
        path = request.url.path
        if path == "/deep-chat.js":
            headers = {"content-encoding": "br", "cache-control": "max-age=31536000"}
            return Response(script, headers=headers, media_type=kinds[path])
        if path in FILES:
            return Response(static.joinpath(path[1:]).read_bytes(), media_type=kinds[path])
        return HTMLResponse(_with_tag(page, _LATER if path == "/later" else _EAGER))

    return Starlette(routes=[Route(path, answer) for path in kinds])


def _with_tag(page: str, tag: str) -> str:
    """The demo's page with another chat's tag at the end of its body."""
    return _TAG.sub("", page).replace("</body>", f"{tag}</body>")
