import { beforeEach, describe, expect, test, vi } from "vitest";
import type { OfflineReply, Precache } from "../../src/sw/messages.ts";
import { Offline, PAGE_TIMEOUT_MS } from "../../src/sw/offline.ts";
import { MemoryCaches } from "./memory_caches.ts";

const ORIGIN = "https://chat.example";
const PAGE = "/chat/site_demo";
const INDEX = "/kb/site_demo/r1.idx";
const EMBEDDING = "/kb/embedding/e1.bin";

const CALL: Precache = {
  type: "precache",
  build: "b1",
  urls: ["/assets/panel.js", "/assets/worker.js", INDEX, EMBEDDING],
  documents: [PAGE],
  marks: ["b1", "r1", "e1"],
};

/** A gateway: what lies under each path, and what was asked of it. */
class Gateway {
  readonly files = new Map<string, () => Promise<Response>>();
  readonly asked: string[] = [];

  serve(path: string, body: string, status = 200): void {
    this.files.set(path, async () => new Response(body, { status }));
  }

  fetch = (input: RequestInfo): Promise<Response> => {
    const url = new URL(input instanceof Request ? input.url : input, ORIGIN);
    this.asked.push(url.pathname);
    const file = this.files.get(url.pathname);
    return file ? file() : Promise.reject(new TypeError("Failed to fetch"));
  };

  down(): void {
    this.files.clear();
    this.asked.length = 0;
  }
}

let gateway: Gateway;
let caches: MemoryCaches;
let offline: Offline;

function worker(site = "site_demo", scope = PAGE): Offline {
  return new Offline({
    caches: caches as unknown as CacheStorage,
    fetch: gateway.fetch,
    origin: ORIGIN,
    scope,
    site,
  });
}

beforeEach(() => {
  gateway = new Gateway();
  for (const url of CALL.urls) gateway.serve(url, `file ${url}`);
  gateway.serve(PAGE, "page of build b1, index r1, embedding e1");
  caches = new MemoryCaches(ORIGIN);
  offline = worker();
});

const request = (path: string, mode = "no-cors", method = "GET") =>
  ({ url: new URL(path, ORIGIN).href, mode, method }) as Request;

/** A navigation cannot be constructed; a plain request stands for it once it is planned. */
const open = (path: string) => offline.respond({ kind: "page" }, new Request(`${ORIGIN}${path}`));

async function get(path: string): Promise<string> {
  const plan = offline.plan(request(path));
  if (!plan) return "left to the browser";
  return (await offline.respond(plan, new Request(`${ORIGIN}${path}`))).text();
}

const store = (call: Precache = CALL, told: OfflineReply[] = []) =>
  offline.precache(call, (reply) => told.push(reply));

describe("what is touched", () => {
  test.each([
    [PAGE, "navigate", { kind: "page" }],
    [`${PAGE}?from=home`, "navigate", { kind: "page" }],
    ["/chat/site_demo2", "navigate", null],
    ["/chat/site_demo/more", "navigate", null],
    ["/assets/panel.js", "no-cors", { kind: "file", path: "/assets/panel.js" }],
    [
      "/assets/py/r/pyodide.asm.wasm",
      "cors",
      { kind: "file", path: "/assets/py/r/pyodide.asm.wasm" },
    ],
    [`${PAGE}/assets/worker.js`, "same-origin", { kind: "file", path: "/assets/worker.js" }],
    [INDEX, "cors", { kind: "file", path: INDEX }],
    [EMBEDDING, "cors", { kind: "file", path: EMBEDDING }],
    ["/kb/embedding/notes.txt", "cors", null],
    ["/kb/site_demo/e1.bin", "cors", null],
    ["/kb/site_other/r1.idx", "cors", null],
    ["/kb/site_demo/notes.txt", "cors", null],
    ["/v1/chat", "cors", null],
    ["/v1/assets/x.js", "cors", null],
    ["/sw.js", "cors", null],
    ["/assets/../v1/export", "cors", null],
    ["https://elsewhere.example/assets/panel.js", "cors", null],
  ])("%s (%s)", (path, mode, plan) => {
    expect(offline.plan(request(path, mode))).toEqual(plan);
  });

  test("nothing but GET", () => {
    expect(offline.plan(request("/assets/panel.js", "cors", "POST"))).toBeNull();
  });
});

