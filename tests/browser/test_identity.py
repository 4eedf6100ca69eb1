"""A site that knows its visitors: its server says who is there, and nobody sees another."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Response as Answer
from playwright.async_api import expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from core import jose
from core.encoding import b64url_encode, canonical_json
from gateway.adapters.crypto import LocalSigner
from tests.browser.conftest import OPERATOR_TOKEN, ROOT, Surfer
from tests.browser.product import SITE, Product, running, until
from tests.browser.visit import Widget
from tests.gateway.serving import free_port, served

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]

SETTINGS = """
[gateway]
port = {port}

[[sites]]
key = "{site}"
name = "Fanlight"
origins = ["http://localhost:{page}"]
kb = ["{kb}"]
identity_issuer = "http://localhost:{page}"
identity_keys = ["identity.json"]

[limits]
sessions_per_address_per_minute = 1000
"""


WHO = """async (question) => {
  const body = JSON.stringify(question);
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch("/identity", { method: "POST", headers, body });
  return answer.status === 204 ? null : answer.text();
}"""


@dataclass
class Shop:
    """A site with a log-in: who is signed in stands in a cookie, as it does on any site."""

    product: Product
    signer: LocalSigner
    origin: str
    asked: list[str] = field(default_factory=list)

    async def page(self, request: Request) -> Response:
        source = f"{self.product.gateway}/loader.js"
        tag = f'<script src="{source}" data-site="{SITE}" data-identity="/identity" defer></script>'
        page = f"<!doctype html><html lang=en><title>Shop</title><body>{tag}</body>"
        # What docs/embed/csp.md says.
        gateway = self.product.gateway
        policy = (
            f"default-src 'none'; script-src {gateway}; frame-src {gateway}; connect-src 'self'"
        )
        return HTMLResponse(page, headers={"content-security-policy": policy})

    async def application(self, request: Request) -> Response:
        """A single-page application: it says who is there when it knows, by `window.fanlight`."""
        tag = f'<script src="{self.product.gateway}/loader.js" data-site="{SITE}" async></script>'
        script = f"<script>window.who = {WHO}</script>"
        html = f"<!doctype html><html lang=en><title>Shop</title><body>{tag}{script}</body>"
        return HTMLResponse(html)

    async def identity(self, request: Request) -> Response:
        """What docs/identity.md asks of a site's server."""
        visitor = request.cookies.get("visitor", "")
        self.asked.append(visitor)
        if not visitor:
            return Response(status_code=204)
        now = int(time.time())
        claims = {
            "iss": self.origin,
            "aud": SITE,
            "sub": visitor,
            "iat": now,
            "exp": now + 300,
            "jti": secrets.token_urlsafe(16),
            "cnf": {"jkt": (await request.json())["thumbprint"]},
        }
        header = {"alg": "ES256", "kid": "one", "typ": "JWT"}
        signed = ".".join(b64url_encode(canonical_json(part)) for part in (header, claims)).encode()
        return PlainTextResponse(jose.join(signed, await self.signer.sign(signed)))

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/", self.page),
                Route("/application", self.application),
                Route("/identity", self.identity, methods=["POST"]),
                Route("/favicon.ico", lambda _: Response(status_code=204)),
            ]
        )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    """A product, and a site whose server vouches for its visitors."""
    folder: Path = tmp_path_factory.mktemp("shop")
    config, signer, port = folder / "fanlight.toml", LocalSigner.generate(), free_port()
    environ = {"FANLIGHT_OPERATOR_TOKEN": OPERATOR_TOKEN}
    product = Product(folder, config, environ, page_port=free_port(), token=OPERATOR_TOKEN)
    (folder / "identity.json").write_text(json.dumps({**signer.jwk, "kid": "one"}))
    places = {"port": product.port, "page": port, "site": SITE, "kb": ROOT / "kb" / "data"}
    text = SETTINGS.format(**places)
    # The demo's own page may embed the panel too: `--demo` wants one that may.
    text = text.replace("origins = [", f'origins = ["{product.page}", ')
    config.write_text(text)
    made = Shop(product, signer, f"http://localhost:{port}")
    with served(made.app(), port):
        async with running(product):
            yield made


