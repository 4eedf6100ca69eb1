"""What runs inside the page that `fanlight bench engines` opens."""

from __future__ import annotations

from typing import Final

LISTED: Final = """async (name) => {
  const { build } = JSON.parse(document.getElementById("fanlight-config").textContent);
  const { [name]: files } = await (await fetch(`/assets/precache-${build}.json`)).json();
  return files;
}"""
"""The files of this build that an engine needs: `engine` for wllama, `webllm`."""

KEPT: Final = """
const since = (at) => (performance.now() - at) / 1000;
const kept = async () => {
  const name = (await caches.keys()).find((one) => one.includes("-model-"));
  const cache = await caches.open(name);
  const manifest = await (await cache.match("/m/kept/manifest")).json();
  const parts = [];
  const opening = performance.now();
  let hashing = 0;
  for (const index of manifest.blocks.keys()) {
    const part = await (await cache.match(`/m/kept/${index}`)).blob();
    const bytes = await part.arrayBuffer();
    const at = performance.now();
    await crypto.subtle.digest("SHA-256", bytes);
    hashing += since(at);
    parts.push(part);
  }
  const open_s = since(opening);
  return { parts, open_s, hash_100_mb_s: (hashing * 1e8) / manifest.size };
};
const prompt = (number) => [
  { role: "user", content: `${number}: write a long story about a cat that lives in a harbour.` },
];
const timed = async (generate) => {
  const at = performance.now();
  let first;
  let count = 0;
  await generate(() => {
    first ??= since(at);
    count += 1;
  });
  return { first, speed: (count - 1) / (since(at) - first) };
};
const never = new AbortController().signal;
const through = (engine, tokens) => (number) => timed(async (piece) => {
  for await (const { text } of engine.generate(prompt(number), { maxTokens: tokens }, never)) {
    if (text) piece();
  }
});
// Each in turn, every round in another order, each time another prompt: nothing is remembered.
const inTurn = async (legs, rounds) => {
  const found = Object.fromEntries(Object.keys(legs).map((name) => [name, []]));
  let number = 100;
  for (let round = -1; round < rounds; round += 1) {
    const names = Object.keys(legs);
    const turned = [...names.slice(round % names.length), ...names.slice(0, round % names.length)];
    if (round % 2) turned.reverse();
    for (const name of turned) {
      number += 1;
      const took = await legs[name](number);
      // The first of each only warms up.
      if (round >= 0) found[name].push(took);
    }
  }
  return found;
};
"""

RUN: Final = f"""async ({{ chunk, rounds, tokens }}) => {{
  {KEPT}
  const {{ parts, open_s, hash_100_mb_s }} = await kept();
  const {{ WllamaEngine }} = await import(chunk);
  const engine = new WllamaEngine();
  const loading = performance.now();
  await engine.load({{ memory: 0, context: 1024 }}, new Blob(parts));
  const load_s = since(loading);
  const bare = (more) => (number) => timed((piece) => engine.underneath.createChatCompletion({{
    messages: prompt(number),
    max_tokens: tokens,
    temperature: 0,
    stream: true,
    ...more,
    onData: (chunk) => chunk.choices?.[0]?.delta?.content && piece(),
  }}));
  const legs = {{
    ours: through(engine, tokens),
    bare: bare({{}}),
    logged: bare({{ logprobs: true, top_logprobs: 1 }}),
  }};
  const found = await inTurn(legs, rounds);
  await engine.unload();
  return {{ ...found, open_s, load_s, hash_100_mb_s }};
}}"""
"""wllama through our engine, and called bare: without log-probabilities, and with them."""

RUN_WEBLLM: Final = f"""async ({{ chunk, worker, rounds, tokens }}) => {{
  {KEPT}
  const {{ parts }} = await kept();
  const {{ webLlm }} = await import(chunk);
  const model = {{ id: "bench", context: 1024 }};
  const engine = webLlm();
  await engine.load(model, new Blob(parts));
  const own = new Worker(worker, {{ type: "module" }});
  const heard = (wanted, call, piece) => new Promise((resolve, reject) => {{
    own.onmessage = ({{ data }}) => {{
      if (data.type === "failed") reject(new Error(data.message));
      else if (data.type === wanted) resolve();
      else if (data.text) piece();
    }};
    own.postMessage(call);
  }});
  await heard("loaded", {{ type: "load", ...model, archive: new Blob(parts) }});
  const legs = {{
    ours: through(engine, tokens),
    bare: (number) => timed((piece) => heard(
      "ended", {{ type: "generate", messages: prompt(number), maxTokens: tokens }}, piece,
    )),
  }};
  const found = await inTurn(legs, rounds);
  await engine.unload();
  own.terminate();
  return found;
}}"""
"""WebLLM through our engine, and by messages to its worker itself."""