describe("storing", () => {
  test("takes all that is named, the page last, and counts", async () => {
    const told: OfflineReply[] = [];
    await store(CALL, told);
    expect(caches.paths("fanlight-site_demo-b1")).toEqual([...CALL.urls, PAGE]);
    expect(told.at(-1)).toEqual({ type: "progress", loaded: 5, total: 5 });
  });

  test("again fetches only the page", async () => {
    await store();
    gateway.asked.length = 0;
    await store();
    expect(gateway.asked).toEqual([PAGE]);
  });

  test("keeps no page that belongs to another build", async () => {
    gateway.serve(PAGE, "page of build b2, index r1, embedding e1");
    await store();
    expect(caches.paths("fanlight-site_demo-b1")).not.toContain(PAGE);
  });

  test("keeps no page that goes with another embedding", async () => {
    gateway.serve(PAGE, "page of build b1, index r1, embedding e2");
    await store();
    expect(caches.paths("fanlight-site_demo-b1")).not.toContain(PAGE);
  });

  test("keeps no page when the embedding is missing", async () => {
    gateway.serve(EMBEDDING, "gone", 404);
    await expect(store()).rejects.toThrow(`${EMBEDDING} answered 404`);
    expect(caches.paths("fanlight-site_demo-b1")).not.toContain(PAGE);
  });

  test("keeps no page when a file is missing", async () => {
    gateway.serve("/assets/worker.js", "gone", 404);
    await expect(store()).rejects.toThrow("/assets/worker.js answered 404");
    expect(caches.paths("fanlight-site_demo-b1")).not.toContain(PAGE);
  });

  test("says what the browser said when there is no room", async () => {
    const cache = await caches.open("fanlight-site_demo-b1");
    cache.refuse = new DOMException("full", "QuotaExceededError");
    await expect(store()).rejects.toThrow("full");
  });

  test.each([
    ["index", INDEX, "/kb/site_demo/r2.idx"],
    ["embedding", EMBEDDING, "/kb/embedding/e2.bin"],
  ])("drops the %s that the page no longer names", async (_, old, next) => {
    await store();
    gateway.serve(next, "newer");
    gateway.serve(PAGE, "page of build b1, index r2, embedding e2");
    const urls = [...CALL.urls.filter((url) => url !== old), next];
    await store({ ...CALL, urls, marks: ["b1", "r2", "e2"] });
    const kept = caches.paths("fanlight-site_demo-b1");
    expect(kept).not.toContain(old);
    expect(kept).toEqual(expect.arrayContaining([...urls, PAGE]));
  });
});

describe("serving", () => {
  test("a stored file comes without a fetch, also inside the page's path", async () => {
    await store();
    gateway.down();
    expect(await get("/assets/panel.js")).toBe("file /assets/panel.js");
    expect(await get(`${PAGE}/assets/worker.js`)).toBe("file /assets/worker.js");
    expect(await get(EMBEDDING)).toBe(`file ${EMBEDDING}`);
    expect(gateway.asked).toEqual([]);
  });

  test("a file that is not stored comes from the network, and is not kept", async () => {
    gateway.serve("/assets/lazy.js", "lazy");
    expect(await get("/assets/lazy.js")).toBe("lazy");
    expect(await get(`${PAGE}/assets/lazy.js`)).toBe("lazy");
    expect(caches.all.size).toBe(0);
  });

  test("refused storage counts as an empty one", async () => {
    caches.refuse = new DOMException("denied", "SecurityError");
    expect(await get("/assets/panel.js")).toBe("file /assets/panel.js");
    gateway.serve(PAGE, "broken", 503);
    expect((await open(PAGE)).status).toBe(503);
  });

  test("another site's cache is never read", async () => {
    await store();
    gateway.down();
    offline = worker("site_dem", "/chat/site_dem");
    await expect(get("/assets/panel.js")).rejects.toThrow("Failed to fetch");
    offline = worker("site.demo", "/chat/site.demo");
    await expect(get("/assets/panel.js")).rejects.toThrow("Failed to fetch");
  });

  test.each([
    ["answers", () => gateway.serve(PAGE, "fresh"), "fresh"],
    ["refuses", () => gateway.serve(PAGE, "no such site", 404), "no such site"],
    ["is gone", () => gateway.down(), "page of build b1, index r1, embedding e1"],
    [
      "is broken",
      () => gateway.serve(PAGE, "oops", 502),
      "page of build b1, index r1, embedding e1",
    ],
  ])("the page, when the gateway %s", async (_, change, text) => {
    await store();
    change();
    expect(await (await open(PAGE)).text()).toBe(text);
  });

  test("the page of a slow network comes from the cache after a while", async () => {
    await store();
    vi.useFakeTimers();
    try {
      gateway.files.set(PAGE, () => new Promise(() => undefined));
      const page = open(PAGE);
      await vi.advanceTimersByTimeAsync(PAGE_TIMEOUT_MS);
      expect(await (await page).text()).toBe("page of build b1, index r1, embedding e1");
    } finally {
      vi.useRealTimers();
    }
  });

  test("a page that was never stored fails as it would without us", async () => {
    gateway.down();
    await expect(open(PAGE)).rejects.toThrow("Failed to fetch");
  });
});

describe("dropping", () => {
  const other = "fanlight-site_demo-longer-b1";

  beforeEach(async () => {
    await store();
    await caches.open("fanlight-site_demo-b0");
    await caches.open(other);
    await caches.open("someone-elses");
  });

  test("a named build stays, this site's others go", async () => {
    await offline.sweep("b1");
    expect(await caches.keys()).toEqual(["fanlight-site_demo-b1", other, "someone-elses"]);
  });

  test("without a name the last whole one stays", async () => {
    await offline.sweep();
    expect(await caches.keys()).toEqual(["fanlight-site_demo-b1", other, "someone-elses"]);
  });

  test("nothing goes while none is whole", async () => {
    await (await caches.open("fanlight-site_demo-b1")).delete(PAGE);
    await offline.sweep();
    expect(await caches.keys()).toContain("fanlight-site_demo-b0");
  });

  test("clear leaves other sites alone", async () => {
    await offline.clear();
    expect(await caches.keys()).toEqual([other, "someone-elses"]);
  });
});
