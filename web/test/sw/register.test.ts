import { describe, expect, test } from "vitest";
import { failureOf } from "../../src/sw/failure.ts";
import type { OfflineCall, OfflineReply } from "../../src/sw/messages.ts";
import {
  disableOffline,
  dropWithdrawn,
  enableOffline,
  type OfflineScope,
} from "../../src/sw/register.ts";
import { MemoryCaches } from "./memory_caches.ts";

const ORIGIN = "https://chat.example";
const CONFIG = {
  site_key: "site_demo",
  mode: "chat",
  build: "b1",
  kb: {
    url: "/kb/site_demo/r1.idx",
    release: "r1",
    embedding: { url: "/kb/embedding/e1.bin", release: "e1" },
  },
} as const;
const LIST = { build: "b1", panel: ["/assets/panel.js"], python: ["/assets/py/s.zip"] };
const DONE: OfflineReply[] = [{ type: "progress", loaded: 1, total: 2 }, { type: "done" }];

/** A registered worker: answers each call by `replies`, or stays silent. */
class Registered extends EventTarget {
  readonly calls: OfflineCall[] = [];
  readonly scope: string;
  unregistered = false;
  state: ServiceWorkerState;
  active: Registered | null;
  installing: Registered | null = null;
  waiting: Registered | null = null;

  constructor(
    path: string,
    private readonly replies: readonly OfflineReply[],
    state: ServiceWorkerState = "activated",
  ) {
    super();
    this.scope = ORIGIN + path;
    this.state = state;
    this.active = state === "activated" ? this : null;
    if (state === "installing") this.installing = this;
  }

  postMessage(call: OfflineCall, [port]: MessagePort[]): void {
    this.calls.push(call);
    for (const reply of this.replies) port?.postMessage(reply);
  }

  async unregister(): Promise<boolean> {
    this.unregistered = true;
    return true;
  }

  become(state: ServiceWorkerState): void {
    this.state = state;
    this.dispatchEvent(new Event("statechange"));
  }
}

interface World {
  readonly registration?: Registered;
  readonly refused?: Error;
  readonly list?: () => Response;
  readonly caches?: MemoryCaches;
}

function scope(world: World = {}) {
  const registered: [string, string | undefined][] = [];
  const container = {
    register: async (script: string, options: RegistrationOptions) => {
      registered.push([script, options.scope]);
      if (world.refused) throw world.refused;
      return world.registration;
    },
    getRegistration: async () => world.registration,
  };
  const made: OfflineScope = {
    serviceWorker: container as unknown as ServiceWorkerContainer,
    caches: world.caches as unknown as CacheStorage | undefined,
    fetch: async (url) => {
      expect(url).toBe("/assets/precache-b1.json");
      return (world.list ?? (() => Response.json(LIST)))();
    },
  };
  return { made, registered };
}

