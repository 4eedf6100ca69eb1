/** Fetching and keeping a model: over a server and a cache in memory that cut, spoil and lose what they should not. */
import { beforeEach, describe, expect, it, vi } from "vitest";
import { Blocks, cacheOf, dropModels } from "../../src/engines/weights/blocks.ts";
import { Weights, type WeightsWorker } from "../../src/engines/weights/client.ts";
import { download, runsOf, type Wanted } from "../../src/engines/weights/download.ts";
import { storageError, WeightsError } from "../../src/engines/weights/failure.ts";
import { hex } from "../../src/engines/weights/hash.ts";
import type { WeightsCall, WeightsReply } from "../../src/engines/weights/protocol.ts";
import { WeightsServer } from "../../src/engines/weights/serve.ts";
import { MemoryCaches } from "../sw/memory_caches.ts";

const BLOCK = 64;
const FILE = Uint8Array.from({ length: BLOCK * 4 + 10 }, (_, at) => (at * 7) % 251);
const ORIGIN = "https://chat.example";

let caches: MemoryCaches;
let wanted: Wanted;
let manifest: Uint8Array<ArrayBuffer>;
let server: { asked: string[]; cutAfter: number; file: Uint8Array<ArrayBuffer>; status: number };

/** What the gateway would send for this call. */
async function serve(url: string, init: RequestInit): Promise<Response> {
  const range = new Headers(init.headers).get("range") ?? "";
  server.asked.push(`${url.slice(0, 12)} ${range}`);
  if (server.status !== 200) return new Response(null, { status: server.status });
  if (url === wanted.manifest) return new Response(manifest);
  const [start = 0, end = server.file.length - 1] = range.slice(6).split("-").map(Number);
  const part = server.file.slice(start, end + 1);
  const { cutAfter } = server;
  server.cutAfter = Number.POSITIVE_INFINITY;
  let at = 0;
  const body = new ReadableStream({
    pull(controller) {
      if (at >= cutAfter) controller.error(new TypeError("cut"));
      else if (at >= part.length) controller.close();
      else controller.enqueue(part.slice(at, at + 50));
      at += 50;
    },
  });
  return new Response(body, { status: range ? 206 : 200 });
}

function blocks(): Blocks {
  return new Blocks(caches as unknown as CacheStorage, cacheOf("site_a", wanted.sha256));
}

function fetchAll(told = vi.fn(), signal = new AbortController().signal) {
  return download(wanted, { fetch: serve, blocks: blocks(), signal, told, wait: async () => {} });
}

beforeEach(async () => {
  caches = new MemoryCaches(ORIGIN);
  server = { asked: [], cutAfter: Number.POSITIVE_INFINITY, file: FILE, status: 200 };
  const hashes = [];
  for (let at = 0; at < FILE.length; at += BLOCK)
    hashes.push(await hex(FILE.slice(at, at + BLOCK)));
  const made = { sha256: await hex(FILE), size: FILE.length, block_size: BLOCK, blocks: hashes };
  manifest = new TextEncoder().encode(JSON.stringify(made));
  wanted = { site: "site_a", manifest: "/m/sha256/manifest", sha256: await hex(manifest) };
});

async function whole(): Promise<Uint8Array> {
  const found = await fetchAll();
  return new Uint8Array(await (await blocks().open(found)).arrayBuffer());
}

