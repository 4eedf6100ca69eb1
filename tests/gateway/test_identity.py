"""Signed-in visitors: what a site's word must say, and what a session under it can reach."""

import asyncio
import json
import subprocess
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from core import jose
from core.encoding import b64url_encode, canonical_json
from gateway.adapters.crypto import LocalSigner
from gateway.adapters.visitor import Visitor
from gateway.configuration import examine_settings
from gateway.configuration.identity import read_keys
from gateway.settings import IdentitySettings, Settings
from tests.gateway.test_configuration import ENVIRON
from tests.gateway.test_integrity import problem
from tests.gateway.test_sessions import challenge, opened
from tests.gateway.world import START, World, settings, world

ISSUER = "https://shop.example"
OLD, NEW, STRANGER = (LocalSigner.generate() for _ in range(3))


def with_identity(*signers: tuple[str, LocalSigner]) -> Settings:
    """Settings whose site_demo takes the word of these keys."""
    chosen = settings()
    keys = {kid: signer.jwk for kid, signer in signers}
    demo, other = chosen.sites
    return replace(
        chosen, sites=(replace(demo, identity=IdentitySettings(ISSUER, keys=keys)), other)
    )


@pytest.fixture
async def shop() -> AsyncIterator[World]:
    """A gateway whose site_demo has two keys, as while it changes them."""
    async with world(chosen=with_identity(("old", OLD), ("new", NEW))) as made:
        yield made


def claims(visitor: Visitor, **changes: object) -> dict[str, object]:
    """What a site's server says of a visitor; a change to `...` leaves the claim out."""
    made: dict[str, object] = {
        "iss": ISSUER,
        "aud": "site_demo",
        "sub": "customer-7",
        "iat": int(START),
        "nbf": int(START),
        "exp": int(START) + 300,
        "jti": "first-of-its-kind",
        "cnf": {"jkt": visitor.keyid},
        **changes,
    }
    return {name: value for name, value in made.items() if value is not ...}


async def vouch(
    said: Mapping[str, object],
    signer: LocalSigner = NEW,
    header: Mapping[str, str] | None = None,
) -> str:
    """The JWT."""
    head = {"alg": "ES256", "kid": "new", "typ": "JWT", **(header or {})}
    signed = f"{b64url_encode(canonical_json(head))}.{b64url_encode(json.dumps(said).encode())}"
    return jose.join(signed.encode(), await signer.sign(signed.encode()))


async def signed_in(visitor: Visitor, token: str) -> httpx.Response:
    """The response to a session with the site's word; its token is kept."""
    response = await opened(visitor, await challenge(visitor), identity_jwt=token)
    visitor.token = response.json().get("access_token")
    return response


async def test_a_session_belongs_to_the_visitor_whom_the_site_names(shop: World) -> None:
    visitor = shop.stranger()
    response = await signed_in(visitor, await vouch(claims(visitor)))
    assert response.status_code == 201
    assert response.json()["subject"] == f"user:{ISSUER}|customer-7"
    answered = await visitor.ask("When are you open?")
    assert answered.status_code == 200
    renewed = await visitor.call("POST", "/v1/sessions/renew", {})
    assert renewed.json()["subject"] == f"user:{ISSUER}|customer-7"


ACCEPTED: dict[str, dict[str, object]] = {
    "aud in a list": {"aud": ["site_demo"]},
    "without nbf": {"nbf": ...},
    "expired within the skew": {"iat": int(START) - 340, "nbf": ..., "exp": int(START) - 59},
    "issued ahead within the skew": {"iat": int(START) + 60, "nbf": int(START) + 60},
    "fractions of a second": {"iat": START + 0.5, "exp": START + 100.25},
    "a name in Hebrew": {"sub": "לקוח 7"},
    "a stroke in the name": {"sub": "a|b"},
}

