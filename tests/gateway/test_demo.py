"""The demo's host page: its policy, its languages, and the truth of what it says to try."""

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import httpx
import pytest

import kb
from gateway.demo.app import FILES, PAGES, create_demo
from kb import Index
from tests.kept_knowledge import with_demo

GATEWAY = "http://localhost:8000"
THRESHOLD = 0.55


@pytest.fixture
async def page() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=create_demo(GATEWAY, "site_demo"))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8001") as client:
        yield client


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    return with_demo(tmp_path_factory.mktemp("demo"))


@pytest.mark.parametrize("path", [*PAGES, *FILES])
async def test_every_answer_carries_the_policy(page: httpx.AsyncClient, path: str) -> None:
    response = await page.get(path)
    assert response.status_code == 200
    assert response.headers["content-security-policy"] == (
        f"default-src 'none'; script-src {GATEWAY}; frame-src {GATEWAY}; style-src 'self'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'none'"
    )
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("path", "opening"),
    [
        ("/", '<html lang="en" dir="ltr">'),
        ("/es", '<html lang="es" dir="ltr">'),
        ("/he", '<html lang="he" dir="rtl">'),
    ],
)
async def test_a_page_says_its_language_and_its_direction(
    page: httpx.AsyncClient, path: str, opening: str
) -> None:
    response = await page.get(path)
    assert opening in response.text
    assert f'href="{path}"' in response.text
    assert response.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_has_one_script_and_nothing_that_its_policy_blocks(
    page: httpx.AsyncClient, path: str
) -> None:
    text = (await page.get(path)).text
    tag = f'<script src="{GATEWAY}/loader.js" data-site="site_demo" async></script>'
    assert re.findall(r"<script[^>]*>[^<]*</script>", text) == [tag]
    assert re.findall(r"\sstyle=|<style|\son\w+=|__FANLIGHT", text) == []
    assert unescape(text).count(f'src="{GATEWAY}/loader.js"') == 2, "the page shows its own tag"


async def test_all_else_is_not_found(page: httpx.AsyncClient) -> None:
    for path in ("/fr", "/static/index.html", "/..%2Fapp.py"):
        assert (await page.get(path)).status_code == 404
    assert (await page.post("/")).status_code == 405


async def test_a_strange_address_cannot_break_out_of_the_tag() -> None:
    transport = httpx.ASGITransport(app=create_demo(GATEWAY, 'site"><script>alert(1)</script>'))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8001") as client:
        assert "<script>alert" not in (await client.get("/")).text


@pytest.mark.parametrize(("path", "name"), PAGES.items())
def test_the_questions_to_try_do_what_the_page_says(index: Index, path: str, name: str) -> None:
    folder = Path(kb.__file__).parents[1] / "gateway" / "demo" / "static"
    text = (folder / name).read_text(encoding="utf-8")
    questions = re.findall(r"<q>(.+?)</q>", text)
    locale = path.strip("/") or "en"
    confidences = [index.search(question, locale=locale)[0].confidence for question in questions]
    assert [confidence >= THRESHOLD for confidence in confidences] == [True, True, False]
