/**
 * Lives through a visitor's and an operator's calls to the staged Worker, and prints what came back.
 *
 *     node run_worker.mjs '{"worker": …, "sdk": …, "index": …, "release": …,
 *         "embedding": …, "embeddingRelease": …, "question": …}'
 */

import { readFile } from "node:fs/promises";
import { report } from "./pyodide.mjs";
import { brokenKv, kv, Runtime } from "./runtime.mjs";
import { newId, privateJwk, readJws, solve, Visitor } from "./visitor.mjs";

const { worker, sdk, index, release, embedding, embeddingRelease, question } = JSON.parse(
  process.argv[2],
);
const ORIGIN = "https://chat.shop.example";
const CONSOLE = "https://console.shop.example";
const OPERATOR_TOKEN = "a-made-up-operator-token-0123456789";

async function told(response) {
  const text = await response.text();
  const type = response.headers.get("content-type") ?? "";
  return { status: response.status, type, body: type.includes("json") ? JSON.parse(text) : text };
}

async function refusals(runtime, env) {
  const get = () => new Request(`${ORIGIN}/health`);
  const other = await privateJwk();
  const mine = JSON.parse(env.FANLIGHT_SIGNING_JWK);
  const mixed = JSON.stringify({ ...mine, x: other.x, y: other.y });
  const { FANLIGHT_SIGNING_JWK: _, ...keyless } = env;
  const cases = {
    unset: {},
    keyless,
    unknown_truth: { ...env, FANLIGHT_TRUTH: "postgres" },
    mixed_key: { ...env, FANLIGHT_SIGNING_JWK: mixed },
    no_index: { ...env, KB: kv({}) },
    broken_index: { ...env, KB: kv({ "site_demo.idx": Buffer.from("no index") }) },
    broken_embedding: { ...env, KB: kv({ "embedding.bin": Buffer.from("no embedding") }) },
    kv_down: { ...env, KB: brokenKv() },
  };
  const found = {};
  for (const [name, flawed] of Object.entries(cases))
    found[name] = await told(await runtime.fetch(flawed, get()));
  return found;
}

async function openSession(send, visitor) {
  const site = { site_key: "site_demo" };
  const asked = visitor.plain("POST", "/v1/challenges", { ...site, thumbprint: visitor.thumbprint });
  const { challenge, difficulty } = (await told(await send(asked))).body;
  const opened = await told(
    await send(
      await visitor.signed("POST", "/v1/sessions", {
        ...site,
        jwk: visitor.jwk,
        challenge,
        solution: solve(challenge, difficulty),
        locale: "en",
        consent: { memory: true, training: false },
      }),
    ),
  );
  visitor.token = opened.body.access_token;
  return opened;
}

function chatBody(stream) {
  return {
    turn_id: newId("t"),
    conversation_id: newId("c"),
    message: { content: question, mode: "text" },
    locale: "en",
    options: { stream },
  };
}

async function talk(runtime, send, visitor, keys) {
  const receipts = [];
  const keep = async (response) => {
    visitor.receipt = response.headers.get("x-integrity");
    receipts.push(await readJws(visitor.receipt, keys));
    return told(response);
  };
  const chat = await keep(await send(await visitor.signed("POST", "/v1/chat", chatBody(false), "k1")));
  const escalation = await visitor.signed(
    "POST",
    "/v1/escalations",
    {
      turn_id: newId("t"),
      conversation_id: newId("c"),
      question: "May I speak to somebody?",
      fallback_text: "A person will answer here.",
      reason: "requested",
      confidence: 0.1,
      conversation_tail: [],
      locale: "en",
      timestamp: new Date().toISOString(),
    },
    "k2",
  );
  const escalated = await keep(await send(escalation));
  const replayed = await told(await send(escalation));
  const streamed = await told(
    await send(await visitor.signed("POST", "/v1/chat", chatBody(true), "k3")),
  );
  await Promise.all(runtime.pending);
  const altered = await visitor.signed("POST", "/v1/chat", chatBody(false), "k4");
  altered.body = altered.body.replace("en", "es");
  const tampered = await told(await send(altered));
  visitor.receipt = null;
  const renewed = await told(await send(await visitor.signed("POST", "/v1/sessions/renew", {})));
  const conversation = JSON.parse(escalation.body).conversation_id;
  return { chat, escalated, replayed, streamed, tampered, renewed, receipts, conversation };
}

