"""The Worker's environment: checked as a whole, each flaw under its variable's own name."""

import json
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from edge.address import CallerAddressMiddleware
from edge.bindings import EMBEDDING, read_bindings, read_embedding, read_knowledge
from gateway.configuration import ConfigurationError
from kb import build_index
from kb.embed import load_embedding
from tests.gateway.world import ENTRIES, PACKED
from tests.small_embedding import small_embedding

JWK = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
}
SITE = {"name": "Shop", "origins": ["https://shop.example"]}
VARIABLES = {
    "FANLIGHT_TRUTH": "memory-for-trial",
    "FANLIGHT_PUBLIC_URL": "https://chat.shop.example",
    "FANLIGHT_CONSOLE_URL": "https://console.shop.example",
    "FANLIGHT_OPERATOR_TOKEN": "a-made-up-operator-token-0123456789",
    "FANLIGHT_SITES": json.dumps({"site_shop": SITE}),
    "FANLIGHT_SIGNING_JWK": json.dumps(JWK),
}


class Kv:
    """A namespace as the platform hands it over: None where it has no value."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    async def get(self, name: str, kind: str) -> Any:
        assert kind == "arrayBuffer"
        return self._values.get(name)


def environment(**changes: object) -> SimpleNamespace:
    return SimpleNamespace(**{**VARIABLES, **changes})


def flaws(env: object) -> list[str]:
    with pytest.raises(ConfigurationError) as refused:
        read_bindings(env)
    return [flaw.key for flaw in refused.value.flaws]


def test_a_whole_environment_gives_settings_and_key() -> None:
    bindings = read_bindings(environment())
    settings = bindings.settings
    assert settings.authority == "chat.shop.example"
    assert settings.console_authority == "console.shop.example"
    assert settings.operator_token.reveal() == VARIABLES["FANLIGHT_OPERATOR_TOKEN"]
    assert [(site.key, site.name, site.origins) for site in settings.sites] == [
        ("site_shop", "Shop", ("https://shop.example",))
    ]
    assert bindings.signing_jwk == JWK


def test_a_site_takes_the_settings_of_the_file() -> None:
    site = {**SITE, "locales": ["he", "en"], "accent": "#AA0000", "confidence_threshold": 0.7}
    (found,) = read_bindings(
        environment(FANLIGHT_SITES=json.dumps({"site_x": site}))
    ).settings.sites
    assert (found.locales, found.default_locale) == (("he", "en"), "he")
    assert (found.accent, found.confidence_threshold) == ("#aa0000", 0.7)


def test_members_of_the_key_that_say_no_more_are_dropped() -> None:
    told = json.dumps({**JWK, "key_ops": ["sign"], "ext": True})
    assert read_bindings(environment(FANLIGHT_SIGNING_JWK=told)).signing_jwk == JWK


def test_everything_that_is_missing_is_named_at_once() -> None:
    assert sorted(flaws(SimpleNamespace())) == sorted(VARIABLES)


@pytest.mark.parametrize("name", VARIABLES)
def test_a_missing_variable_is_named_alone(name: str) -> None:
    assert flaws(environment(**{name: ""})) == [name]


@pytest.mark.parametrize(
    ("name", "value", "key"),
    [
        ("FANLIGHT_TRUTH", "d1", "FANLIGHT_TRUTH"),
        ("FANLIGHT_PUBLIC_URL", "chat.shop.example", "FANLIGHT_PUBLIC_URL"),
        ("FANLIGHT_PUBLIC_URL", "https://chat.shop.example/x", "FANLIGHT_PUBLIC_URL"),
        ("FANLIGHT_CONSOLE_URL", "https://chat.shop.example", "FANLIGHT_CONSOLE_URL"),
        ("FANLIGHT_OPERATOR_TOKEN", "short", "FANLIGHT_OPERATOR_TOKEN"),
        ("FANLIGHT_SITES", "{", "FANLIGHT_SITES"),
        ("FANLIGHT_SITES", "[" * 100_000, "FANLIGHT_SITES"),
        ("FANLIGHT_SITES", "[]", "FANLIGHT_SITES"),
        ("FANLIGHT_SITES", "{}", "FANLIGHT_SITES"),
        ("FANLIGHT_SITES", {"site_shop": SITE}, "FANLIGHT_SITES"),
        ("FANLIGHT_SIGNING_JWK", "[1]", "FANLIGHT_SIGNING_JWK"),
    ],
)
def test_a_bad_value_is_refused_by_name(name: str, value: object, key: str) -> None:
    assert key in flaws(environment(**{name: value}))


@pytest.mark.parametrize(
    ("sites", "key"),
    [
        ({"site_shop": "Shop"}, "FANLIGHT_SITES[site_shop]"),
        ({"site_shop": {**SITE, "kb": ["faq.md"]}}, "FANLIGHT_SITES[site_shop].kb"),
        ({"site_shop": {**SITE, "targets": ["ops"]}}, "FANLIGHT_SITES[site_shop].targets"),
        ({"site_shop": {**SITE, "colour": "red"}}, "FANLIGHT_SITES[site_shop].colour"),
        ({"site_shop": {"name": "Shop"}}, "FANLIGHT_SITES[site_shop].origins"),
        (
            {"site_shop": {**SITE, "origins": "https://a.example"}},
            "FANLIGHT_SITES[site_shop].origins",
        ),
        ({"shop": SITE}, "FANLIGHT_SITES[shop].key"),
    ],
)
def test_a_bad_site_is_named_with_its_field(sites: object, key: str) -> None:
    assert key in flaws(environment(FANLIGHT_SITES=json.dumps(sites)))


@pytest.mark.parametrize(
    "change", [{"d": None}, {"d": "AA"}, {"crv": "P-384"}, {"x": "AA"}, {"y": 7}, {"d": 7}]
)
def test_a_key_that_is_no_private_p256_key_is_refused(change: dict[str, object]) -> None:
    told = {name: value for name, value in {**JWK, **change}.items() if value is not None}
    assert flaws(environment(FANLIGHT_SIGNING_JWK=json.dumps(told))) == ["FANLIGHT_SIGNING_JWK"]


def test_a_public_key_alone_is_refused() -> None:
    told = json.dumps({name: value for name, value in JWK.items() if name != "d"})
    assert flaws(environment(FANLIGHT_SIGNING_JWK=told)) == ["FANLIGHT_SIGNING_JWK"]


def test_a_refusal_repeats_no_secret() -> None:
    spoilt = json.dumps(JWK)[:-1]
    with pytest.raises(ConfigurationError) as refused:
        read_bindings(environment(FANLIGHT_SIGNING_JWK=spoilt, FANLIGHT_OPERATOR_TOKEN="hunter2"))
    assert JWK["d"] not in str(refused.value)
    assert "hunter2" not in str(refused.value)


class ArrayBuffer:
    """The JavaScript object that older runtimes hand over."""

    def to_bytes(self) -> bytes:
        return PACKED


@pytest.mark.parametrize("value", [memoryview(PACKED), ArrayBuffer()], ids=["memory", "object"])
async def test_the_index_comes_from_kv(value: object) -> None:
    knowledge = await read_knowledge(
        environment(KB=Kv({"site_shop.idx": value})), "site_shop", None
    )
    assert knowledge.packed == PACKED
    assert len(knowledge.index) == 4


@pytest.mark.parametrize(
    ("bindings", "key"),
    [
        ({}, "KB"),
        ({"KB": Kv({})}, "KB[site_shop.idx]"),
        ({"KB": Kv({"site_shop.idx": memoryview(b"")})}, "KB[site_shop.idx]"),
        ({"KB": Kv({"site_shop.idx": memoryview(b"no index")})}, "KB[site_shop.idx]"),
    ],
    ids=["no binding", "no value", "an empty value", "no index"],
)
async def test_a_site_without_an_index_is_refused(bindings: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        await read_knowledge(environment(**bindings), "site_shop", None)
    assert [flaw.key for flaw in refused.value.flaws] == [key]


async def test_the_embedding_comes_from_kv_and_goes_with_its_indexes() -> None:
    packed = small_embedding()
    index = build_index(ENTRIES, embedding=load_embedding(packed))
    values = {EMBEDDING: memoryview(packed), "site_shop.idx": index, "site_old.idx": PACKED}
    env = environment(KB=Kv(values))
    embedding = await read_embedding(env)
    assert embedding is not None
    assert embedding.packed == packed
    assert (await read_knowledge(env, "site_shop", embedding)).embedding is embedding
    assert (await read_knowledge(env, "site_old", embedding)).embedding is None


@pytest.mark.parametrize("bindings", [{}, {"KB": Kv({})}], ids=["no binding", "no value"])
async def test_a_worker_without_an_embedding_goes_by_words_alone(bindings: dict[str, Any]) -> None:
    assert await read_embedding(environment(**bindings)) is None


async def test_a_damaged_embedding_is_refused_by_name() -> None:
    damaged = small_embedding()[:40]
    with pytest.raises(ConfigurationError) as refused:
        await read_embedding(environment(KB=Kv({EMBEDDING: damaged})))
    assert [flaw.key for flaw in refused.value.flaws] == [f"KB[{EMBEDDING}]"]


@pytest.mark.parametrize(
    ("headers", "address"), [({"CF-Connecting-IP": "203.0.113.7"}, "203.0.113.7"), ({}, "none")]
)
async def test_the_caller_is_who_the_platform_saw(headers: dict[str, str], address: str) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        client = Request(scope).client
        await PlainTextResponse(client.host if client else "none")(scope, receive, send)

    transport = httpx.ASGITransport(CallerAddressMiddleware(app))
    async with httpx.AsyncClient(transport=transport, base_url="https://a.example") as client:
        assert (await client.get("/", headers=headers)).text == address


async def test_a_lifespan_passes_through() -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    async def receive() -> dict[str, Any]:
        return {"type": "lifespan.startup"}

    async def send(message: Any) -> None:
        seen.append(message["type"])

    await CallerAddressMiddleware(app)({"type": "lifespan"}, receive, send)
    assert seen == ["lifespan"]
