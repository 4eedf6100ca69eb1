"""The loader's addresses, hashes and packed form."""

import json
import subprocess
from base64 import b64decode
from hashlib import sha384

import pytest

from gateway.context import WebFile
from gateway.loader import MARK, Loaders, make_loader, script_tag
from tests.gateway.test_integrity import problem
from tests.gateway.world import GATEWAY, WEB, World, world

SCRIPT = "text/javascript; charset=utf-8"
PACK = """
const { brotliCompressSync, constants } = require("node:zlib");
const head = Buffer.from(JSON.parse(require("node:fs").readFileSync(0, "utf8")));
process.stdout.write(brotliCompressSync(head, { finishFlush: constants.BROTLI_OPERATION_FLUSH }));
"""
UNPACK = """
const { brotliDecompressSync } = require("node:zlib");
process.stdout.write(brotliDecompressSync(require("node:fs").readFileSync(0)));
"""


def node(script: str, given: bytes) -> bytes:
    return subprocess.run(
        ["node", "-e", script], input=given, capture_output=True, check=True, timeout=30
    ).stdout


async def test_a_pinned_loader_has_an_address_of_its_own_for_good(gateway: World) -> None:
    current = Loaders(WEB, GATEWAY).current
    assert current is not None
    served = await gateway.client.get(f"{GATEWAY}/{current.name}")
    assert served.content == (await gateway.client.get(GATEWAY + "/loader.js")).content
    assert served.headers["cache-control"] == "public, max-age=31536000, immutable"
    algorithm, _, digest = current.integrity.partition("-")
    assert algorithm == "sha384"
    assert b64decode(digest) == sha384(served.content).digest()


@pytest.mark.parametrize("path", ["/loader.js", f"/{make_loader(WEB['loader.js'], GATEWAY).name}"])
async def test_any_page_may_check_a_loaders_bytes(gateway: World, path: str) -> None:
    headers = (await gateway.client.get(GATEWAY + path)).headers
    assert headers["access-control-allow-origin"] == "*"
    assert headers["cross-origin-resource-policy"] == "cross-origin"


async def test_the_loader_of_an_earlier_release_stays_where_it_was() -> None:
    earlier = WebFile(b"old('__FANLIGHT_GATEWAY__')", SCRIPT)
    pinned = make_loader(earlier, GATEWAY)
    async with world(web={**WEB, "loaders/0.0.9.js": earlier}) as gateway:
        served = await gateway.client.get(f"{GATEWAY}/{pinned.name}")
        assert served.text == f"old('{GATEWAY}')"
        short = await gateway.client.get(GATEWAY + "/loader.js")
        assert short.text != served.text


@pytest.mark.parametrize("name", ["loader.0000000000000000.js", "loader..js", "loaders/0.0.9.js"])
async def test_a_loader_that_was_never_served_is_not_found(gateway: World, name: str) -> None:
    assert problem(await gateway.client.get(f"{GATEWAY}/{name}")) == "not-found"


async def test_without_web_assets_there_is_no_loader() -> None:
    async with world(web={}) as gateway:
        assert problem(await gateway.client.get(GATEWAY + "/loader.js")) == "unavailable"


def test_each_gateway_has_a_hash_of_its_own() -> None:
    one, other = (
        make_loader(WEB["loader.js"], origin) for origin in (GATEWAY, "https://x.example")
    )
    assert one.name != other.name
    assert one.integrity != other.integrity


async def test_a_browser_that_takes_brotli_gets_the_same_bytes_packed() -> None:
    head = b"const words = " + json.dumps(["open the chat"] * 200).encode() + b";start('"
    packed = node(PACK, json.dumps(list(head)).encode())
    built = WebFile(head + MARK + b"')", SCRIPT, packed)
    async with world(web={**WEB, "loader.js": built}) as gateway:
        request = gateway.client.build_request(
            "GET", GATEWAY + "/loader.js", headers={"accept-encoding": "gzip, br"}
        )
        response = await gateway.client.send(request, stream=True)
        sent = b"".join([chunk async for chunk in response.aiter_raw()])
        plain = (await gateway.client.get(GATEWAY + "/loader.js")).content
    assert response.headers["content-encoding"] == "br"
    assert response.headers["vary"] == "accept-encoding"
    assert plain == head + GATEWAY.encode() + b"')"
    assert node(UNPACK, sent) == plain
    assert len(sent) < len(plain)


def test_what_follows_the_address_is_packed_only_where_it_fits() -> None:
    long = WebFile(b"x" + MARK + b"y" * 70_000, SCRIPT, b"head")
    assert make_loader(long, GATEWAY).brotli is None
    unmarked = WebFile(b"x", SCRIPT, b"head")
    assert make_loader(unmarked, GATEWAY).brotli is None


def test_a_tag_is_escaped() -> None:
    assert '"' not in script_tag('https://x.example/"', "site_a").split("data-site")[0][13:-2]
