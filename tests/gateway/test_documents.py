"""What browsers load: the loader, the panel, the chat page, the files, the knowledge base."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from gateway.context import PackedEmbedding, WebFile, load_knowledge
from gateway.settings import Secret, TurnstileSettings
from kb import build_index, load_index
from kb.embed import load_embedding
from tests.gateway.test_integrity import problem
from tests.gateway.world import CONSOLE, ENTRIES, GATEWAY, PACKED, WEB, World, settings, world
from tests.small_embedding import small_embedding

TABLE, OTHER = (
    PackedEmbedding(load_embedding(packed), packed)
    for packed in (small_embedding(1), small_embedding(2))
)
MEANING = build_index(ENTRIES, embedding=TABLE.table)


async def test_the_loader_knows_its_gateway(gateway: World) -> None:
    response = await gateway.client.get(GATEWAY + "/loader.js")
    assert response.text == f"const gateway='{GATEWAY}'"
    assert response.headers["cross-origin-resource-policy"] == "cross-origin"
    plain = await gateway.client.get(
        GATEWAY + "/loader.js", headers={"accept-encoding": "identity"}
    )
    assert "content-encoding" not in plain.headers
    assert plain.text == response.text


@pytest.mark.parametrize(
    ("path", "ancestors"),
    [("/panel/site_demo", "http://localhost:8001"), ("/chat/site_demo", "'none'")],
)
async def test_a_document_says_who_may_frame_it(gateway: World, path: str, ancestors: str) -> None:
    response = await gateway.client.get(GATEWAY + path)
    policy = response.headers["content-security-policy"]
    assert f"frame-ancestors {ancestors};" in policy
    assert "default-src 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe-inline" not in policy
    assert response.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("turnstile", "embedder"),
    [(None, "require-corp"), (TurnstileSettings("0x4", Secret("secret")), None)],
)
async def test_an_isolated_page_may_frame_the_panel_unless_it_loads_anothers_script(
    turnstile: TurnstileSettings | None, embedder: str | None
) -> None:
    demo = replace(settings().sites[0], turnstile=turnstile)
    async with world(chosen=settings(sites=(demo,))) as gateway:
        headers = (await gateway.client.get(GATEWAY + "/panel/site_demo")).headers
        worker = (await gateway.client.get(GATEWAY + "/assets/a-1.js")).headers
    assert headers.get("cross-origin-embedder-policy") == embedder
    assert headers.get("cross-origin-resource-policy") == (embedder and "cross-origin")
    # A worker starts in such a panel only if its script says the same.
    assert worker["cross-origin-embedder-policy"] == "require-corp"


async def test_the_chat_page_can_be_installed_as_an_app(gateway: World) -> None:
    page = (await gateway.client.get(GATEWAY + "/chat/site_demo")).text
    link = re.search(r'<link rel="manifest" href="([^"]+)">', page)
    assert link is not None
    response = await gateway.client.get(GATEWAY + link.group(1))
    assert response.headers["content-type"] == "application/manifest+json"
    manifest = response.json()
    assert manifest["start_url"] == "/chat/site_demo"
    assert (manifest["display"], manifest["lang"], manifest["dir"]) == ("standalone", "en", "ltr")
    # In a frame nobody installs anything.
    assert "manifest" not in (await gateway.client.get(GATEWAY + "/panel/site_demo")).text
    assert (await gateway.client.get(GATEWAY + "/chat/none/app.webmanifest")).status_code == 404


async def configuration(gateway: World, path: str = "/panel/site_demo") -> dict[str, Any]:
    text = (await gateway.client.get(GATEWAY + path)).text
    found = re.search(r'<script type="application/json" id="fanlight-config">(.*?)</script>', text)
    assert found is not None
    config: dict[str, Any] = json.loads(found.group(1))
    return config


async def test_a_documents_configuration_comes_from_the_server(gateway: World) -> None:
    config = await configuration(gateway)
    assert config["site_key"] == "site_demo"
    assert config["host_origins"] == ["http://localhost:8001"]
    assert config["authority"] == "localhost:8000"
    assert config["build"] == "b1"
    assert config["starters"] == {"en": ["When are you open?"], "es": [], "he": []}
    assert set(config["greeting"]) == {"en", "es", "he"}
    served = await gateway.client.get(GATEWAY + config["kb"]["url"])
    assert served.content == PACKED
    assert "immutable" in served.headers["cache-control"]
    assert load_index(served.content).release == config["kb"]["release"]


async def test_a_panel_waits_for_a_first_word_as_long_as_its_gateway_does() -> None:
    for first_token_s, waits_ms in ((0.5, 5_000), (4.0, 5_000), (20.0, 21_000)):
        async with world(patience_s=first_token_s) as gateway:
            assert (await configuration(gateway))["first_word_ms"] == waits_ms


async def test_the_embedding_of_an_index_is_named_and_served_for_good() -> None:
    async with world(knowledge=load_knowledge(MEANING, TABLE)) as gateway:
        configs = [await configuration(gateway, f"/chat/site_{name}") for name in ("demo", "other")]
        (told, same) = (config["kb"]["embedding"] for config in configs)
        assert told == same, "it is the same file for every site"
        assert told["release"] == TABLE.table.release
        assert told["url"] == f"/kb/embedding/{told['release']}.bin"
        served = await gateway.client.get(GATEWAY + told["url"])
        assert served.content == TABLE.packed
        assert len(served.content) == told["bytes"]
        index = await gateway.client.get(GATEWAY + configs[0]["kb"]["url"])
        assert load_index(index.content).embedding == told["release"]
    for headers in (served.headers, index.headers):
        assert headers["content-type"] == "application/octet-stream"
        assert headers["cache-control"] == "public, max-age=31536000, immutable"
        assert "content-encoding" not in headers
    assert served.headers["etag"] == f'"{told["release"]}"'


async def test_a_file_that_the_browser_has_is_not_sent_again() -> None:
    async with world(knowledge=load_knowledge(MEANING, TABLE)) as gateway:
        kb = (await configuration(gateway))["kb"]
        for url in (kb["url"], kb["embedding"]["url"]):
            tag = (await gateway.client.get(GATEWAY + url)).headers["etag"]
            again = await gateway.client.get(GATEWAY + url, headers={"if-none-match": tag})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
            other = await gateway.client.get(GATEWAY + url, headers={"if-none-match": '"x"'})
            assert other.status_code == 200


@pytest.mark.parametrize("embedding", [None, OTHER], ids=["none", "another"])
async def test_an_index_without_its_embedding_names_none(
    embedding: PackedEmbedding | None,
) -> None:
    async with world(knowledge=load_knowledge(MEANING, embedding)) as gateway:
        assert (await configuration(gateway))["kb"]["embedding"] is None
        # The service worker keeps such a page by these very characters.
        assert '"embedding": null' in (await gateway.client.get(GATEWAY + "/chat/site_demo")).text
        for each in (TABLE, OTHER):
            url = f"{GATEWAY}/kb/embedding/{each.table.release}.bin"
            assert problem(await gateway.client.get(url)) == "not-found"


async def test_a_site_name_cannot_break_out_of_its_configuration() -> None:
    chosen = settings()
    hostile = chosen.sites[0].__class__("site_demo", "</script><b>", (), kb=())
    async with world(chosen=settings(sites=(hostile,))) as gateway:
        text = (await gateway.client.get(GATEWAY + "/chat/site_demo")).text
    assert "</script><b>" not in text
    assert text.count("<b>") == 0


@pytest.mark.parametrize(
    "path",
    ["/panel/site_nobody", "/chat/site_nobody", "/kb/site_nobody/x.idx"],
)
async def test_an_unknown_site_has_no_documents(gateway: World, path: str) -> None:
    assert problem(await gateway.client.get(GATEWAY + path)) == "unknown-site"


@pytest.mark.parametrize(
    "path",
    [
        "/kb/site_demo/other.idx",
        "/kb/embedding/other.bin",
        "/kb/site_demo/other.bin",
        "/assets/none.js",
        "/assets/%2e%2e/loader.js",
        "/nothing",
    ],
)
async def test_what_is_not_there_is_not_found(gateway: World, path: str) -> None:
    assert problem(await gateway.client.get(GATEWAY + path)) == "not-found"


async def test_another_method_is_named(gateway: World) -> None:
    response = await gateway.client.get(GATEWAY + "/v1/chat")
    assert problem(response) == "method-not-allowed"
    assert response.headers["allow"] == "POST"


async def test_an_asset_is_sent_packed_where_the_browser_takes_it(gateway: World) -> None:
    url = GATEWAY + "/assets/a-1.js"
    plain = await gateway.client.get(url, headers={"accept-encoding": "gzip"})
    assert plain.content == b"a" * 2000
    assert "immutable" in plain.headers["cache-control"]
    request = gateway.client.build_request("GET", url, headers={"accept-encoding": "br"})
    packed = await gateway.client.send(request, stream=True)
    assert packed.headers["content-encoding"] == "br"
    assert b"".join([chunk async for chunk in packed.aiter_raw()]) == b"br"


async def test_the_service_worker_may_control_the_whole_origin(gateway: World) -> None:
    response = await gateway.client.get(GATEWAY + "/sw.js")
    assert response.headers["service-worker-allowed"] == "/"
    assert response.headers["cache-control"] == "no-cache"


async def test_the_console_lives_on_its_own_origin_only(gateway: World) -> None:
    response = await gateway.client.get(CONSOLE + "/")
    assert "Console" in response.text
    assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
    assert "wasm" not in response.headers["content-security-policy"]
    assert problem(await gateway.client.get(GATEWAY + "/v1/operator/session")) == "not-found"
    assert problem(await gateway.client.post(CONSOLE + "/v1/chat", json={})) == "not-found"
    by_host = await gateway.client.get(
        "http://127.0.0.1:8000/", headers={"host": "console.localhost:8000"}
    )
    assert "Console" in by_host.text


async def test_every_response_carries_the_security_headers(gateway: World) -> None:
    for url in (GATEWAY + "/health", GATEWAY + "/nothing", CONSOLE + "/nothing"):
        headers = (await gateway.client.get(url)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "strict-transport-security" not in headers


async def test_over_https_transport_security_is_strict() -> None:
    async with world(chosen=settings(public_url="https://chat.shop.example")) as gateway:
        headers = (await gateway.client.get("https://chat.shop.example/health")).headers
    assert "max-age" in headers["strict-transport-security"]


async def test_without_built_assets_the_remedy_is_said() -> None:
    async with world(web={}) as gateway:
        for path in ("/loader.js", "/panel/site_demo"):
            response = await gateway.client.get(GATEWAY + path)
            assert problem(response) == "unavailable"
            assert "make run" in response.json()["detail"]
        assert (await gateway.client.get(GATEWAY + "/sw.js")).status_code == 404


async def test_a_build_list_that_is_broken_still_names_a_build() -> None:
    web = {**WEB, "precache.json": WebFile(b"{", "application/json")}
    async with world(web=web) as gateway:
        text = (await gateway.client.get(GATEWAY + "/chat/site_demo")).text
    assert re.search(r'"build": "[0-9a-f]{12}"', text)


async def test_health_says_how_each_part_is(gateway: World) -> None:
    document = (await gateway.client.get(GATEWAY + "/health")).json()
    assert (document["status"], document["delivery"]) == ("ok", "ok")
    assert document["model"] == "none"
    assert document["sites"] == 2


async def test_the_openapi_document_names_every_route(gateway: World) -> None:
    document = (await gateway.client.get(GATEWAY + "/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    assert "/v1/chat" in document["paths"]
    body = document["components"]["schemas"]["ChatBody"]
    assert body["additionalProperties"] is False