REFUSED: dict[str, tuple[dict[str, object], str]] = {
    "another issuer": ({"iss": "https://evil.example"}, "iss"),
    "no issuer": ({"iss": ...}, "iss"),
    "another site": ({"aud": "site_other"}, "aud"),
    "several sites": ({"aud": ["site_demo", "site_other"]}, "aud"),
    "another browser's key": ({"cnf": {"jkt": "A" * 43}}, "cnf.jkt"),
    "no key": ({"cnf": ...}, "cnf.jkt"),
    "a key of another form": ({"cnf": "x"}, "cnf.jkt"),
    "expired": ({"iat": int(START) - 360, "exp": int(START) - 60}, "exp"),
    "six minutes": ({"exp": int(START) + 301}, "exp must be"),
    "no end": ({"exp": ...}, "exp must be"),
    "an end before its beginning": ({"iat": int(START) + 30, "exp": int(START) + 30}, "exp must"),
    "issued in the future": ({"iat": int(START) + 61}, "iat lies"),
    "no beginning": ({"iat": ...}, "iat must be"),
    "a beginning in words": ({"iat": "now"}, "iat must be"),
    "a beginning that is true": ({"iat": True}, "iat must be"),
    "an endless end": ({"exp": float("inf")}, "exp must be"),
    "not yet": ({"nbf": int(START) + 61}, "nbf"),
    "nbf in words": ({"nbf": "soon"}, "nbf must be"),
    "nobody": ({"sub": ""}, "sub"),
    "no sub": ({"sub": ...}, "sub"),
    "a number for a name": ({"sub": 7}, "sub"),
    "a name that hides": ({"sub": "admin\u202e"}, "sub"),
    "half a character": ({"sub": "\ud800"}, "sub"),
    "a long name": ({"sub": "x" * 201}, "sub"),
    "no jti": ({"jti": ...}, "jti"),
}


@pytest.mark.parametrize("name", ACCEPTED)
async def test_a_word_within_the_rules_is_taken(shop: World, name: str) -> None:
    visitor = shop.stranger()
    response = await signed_in(visitor, await vouch(claims(visitor, **ACCEPTED[name])))
    assert response.status_code == 201, response.text


@pytest.mark.parametrize("name", REFUSED)
async def test_a_word_outside_the_rules_is_refused_by_name(shop: World, name: str) -> None:
    changes, told = REFUSED[name]
    visitor = shop.stranger()
    response = await signed_in(visitor, await vouch(claims(visitor, **changes)))
    assert problem(response) == "bad-identity"
    assert told in response.json()["detail"]
    assert response.json()["field"] == "identity_jwt"


HEADERS: dict[str, tuple[dict[str, str], str]] = {
    "no algorithm": ({"alg": "none"}, "ES256"),
    "a shared secret": ({"alg": "HS256"}, "ES256"),
    "a key that brings itself": ({"jwk": "x"}, "alg, kid and typ"),
    "an unknown key": ({"kid": "another"}, "kid is none"),
    "another type": ({"typ": "fanlight-access+jwt"}, "typ must be"),
}


@pytest.mark.parametrize("name", HEADERS)
async def test_another_header_is_refused(shop: World, name: str) -> None:
    header, told = HEADERS[name]
    visitor = shop.stranger()
    response = await signed_in(visitor, await vouch(claims(visitor), header=header))
    assert problem(response) == "bad-identity"
    assert told in response.json()["detail"]


async def test_anothers_signature_is_refused(shop: World) -> None:
    visitor = shop.stranger()
    response = await signed_in(visitor, await vouch(claims(visitor), STRANGER))
    assert problem(response) == "bad-identity"
    assert "signature" in response.json()["detail"]


@pytest.mark.parametrize("token", ["x", "a.b.c", "é.é.é", "eyJhbGciOiJub25lIn0.e30."])
async def test_what_is_no_jwt_is_refused(shop: World, token: str) -> None:
    assert problem(await signed_in(shop.stranger(), token)) == "bad-identity"


async def test_old_and_new_keys_hold_while_a_site_changes_them(shop: World) -> None:
    one, other = shop.stranger(), shop.stranger()
    by_old = await vouch(claims(one), OLD, {"kid": "old"})
    by_new = await vouch(claims(other, jti="2"), NEW)
    assert (await signed_in(one, by_old)).status_code == 201
    assert (await signed_in(other, by_new)).status_code == 201