async def came(widget: Widget, shop: Shop, visitor: str, path: str = "/") -> list[str]:
    """Visit as somebody; the subjects of the sessions that are opened from now on."""
    subjects: list[str] = []

    async def heard(answer: Answer) -> None:
        if answer.url.endswith("/v1/sessions") and answer.ok:
            subjects.append((await answer.json())["subject"])

    widget.page.on("response", heard)
    await sign_in(widget, shop, visitor)
    await widget.page.goto(shop.origin + path)
    return subjects


async def sign_in(widget: Widget, shop: Shop, visitor: str) -> None:
    """Be somebody to the shop, or nobody."""
    await widget.page.context.clear_cookies()
    if visitor:
        cookie = {"name": "visitor", "value": visitor, "url": shop.origin}
        await widget.page.context.add_cookies([cookie])  # type: ignore[list-item]


async def until_any(subjects: list[str]) -> str:
    """The first subject."""

    async def look() -> list[str]:
        return subjects

    return (await until(look, "a session"))[0]


QUESTION = "Which stone is the moon made of?"


async def test_each_visitor_of_one_browser_has_a_conversation_of_their_own(
    surfer: Surfer, shop: Shop
) -> None:
    widget, _ = await surfer.visit("about:blank")
    subjects = await came(widget, shop, "anna")
    await widget.begin(memory=True)
    await widget.ask(QUESTION)
    assert await until_any(subjects) == f"user:{shop.origin}|anna"

    for other, subject in (("ben", f"user:{shop.origin}|ben"), ("", "anon:")):
        subjects = await came(widget, shop, other)
        await widget.begin(memory=True)
        await expect(widget.exchanges).to_have_count(0)
        await widget.ask("How do I add a question?")
        assert (await until_any(subjects)).startswith(subject)

    await came(widget, shop, "anna")
    await widget.open()
    await expect(widget.exchanges).to_have_count(1)
    await expect(widget.last.locator(".question")).to_contain_text(QUESTION)


async def test_the_panel_starts_over_when_another_visitor_is_there(
    surfer: Surfer, shop: Shop
) -> None:
    widget, _ = await surfer.visit("about:blank")
    subjects = await came(widget, shop, "dana")
    await widget.open()
    # Somebody else signs in, in another tab: this panel's next session would be theirs.
    cookie = {"name": "visitor", "value": "eli", "url": shop.origin}
    await widget.page.context.add_cookies([cookie])  # type: ignore[list-item]
    subjects.clear()
    await widget.choose(memory=True)
    # The session is opened at the first letter at the latest: the panel may start over before the
    # question is sent, or by it.
    with suppress(PlaywrightError):
        await widget.field.fill(QUESTION, timeout=3_000)
        await widget.field.press("Enter", timeout=3_000)
    await expect(widget.exchanges).to_have_count(0)
    await widget.choose(memory=False)
    await widget.ask("How do I add a question?")
    assert await until_any(subjects) == f"user:{shop.origin}|eli"
    assert set(subjects) == {f"user:{shop.origin}|eli"}


async def test_an_application_signs_its_visitor_in_and_out_without_a_new_page(
    surfer: Surfer, shop: Shop
) -> None:
    widget, _ = await surfer.visit("about:blank")
    subjects = await came(widget, shop, "", "/application")
    await widget.begin(memory=False)
    await widget.ask(QUESTION)
    assert (await until_any(subjects)).startswith("anon:")

    await sign_in(widget, shop, "fred")
    subjects.clear()
    await widget.page.evaluate("() => window.fanlight.identify(window.who)")
    # The panel starts over, open as it was.
    await expect(widget.exchanges).to_have_count(0)
    await widget.choose(memory=True)
    await widget.ask(QUESTION)
    assert await until_any(subjects) == f"user:{shop.origin}|fred"

    # The application says it again on each of its routes: the same visitor keeps the conversation.
    asked = len(shop.asked)
    await widget.page.evaluate("() => window.fanlight.identify(window.who)")

    async def asked_again() -> bool:
        return len(shop.asked) > asked

    await until(asked_again, "the page being asked again")
    await expect(widget.exchanges).to_have_count(1)

    subjects.clear()
    await widget.page.evaluate("() => window.fanlight.identify(null)")
    await expect(widget.exchanges).to_have_count(0)
    await widget.choose(memory=False)
    await widget.ask("How do I add a question?")
    assert (await until_any(subjects)).startswith("anon:")
    assert shop.asked[-1] == "fred"