describe("a download", () => {
  it("brings every byte, and tells how far it is", async () => {
    const told = vi.fn();
    await fetchAll(told);
    expect(told.mock.calls.at(-1)).toEqual([FILE.length, FILE.length]);
    expect(await whole()).toEqual(FILE);
    // The second time nothing is asked for.
    expect(server.asked).toHaveLength(2);
  });

  it("goes on where it was cut", async () => {
    server.cutAfter = 150;
    expect(await whole()).toEqual(FILE);
    expect(server.asked.at(-1)).toContain(`bytes=${2 * BLOCK}-${FILE.length - 1}`);
  });

  it("refuses a block that is not what was promised, and keeps nothing of it", async () => {
    server.file = FILE.slice();
    server.file[BLOCK * 2 + 5] = 0xff;
    await expect(fetchAll()).rejects.toMatchObject({ reason: "tampered" });
    expect(await blocks().missing(await manifestHere())).toEqual([2, 3, 4]);
    // Once the server has the right file, the rest comes.
    server.file = FILE;
    expect(await whole()).toEqual(FILE);
  });

  it("refuses a manifest that is not the one that the page names", async () => {
    manifest = new TextEncoder().encode(new TextDecoder().decode(manifest).replace(/.$/, " }"));
    await expect(fetchAll()).rejects.toMatchObject({ reason: "tampered" });
    const odd = new TextEncoder().encode('{"size": 5, "block_size": 1, "blocks": []}');
    manifest = odd;
    wanted = { ...wanted, sha256: await hex(odd) };
    await expect(fetchAll()).rejects.toThrow("does not add up");
  });

  it.each([
    [404, "gone"],
    [503, "network"],
  ])("says what %i means", async (status, reason) => {
    server.status = status;
    await expect(fetchAll()).rejects.toMatchObject({ reason });
    expect(server.asked).toHaveLength(reason === "gone" ? 1 : 4);
  });

  it("says plainly that there is no room", async () => {
    const full = new DOMException("full", "QuotaExceededError");
    const cache = await caches.open(cacheOf("site_a", wanted.sha256));
    cache.refuse = full;
    await expect(fetchAll()).rejects.toMatchObject({ reason: "quota" });
    expect(storageError("odd").reason).toBe("storage");
  });

  it("stops when it is told to, and goes on later", async () => {
    const stop = new AbortController();
    const told = vi.fn((done: number) => done >= BLOCK && stop.abort(new Error("paused")));
    await expect(fetchAll(told, stop.signal)).rejects.toThrow("paused");
    expect(await whole()).toEqual(FILE);
  });

  it("keeps no block that it was told to stop before", async () => {
    const stop = new AbortController();
    const hashed = vi.spyOn(crypto.subtle, "digest");
    const told = vi.fn((done: number) => {
      if (done < BLOCK) return;
      // The next block is being looked at when the visitor stops.
      hashed.mockImplementationOnce(async (_name, bytes) => {
        hashed.mockRestore();
        stop.abort(new Error("stopped"));
        return crypto.subtle.digest("SHA-256", bytes);
      });
    });
    await expect(fetchAll(told, stop.signal)).rejects.toThrow("stopped");
    expect(caches.paths(cacheOf("site_a", wanted.sha256))).toEqual([
      "/m/kept/manifest",
      "/m/kept/0",
    ]);
  });

  it("does not bring back what is deleted meanwhile", async () => {
    const name = cacheOf("site_a", wanted.sha256);
    const told = vi.fn((done: number) => done >= BLOCK && void caches.delete(name));
    await fetchAll(told);
    expect(await caches.keys()).toEqual([]);
  });

  it("refuses a whole file where a part was asked for", async () => {
    server.cutAfter = 150;
    await expect(
      download(wanted, {
        fetch: async (url, init) => {
          const sent = await serve(url, init);
          const late = /bytes=(?!0-)/.test(new Headers(init.headers).get("range") ?? "");
          return late ? new Response(FILE) : sent;
        },
        blocks: blocks(),
        signal: new AbortController().signal,
        told: () => undefined,
        wait: async () => {},
      }),
    ).rejects.toThrow("a part alone");
  });
});

async function manifestHere() {
  return JSON.parse(new TextDecoder().decode(manifest));
}

describe("what is kept", () => {
  it("is looked at again: a block that was spoilt or lost is dropped, and fetched again", async () => {
    await fetchAll();
    const cache = await caches.open(cacheOf("site_a", wanted.sha256));
    await cache.put("/m/kept/1", new Response("spoilt"));
    await cache.delete("/m/kept/3");
    await expect(blocks().open(await manifestHere())).rejects.toMatchObject({ reason: "storage" });
    expect(runsOf(await blocks().missing(await manifestHere()))).toEqual([
      [1, 1],
      [3, 3],
    ]);
    expect(await whole()).toEqual(FILE);
    expect(server.asked.slice(2)).toHaveLength(2);
  });

  it("is its site's alone, and goes with it", async () => {
    await fetchAll();
    await caches.open(cacheOf("site_b", wanted.sha256));
    await caches.open(cacheOf("site_a", "older"));
    await dropModels(caches as unknown as CacheStorage, "site_a", [wanted.sha256]);
    expect(await caches.keys()).toEqual([
      cacheOf("site_a", wanted.sha256),
      cacheOf("site_b", wanted.sha256),
    ]);
    await dropModels(caches as unknown as CacheStorage, "site_a");
    expect(await caches.keys()).toEqual([cacheOf("site_b", wanted.sha256)]);
  });

  it("may not be reached at all", async () => {
    caches.refuse = new DOMException("no", "SecurityError");
    await expect(fetchAll()).rejects.toMatchObject({ reason: "storage" });
  });
});