async def test_one_word_opens_one_session_however_often_it_is_sent(shop: World) -> None:
    visitor = shop.stranger()
    token = await vouch(claims(visitor))
    asked = [await challenge(visitor) for _ in range(8)]
    replies = await asyncio.gather(*(opened(visitor, one, identity_jwt=token) for one in asked))
    assert sorted(reply.status_code for reply in replies) == [201] + [400] * 7
    shop.time.now += 200
    again = await signed_in(visitor, token)
    assert "used before" in again.json()["detail"]


async def test_a_site_without_keys_takes_nobodys_word(shop: World) -> None:
    visitor = shop.stranger("site_other")
    response = await signed_in(visitor, await vouch(claims(visitor, aud="site_other")))
    assert problem(response) == "bad-identity"
    assert "no key for signed-in" in response.json()["detail"]


async def test_signed_in_and_anonymous_do_not_see_each_other_under_one_key(shop: World) -> None:
    browser = await shop.visitor()
    question = browser.chat_body("I want to make a legal complaint")
    place = f"/v1/conversations/{question['conversation_id']}/events"
    assert (await browser.call("POST", "/v1/chat", question, key="k")).status_code == 200
    [escalation] = await shop.truth.escalations(status="open", before=None, limit=2)
    await shop.truth.resolve(escalation.id, START)  # so that the stream of its events ends
    assert (await browser.call("GET", place)).status_code == 200
    await signed_in(browser, await vouch(claims(browser)))
    browser.receipt = None
    assert problem(await browser.call("GET", place)) == "not-found"
    later = {**question, "turn_id": browser.new_id("t")}
    assert problem(await browser.call("POST", "/v1/chat", later, key="k2")) == "not-found"
    own = browser.chat_body("I want to make a legal complaint")
    answered = await browser.call("POST", "/v1/chat", own, key="k")
    assert answered.status_code == 200, "the anonymous subject's key is another's"
    anonymous = await shop.visitor()
    anonymous.signer = browser.signer
    await anonymous.open_session()
    own_place = f"/v1/conversations/{own['conversation_id']}/events"
    assert problem(await anonymous.call("GET", own_place)) == "not-found"


async def test_two_visitors_of_one_browser_do_not_see_each_other(shop: World) -> None:
    browser = shop.stranger()
    await signed_in(browser, await vouch(claims(browser, sub="one", jti="1")))
    question = browser.chat_body("I want to make a legal complaint")
    await browser.call("POST", "/v1/chat", question, key="k")
    await signed_in(browser, await vouch(claims(browser, sub="other", jti="2")))
    place = f"/v1/conversations/{question['conversation_id']}/events"
    browser.receipt = None
    assert problem(await browser.call("GET", place)) == "not-found"


async def test_two_browsers_of_one_visitor_listen_side_by_side(shop: World) -> None:
    first, second = shop.stranger(), shop.stranger()
    await signed_in(first, await vouch(claims(first, jti="1")))
    await signed_in(second, await vouch(claims(second, jti="2")))
    question = first.chat_body("I want to make a legal complaint")
    assert (await first.call("POST", "/v1/chat", question, key="k")).json()["escalate"]
    place = f"/v1/conversations/{question['conversation_id']}/events"
    streams = []
    for browser in (first, second):
        browser.receipt = None
        streams.append(asyncio.create_task(browser.call("GET", place)))
        await asyncio.sleep(0.1)
    assert not any(stream.done() for stream in streams)
    shop.services.bell.close()
    for stream in streams:
        assert "event: bye" in (await stream).text


# Settings.

SITE = """
[[sites]]
key = "site_shop"
name = "Shop"
origins = ["https://www.example.com"]
kb = ["kb.md"]
"""


def configured(folder: Path, lines: str) -> tuple[Settings | None, list[str]]:
    """The settings of a file with these lines in its site, and what is wrong with them."""
    (folder / "kb.md").write_text("## Hours?\n\nNine.\n")
    (folder / "fanlight.toml").write_text(SITE + lines)
    found, flaws = examine_settings(folder / "fanlight.toml", ENVIRON)
    return found, [f"{flaw.key}: {flaw.detail}" for flaw in flaws]


