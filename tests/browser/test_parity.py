"""The browser and the server give one question the same answers, with the same confidences."""

from __future__ import annotations

import json
from random import Random
from urllib.parse import urljoin

import httpx
import pytest

from gateway.cli.bench.browser_scripts import REMEMBER_PYTHON
from kb import Index, load_index
from kb.build import background
from kb.embed import load_embedding
from kb.simulate import spoil
from tests.browser.conftest import Surfer
from tests.browser.product import Product

SEARCH = """async ({ questions }) => {
  const { python, knowledge } = window.fanlightPython;
  const { loadPyodide } = await import(`${python.runtime}pyodide.mjs`);
  const pyodide = await loadPyodide({
    indexURL: python.runtime,
    stdLibURL: python.stdlib,
    lockFileContents: python.lock,
    packageBaseUrl: python.runtime,
  });
  const urls = [knowledge.index, knowledge.embedding];
  const files = await Promise.all(urls.map(async (url) => (await fetch(url)).arrayBuffer()));
  pyodide.globals.set("files", pyodide.toPy(files.map((file) => new Uint8Array(file))));
  pyodide.globals.set("questions", pyodide.toPy(questions));
  const found = pyodide.runPython(`
import json
from kb import load_index
from kb.embed import load_embedding

packed, table = (bytes(file) for file in files)
index = load_index(packed, load_embedding(table))
def told(hit):
    return [hit.entry.id, hit.entry.locale, hit.confidence, list(hit.reasons)]

json.dumps([[told(hit) for hit in index.search(question)] for question in questions])
`);
  return { found };
}"""
"""The server's search in the browser's own Python, over the files that it was given."""
QUESTIONS = 200

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]


def asked(index: Index) -> list[str]:
    """Questions of the entries in all languages, written in a hurry, and strangers."""
    rng = Random(7)
    strangers = background(["en", "es", "he"])
    known = [text for entry in index.entries for text in (entry.question, *entry.variants)]
    hurried = [spoil(text, rng, ["something"]) for text in rng.sample(known, QUESTIONS // 2)]
    return [*hurried, *rng.sample(strangers, QUESTIONS // 2)]


async def test_two_hundred_questions_are_answered_alike_in_the_browser_and_on_the_server(
    surfer: Surfer, demo: Product
) -> None:
    page, _ = await surfer.page(demo.chat, REMEMBER_PYTHON)
    await page.wait_for_function("() => window.fanlightPython !== undefined")
    urls = await page.evaluate("() => window.fanlightPython.knowledge")
    async with httpx.AsyncClient() as client:
        packed, table = [
            (await client.get(urljoin(demo.gateway, urls[name]))).content
            for name in ("index", "embedding")
        ]
    index = load_index(packed, load_embedding(table))
    questions = asked(index)
    told = await page.evaluate(SEARCH, {"questions": questions})
    for question, hits in zip(questions, json.loads(told["found"]), strict=True):
        own = index.search(question)
        assert [tuple(hit[:2]) for hit in hits] == [(h.entry.id, h.entry.locale) for h in own]
        assert [hit[3] for hit in hits] == [list(hit.reasons) for hit in own], question
        for (*_, confidence, _), hit in zip(hits, own, strict=True):
            assert confidence == pytest.approx(hit.confidence, abs=1e-6), question