/** A worker in this thread, over the same server. */
class HereWorker implements WeightsWorker {
  ended = false;
  #message: (event: MessageEvent<WeightsReply>) => void = () => undefined;
  fail: (event: Event) => void = () => undefined;
  readonly #server: WeightsServer;

  constructor(
    alone: <T>(name: string, work: () => Promise<T>) => Promise<T>,
    heard: unknown[] = [],
  ) {
    this.#server = new WeightsServer({
      fetch: serve,
      caches: caches as unknown as CacheStorage,
      wait: async () => {},
      alone,
      channel: () => ({ postMessage: (said) => heard.push(said), close() {}, onmessage: null }),
      post: (data) => this.#message({ data } as MessageEvent<WeightsReply>),
    });
  }

  postMessage(call: WeightsCall): void {
    void this.#server.serve(call);
  }

  terminate(): void {
    this.ended = true;
  }

  addEventListener(type: string, listener: (event: never) => void): void {
    if (type === "message") this.#message = listener as never;
    else this.fail = listener as never;
  }
}

describe("the keeper of models", () => {
  const straight = <T>(_name: string, work: () => Promise<T>) => work();

  it("fetches, counts and opens", async () => {
    const heard: unknown[] = [];
    const weights = new Weights(() => new HereWorker(straight, heard));
    expect(await weights.here(wanted)).toEqual({ done: 0, total: 0 });
    const told = vi.fn();
    const all = { done: FILE.length, total: FILE.length };
    expect(await weights.fetch(wanted, told, new AbortController().signal)).toEqual(all);
    expect(told).toHaveBeenLastCalledWith(all);
    expect(heard.at(-1)).toEqual(all);
    expect(await weights.here(wanted)).toEqual(all);
    const blob = await weights.open(wanted);
    expect(new Uint8Array(await blob.arrayBuffer())).toEqual(FILE);
    const cache = await caches.open(cacheOf("site_a", wanted.sha256));
    await cache.delete("/m/kept/0");
    expect((await weights.here(wanted)).done).toBe(Math.floor(FILE.length * 0.8));
    await expect(weights.open(wanted)).rejects.toMatchObject({ reason: "storage" });
  });

  it("has one tab at a time fetch it: the other finds it there", async () => {
    let turn: Promise<unknown> = Promise.resolve();
    const inTurn = <T>(_name: string, work: () => Promise<T>) => {
      const mine = turn.then(work);
      turn = mine.catch(() => undefined);
      return mine;
    };
    const tabs = [1, 2].map(() => new Weights(() => new HereWorker(inTurn)));
    const signal = new AbortController().signal;
    await Promise.all(tabs.map((tab) => tab.fetch(wanted, () => undefined, signal)));
    expect(server.asked).toHaveLength(2);
  });

  it("passes on why it failed, and that it was stopped", async () => {
    const weights = new Weights(() => new HereWorker(straight));
    const stop = new AbortController();
    const stopping = weights.fetch(wanted, () => stop.abort(new Error("paused")), stop.signal);
    await expect(stopping).rejects.toThrow("paused");
    await expect(weights.open(wanted, stop.signal)).rejects.toThrow("paused");
    server.status = 404;
    caches.all.clear();
    const fetching = weights.fetch(wanted, () => undefined, new AbortController().signal);
    await expect(fetching).rejects.toMatchObject({ reason: "gone" });
  });

  it("starts another worker where one has died", async () => {
    const made: HereWorker[] = [];
    const weights = new Weights(() => {
      const one = new HereWorker(() => new Promise(() => undefined));
      made.push(one);
      return one;
    });
    const stuck = weights.fetch(wanted, () => undefined, new AbortController().signal);
    made[0]?.fail(new Event("error"));
    await expect(stuck).rejects.toBeInstanceOf(WeightsError);
    expect(made[0]?.ended).toBe(true);
    await weights.here(wanted);
    expect(made).toHaveLength(2);
    weights.dispose();
    expect(made[1]?.ended).toBe(true);
  });
});