describe("switching on", () => {
  test("registers for the page's own path and sends the list", async () => {
    const registration = new Registered("/chat/site_demo", DONE);
    const { made, registered } = scope({ registration });
    const seen: string[] = [];
    const outcome = await enableOffline(CONFIG, (n, of) => seen.push(`${n}/${of}`), made);
    expect(outcome).toEqual({ ok: true });
    expect(registered).toEqual([["/sw.js?site=site_demo", "/chat/site_demo"]]);
    expect(seen).toEqual(["1/2"]);
    expect(registration.calls).toEqual([
      {
        type: "precache",
        build: "b1",
        urls: [
          "/assets/panel.js",
          "/assets/py/s.zip",
          "/kb/site_demo/r1.idx",
          "/kb/embedding/e1.bin",
        ],
        documents: ["/chat/site_demo"],
        marks: ["b1", "r1", "e1"],
      },
    ]);
  });

  test("without an embedding only a page that names none goes with the files", async () => {
    const registration = new Registered("/chat/site_demo", DONE);
    const kb = { ...CONFIG.kb, embedding: null };
    await enableOffline({ ...CONFIG, kb }, undefined, scope({ registration }).made);
    expect(registration.calls).toMatchObject([
      {
        urls: ["/assets/panel.js", "/assets/py/s.zip", "/kb/site_demo/r1.idx"],
        marks: ["b1", "r1", '"embedding": null'],
      },
    ]);
  });

  test.each([
    ["one that is kept", false, ["fanlight-site_demo-model-e"], true],
    ["one that is on its way", true, [], true],
    ["one that is neither", false, ["fanlight-site_other-model-e"], false],
  ])("what an encoder needs goes with %s", async (_which, meaning, kept, stored) => {
    const registration = new Registered("/chat/site_demo", DONE);
    const caches = new MemoryCaches(ORIGIN);
    for (const name of kept) await caches.open(name);
    const list = () => Response.json({ ...LIST, encoder: ["/assets/encoder_worker.js"] });
    const config = { ...CONFIG, encoder: { sha256: "e" }, meaning };
    await enableOffline(config, undefined, scope({ registration, caches, list }).made);
    const [call] = registration.calls;
    const urls = call?.type === "precache" ? call.urls : [];
    expect(urls.includes("/assets/encoder_worker.js")).toBe(stored);
  });

  test("drops what the site offers no more, once its page is stored", async () => {
    const form = (sha256: string) => ({ sha256 });
    const models = [{ sha256: "cpu", webllm: [form("gpu")] }];
    const whole = ["cpu", "gpu", "encoder", "replaced"].map(
      (one) => `fanlight-site_demo-model-${one}`,
    );
    const other = "fanlight-site_other-model-cpu";
    const caches = new MemoryCaches(ORIGIN);
    for (const name of [...whole, other, "fanlight-site_demo-b1"]) await caches.open(name);
    const config = { ...CONFIG, local_models: models, encoder: form("encoder") };
    const list = () => Response.json({ ...LIST, encoder: [] });
    const failing = new Registered("/chat/site_demo", [
      { type: "failed", reason: "network", message: "no" },
    ]);
    await enableOffline(config, undefined, scope({ registration: failing, caches, list }).made);
    expect(await caches.keys()).toHaveLength(6);
    const registration = new Registered("/chat/site_demo", DONE);
    await enableOffline(config, undefined, scope({ registration, caches, list }).made);
    expect(await caches.keys()).toEqual([...whole.slice(0, 3), other, "fanlight-site_demo-b1"]);
    await dropWithdrawn({ site_key: "site_demo" }, caches as unknown as CacheStorage);
    expect(await caches.keys()).toEqual([other, "fanlight-site_demo-b1"]);
  });

  test("waits for the worker to become active", async () => {
    const registration = new Registered("/chat/site_demo", DONE, "installing");
    const outcome = enableOffline(CONFIG, undefined, scope({ registration }).made);
    await new Promise((resolve) => setTimeout(resolve));
    registration.become("activating");
    registration.become("activated");
    expect(await outcome).toEqual({ ok: true });
  });

  test("says so when the worker cannot be installed", async () => {
    const registration = new Registered("/chat/site_demo", DONE, "installing");
    const outcome = enableOffline(CONFIG, undefined, scope({ registration }).made);
    await new Promise((resolve) => setTimeout(resolve));
    registration.become("redundant");
    expect(await outcome).toMatchObject({ ok: false, reason: "network" });
  });

  const full: OfflineReply = { type: "failed", reason: "quota", message: "full" };
  test.each<[string, World, string]>([
    ["storage is full", { registration: new Registered("/chat/site_demo", [full]) }, "quota"],
    ["storage is refused", { refused: new DOMException("no", "SecurityError") }, "quota"],
    ["the script is gone", { refused: new TypeError("bad script") }, "network"],
    ["the list is gone", { list: () => new Response("", { status: 404 }) }, "network"],
    [
      "nothing was installed",
      { registration: new Registered("/chat/site_demo", [], "redundant") },
      "network",
    ],
  ])("gives the reason when %s", async (_, world, reason) => {
    const outcome = await enableOffline(CONFIG, undefined, scope(world).made);
    expect(outcome).toMatchObject({ ok: false, reason });
  });

  test("a browser without service workers is told apart", async () => {
    const made = { ...scope().made, serviceWorker: undefined };
    expect(await enableOffline(CONFIG, undefined, made)).toMatchObject({ reason: "unsupported" });
    expect(await disableOffline(CONFIG, made)).toMatchObject({ reason: "unsupported" });
  });
});

describe("switching off", () => {
  test("asks the worker to remove itself, unregisters, and drops what is left", async () => {
    const registration = new Registered("/chat/site_demo", [{ type: "done" }]);
    const caches = new MemoryCaches(ORIGIN);
    for (const name of ["fanlight-site_demo-b1", "fanlight-site_demo-x-b1", "other"]) {
      await caches.open(name);
    }
    const { made } = scope({ registration, caches });
    expect(await disableOffline(CONFIG, made)).toEqual({ ok: true });
    expect(registration.calls).toEqual([{ type: "remove" }]);
    expect(registration.unregistered).toBe(true);
    expect(await caches.keys()).toEqual(["fanlight-site_demo-x-b1", "other"]);
  });

  test("leaves the worker of another page alone", async () => {
    const registration = new Registered("/chat/site_dem", DONE);
    await disableOffline(CONFIG, scope({ registration }).made);
    expect(registration.unregistered).toBe(false);
  });

  test("one that never became active is unregistered too", async () => {
    const registration = new Registered("/chat/site_demo", [], "installing");
    await disableOffline(CONFIG, scope({ registration }).made);
    expect(registration.unregistered).toBe(true);
  });

  test("gives the reason when storage is refused", async () => {
    const caches = new MemoryCaches(ORIGIN);
    caches.refuse = new DOMException("no", "SecurityError");
    const outcome = await disableOffline(CONFIG, scope({ caches }).made);
    expect(outcome).toMatchObject({ ok: false, reason: "quota" });
  });
});

test.each([
  [new DOMException("full", "QuotaExceededError"), "quota"],
  [new TypeError("Failed to fetch"), "network"],
  ["odd", "network"],
])("%s counts as %s", (error, reason) => {
  expect(failureOf(error).reason).toBe(reason);
});
