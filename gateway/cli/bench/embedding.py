"""What encoding a sentence takes in a visitor's browser, by the panel's own worker.

Decides the sentences: questions as visitors write them. Measured in the page, the message there and
back included; each sentence once to warm up, then in turn.
"""

from __future__ import annotations

from statistics import median
from typing import Final

from playwright.async_api import Page

SENTENCES: Final = (
    "Does it work offline?",
    "How do I return an order that came damaged?",
    "Can I pay in three instalments?",
    "What happens to my data when I close the chat?",
    "Where do I find the invoice for last month?",
    "I forgot my password and the mail does not come.",
    "Do you ship to islands, and how long does that take?",
    "Is somebody there on Sundays?",
)
EMBED: Final = """async ({ sentences, rounds }) => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const { build, encoder } = read("fanlight-config");
  if (!encoder) return null;
  const list = await (await fetch(`/assets/precache-${build}.json`)).json();
  const { sha256 } = await (await fetch(encoder.manifest)).json();
  const archive = await (await fetch(`/m/sha256/${sha256}`)).blob();
  const script = list.encoder.find((file) => file.includes("encoder_worker"));
  const worker = new Worker(script, { type: "module" });
  const asked = (call) => new Promise((resolve, reject) => {
    worker.onerror = () => reject(new Error("the worker stopped"));
    worker.onmessage = ({ data }) =>
      data.type === "failed" ? reject(new Error(data.message)) : resolve(data);
    worker.postMessage(call);
  });
  await asked({ type: "load", archive });
  const found = [];
  let id = 0;
  for (let round = 0; round <= rounds; round += 1) {
    for (const text of sentences) {
      id += 1;
      const at = performance.now();
      await asked({ type: "embed", id, texts: [text], purpose: "query" });
      if (round > 0) found.push(performance.now() - at);
    }
  }
  worker.terminate();
  return found;
}"""


async def embed_figures(page: Page, rounds: int) -> dict[str, float]:
    """`embed_ms`, the median; nothing where the page's site has no encoder."""
    asked = {"sentences": list(SENTENCES), "rounds": rounds}
    found = await page.evaluate(EMBED, asked)
    return {} if found is None else {"embed_ms": round(float(median(found)), 2)}
