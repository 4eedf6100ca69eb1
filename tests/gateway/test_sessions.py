"""Opening a session: the challenge, the proof of the key, the token."""

import json
from typing import Any

import httpx
import pytest

from core.pow import is_solution, solve
from gateway.adapters.visitor import Visitor
from gateway.settings import LimitSettings
from tests.gateway.test_integrity import problem
from tests.gateway.world import GATEWAY, World, settings, world


async def challenge(visitor: Visitor, **changes: object) -> dict[str, Any]:
    """A challenge's document."""
    asked = {"site_key": visitor.site_key, "thumbprint": visitor.keyid, **changes}
    response = await visitor.client.post(GATEWAY + "/v1/challenges", json=asked)
    document: dict[str, Any] = response.json()
    return document


async def opened(visitor: Visitor, got: dict[str, Any], **changes: object) -> httpx.Response:
    """The response to an attempt at a session with this challenge."""
    body = {
        "site_key": visitor.site_key,
        "jwk": dict(visitor.signer.jwk),
        "challenge": got["challenge"],
        "solution": solve(got["challenge"], got["difficulty"]),
        "locale": "he",
        "consent": {"memory": True, "training": False},
        **changes,
    }
    raw = json.dumps(body).encode()
    fields = await visitor.sign("POST", "/v1/sessions", raw, {"content-type": "application/json"})
    return await visitor.client.post(GATEWAY + "/v1/sessions", content=raw, headers=fields)


async def test_a_solved_challenge_opens_a_session(gateway: World) -> None:
    visitor = gateway.stranger()
    got = await challenge(visitor)
    assert (got["kind"], got["difficulty"]) == ("pow", 4)
    response = await opened(visitor, got)
    document = response.json()
    assert response.status_code == 201
    assert document["subject"] == f"anon:{visitor.keyid}"
    assert document["expires_in"] == 600
    assert response.headers["cache-control"] == "no-store"


async def test_a_challenge_is_used_once(gateway: World) -> None:
    visitor = gateway.stranger()
    got = await challenge(visitor)
    assert (await opened(visitor, got)).status_code == 201
    assert problem(await opened(visitor, got)) == "bad-challenge"


async def test_a_challenge_of_another_key_or_site_is_refused(gateway: World) -> None:
    visitor = gateway.stranger()
    other = await challenge(gateway.stranger())
    assert problem(await opened(visitor, other)) == "bad-challenge"
    elsewhere = await challenge(visitor, site_key="site_other")
    assert problem(await opened(visitor, elsewhere)) == "bad-challenge"


async def test_an_expired_challenge_is_refused(gateway: World) -> None:
    visitor = gateway.stranger()
    got = await challenge(visitor)
    gateway.time.now += 121
    assert problem(await opened(visitor, got)) == "bad-challenge"


async def test_a_wrong_solution_is_refused(gateway: World) -> None:
    visitor = gateway.stranger()
    got = await challenge(visitor)
    wrong = next(str(n) for n in range(99) if not is_solution(got["challenge"], str(n), 4))
    assert problem(await opened(visitor, got, solution=wrong)) == "bad-challenge"


@pytest.mark.parametrize("forged", ["x", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "é.é.é"])
async def test_a_forged_challenge_is_refused(gateway: World, forged: str) -> None:
    visitor = gateway.stranger()
    got = {"challenge": forged, "difficulty": 0}
    assert problem(await opened(visitor, got)) == "bad-challenge"


async def test_an_access_token_is_no_challenge(gateway: World) -> None:
    visitor = await gateway.visitor()
    assert visitor.token is not None
    got = {"challenge": visitor.token, "difficulty": 0}
    response = await opened(visitor, got)
    assert problem(response) in {"bad-challenge", "invalid-request"}


async def test_the_signature_must_be_of_the_key_in_the_body(gateway: World) -> None:
    visitor, other = gateway.stranger(), gateway.stranger()
    got = await challenge(visitor)
    response = await opened(visitor, got, jwk=dict(other.signer.jwk))
    assert problem(response) == "bad-signature"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"identity_jwt": 5}, "identity_jwt"),
        ({"identity_jwt": "a" * 4097}, "identity_jwt"),
        ({"consent": {"memory": True}}, "consent.training"),
        ({"consent": {"memory": "yes", "training": False}}, "consent.memory"),
        ({"locale": "x"}, "locale"),
        ({"solution": "ten"}, "solution"),
        ({"jwk": {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 42}}, "jwk.y"),
        ({"jwk": {"kty": "EC", "crv": "P-256", "x": "A" * 42 + "B", "y": "A" * 43}}, "jwk"),
        ({"tier": 2}, "tier"),
    ],
)
async def test_a_malformed_body_names_its_field(
    gateway: World, changes: dict[str, object], field: str
) -> None:
    visitor = gateway.stranger()
    response = await opened(visitor, await challenge(visitor), **changes)
    assert (problem(response), response.json()["field"]) == ("invalid-request", field)


async def test_a_point_off_the_curve_is_refused(gateway: World) -> None:
    visitor = gateway.stranger()
    jwk = {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43}
    response = await opened(visitor, await challenge(visitor), jwk=jwk)
    assert problem(response) == "bad-signature"


async def test_an_unknown_site_is_said_plainly(gateway: World) -> None:
    document = await challenge(gateway.stranger(), site_key="site_nobody")
    assert document["type"].endswith("/unknown-site")
    assert document["remedy"]


async def test_an_address_may_not_open_sessions_without_end() -> None:
    limits = LimitSettings(pow_difficulty=0, sessions_per_address_per_minute=2)
    async with world(chosen=settings(limits=limits)) as strict:
        visitor = strict.stranger()
        codes = [(await opened(visitor, await challenge(visitor))).status_code for _ in range(2)]
        assert codes == [201, 201]
        assert (await challenge(visitor))["type"].endswith("/too-many-requests")