async function operate(send, id) {
  const headers = { host: new URL(CONSOLE).host, origin: CONSOLE };
  const json = { ...headers, "content-type": "application/json" };
  const at = async (method, path, init = {}) =>
    await send({ method, path, headers, ...init }, CONSOLE);
  const body = JSON.stringify({ token: OPERATOR_TOKEN });
  const logged = await at("POST", "/v1/operator/session", { headers: json, body });
  headers.cookie = logged.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  const who = await told(await at("GET", "/v1/operator/session"));
  const changing = { ...json, cookie: headers.cookie, "x-csrf-token": who.body.csrf };
  const reply = JSON.stringify({ content: "Of course. Dana here.", resolve: true, seen: 1 });
  return {
    logged: logged.status,
    listed: await told(await at("GET", "/v1/escalations?status=open")),
    resent: await told(
      await at("POST", `/v1/escalations/${id}/resend`, { headers: changing, body: "" }),
    ),
    replied: await told(
      await at("POST", `/v1/escalations/${id}/replies`, { headers: changing, body: reply }),
    ),
  };
}

/** The rest of what a visitor's browser may ask for; none of it may need a thread. */
async function look(send, visitor, release) {
  const paths = [
    "/.well-known/fanlight-keys.json",
    "/openapi.json",
    `/kb/site_demo/${release}.idx`,
    `/kb/embedding/${embeddingRelease}.bin`,
    "/loader.js",
    "/panel/site_demo",
    "/chat/site_demo",
    "/sw.js",
    "/assets/none.js",
    "/nowhere",
  ];
  const found = {};
  for (const path of paths) {
    const response = await send(visitor.plain("GET", path));
    found[path.replace(release, "release").replace(embeddingRelease, "release")] = response.status;
    await response.arrayBuffer();
  }
  return found;
}

/** How many sessions one address may try to open before it is told to wait, and what another hears. */
async function limits(send) {
  const ask = async (address) => {
    const visitor = await Visitor.create(ORIGIN, address);
    const body = { site_key: "site_demo", thumbprint: visitor.thumbprint };
    return (await send(visitor.plain("POST", "/v1/challenges", body))).status;
  };
  const statuses = [];
  while (statuses.length < 200 && statuses.at(-1) !== 429) statuses.push(await ask("203.0.113.9"));
  return { crowded: statuses.at(-1), another: await ask("203.0.113.10") };
}

async function live() {
  const began = performance.now();
  const runtime = await Runtime.start(worker, sdk);
  const started_ms = performance.now() - began;
  const env = {
    FANLIGHT_TRUTH: "memory-for-trial",
    FANLIGHT_PUBLIC_URL: ORIGIN,
    FANLIGHT_CONSOLE_URL: CONSOLE,
    FANLIGHT_OPERATOR_TOKEN: OPERATOR_TOKEN,
    FANLIGHT_SITES: JSON.stringify({ site_demo: { name: "Shop", origins: ["https://shop.example"] } }),
    FANLIGHT_SIGNING_JWK: JSON.stringify(await privateJwk()),
    KB: kv({
      "site_demo.idx": await readFile(index),
      "embedding.bin": await readFile(embedding),
    }),
  };
  const visitor = await Visitor.create(ORIGIN, "203.0.113.7");
  const send = ({ path, ...init }, origin = ORIGIN) =>
    runtime.fetch(env, new Request(origin + path, init));

  const refused = await refusals(runtime, env);
  const first = await Promise.all([1, 2].map(() => send(visitor.plain("GET", "/health"))));
  const healths = await Promise.all(first.map(told));
  // A gateway refuses what was signed before it began, and a signature knows whole seconds only.
  await new Promise((resolve) => setTimeout(resolve, 1001 - (Date.now() % 1000)));
  const keys = await told(await send(visitor.plain("GET", "/.well-known/fanlight-keys.json")));
  const session = await openSession(send, visitor);
  const talked = await talk(runtime, send, visitor, keys.body.keys);
  const operated = await operate(send, talked.escalated.body.escalation_id);
  const path = `/v1/conversations/${talked.conversation}/events`;
  const events = await told(await send(await visitor.signed("GET", path)));
  const looked = await look(send, visitor, release);
  const limited = await limits(send);
  await Promise.all(runtime.pending);
  const lived_ms = performance.now() - began;
  return {
    ...{ started_ms, lived_ms, refused, healths, session, ...talked, operated, events },
    ...{ looked, limited, unfinished: runtime.pending.size },
  };
}

await report(live);