def test_keys_are_read_from_jwks_and_sets_of_them(tmp_path: Path) -> None:
    one = {**OLD.jwk, "kid": "old", "use": "sig", "alg": "ES256"}
    (tmp_path / "one.json").write_text(json.dumps(one))
    (tmp_path / "set.json").write_text(json.dumps({"keys": [dict(NEW.jwk)]}))
    lines = f'identity_issuer = "{ISSUER}"\nidentity_keys = ["one.json", "set.json"]\n'
    found, flaws = configured(tmp_path, lines)
    assert flaws == []
    assert found is not None
    identity = found.sites[0].identity
    assert identity is not None
    assert identity.keys == {"old": OLD.jwk, jose.thumbprint(dict(NEW.jwk)): NEW.jwk}


FILES: dict[str, tuple[Any, str]] = {
    "a private key": ({**OLD.jwk, "d": "A" * 43}, "private key"),
    "no key": ({"keys": []}, "no key"),
    "a list": ([dict(OLD.jwk)], "no JSON object"),
    "another curve": ({**OLD.jwk, "crv": "P-384"}, "P-256"),
    "half a key": ({"kty": "EC"}, "exactly kty, crv, x and y"),
    "texts for keys": ({"keys": ["x"]}, "no file of keys"),
    "a number for a kid": ({**OLD.jwk, "kid": 5}, "kid must be a text"),
    "one kid twice": ({"keys": [{**OLD.jwk, "kid": "k"}, {**NEW.jwk, "kid": "k"}]}, "twice"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_anything_else_is_a_flaw(tmp_path: Path, name: str) -> None:
    content, told = FILES[name]
    (tmp_path / "one.json").write_text(json.dumps(content))
    lines = f'identity_issuer = "{ISSUER}"\nidentity_keys = ["one.json"]\n'
    _, flaws = configured(tmp_path, lines)
    assert [told in flaw for flaw in flaws] == [True], flaws
    assert "AAAAAA" not in str(flaws)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ('identity_issuer = "https://a"\n', "identity_keys: There is an issuer"),
        ('identity_keys = ["kb.md"]\n', "identity_issuer: There are keys"),
        ('identity_issuer = "a|b"\nidentity_keys = ["nowhere"]\n', "cannot be used"),
        ('identity_issuer = "a"\nidentity_keys = ["nowhere"]\n', "No such file"),
        ('identity_issuer = "a"\nidentity_keys = ["k", "k2"]\n', "The kid"),
    ],
)
def test_half_a_declaration_is_a_flaw(tmp_path: Path, lines: str, told: str) -> None:
    for name in ("k", "k2"):
        (tmp_path / name).write_text(json.dumps(dict(OLD.jwk)))
    _, flaws = configured(tmp_path, lines)
    assert any(told in flaw for flaw in flaws), flaws


def test_a_published_set_of_keys_reads() -> None:
    raw = json.dumps({"keys": [{**OLD.jwk, "kid": "a"}, {**NEW.jwk, "kid": "b"}]}).encode()
    assert list(read_keys(raw)) == ["a", "b"]


@pytest.mark.needs("node")
async def test_the_example_for_node_in_the_docs_works(
    shop: World, root: Path, node_path: Path, tmp_path: Path
) -> None:
    page = (root / "docs" / "identity.md").read_text(encoding="utf-8")
    blocks = [block.split("```")[0] for block in page.split("```js\n")[1:]]
    code = next(block for block in blocks if "PRIVATE_PEM" in block)
    code = code.replace("https://www.example.com", ISSUER)
    code = code.replace("site_shop", "site_demo").replace("2026-11", "new")
    visitor = shop.stranger()
    shop.time.now = float(int(time.time()))
    script = tmp_path / "identity.mjs"
    script.write_text(
        f"const PRIVATE_PEM = {json.dumps(NEW.pem().decode())};\n{code}\n"
        f'console.log(identity("customer-7", "{visitor.keyid}"));\n'
    )
    ran = await asyncio.to_thread(
        subprocess.run, [node_path, script], capture_output=True, text=True, check=True
    )
    response = await signed_in(visitor, ran.stdout.strip())
    assert response.status_code == 201, response.text
