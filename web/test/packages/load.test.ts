// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { chat, load, mount, unload, watch } from "../../packages/widget/src/index.ts";
import { loaderAddress, makeTag } from "../../packages/widget/src/tag.ts";
import { label, launcher, launchers, type Network, network, settled } from "./page.ts";

const OPTIONS = { gateway: "https://chat.example", site: "site_demo" };

let page: Network;

beforeEach(() => {
  page = network();
});

afterEach(async () => {
  unload();
  await settled();
  vi.restoreAllMocks();
});

describe("load()", () => {
  it("puts one tag on the page and gives the chat", async () => {
    const coming = load({ ...OPTIONS, position: "left", accent: "#0a0", locale: "es" });
    expect(load({ ...OPTIONS, position: "left", accent: "#0a0", locale: "es" })).toBe(coming);
    expect(chat()).toBeUndefined();
    await page.bring();
    expect(await coming).toBe(window.fanlight);
    expect(chat()).toBe(window.fanlight);
    expect(page.tags).toHaveLength(1);
    expect({ ...page.tags[0]?.dataset }).toEqual({
      site: "site_demo",
      position: "left",
      accent: "#0a0",
      locale: "es",
    });
    expect(page.tags[0]?.src).toBe("https://chat.example/loader.js");
    expect(label()).toBe("Abrir el chat");
  });

  it("changes the language of the chat that is there", async () => {
    const coming = load({ ...OPTIONS, locale: "en" });
    await page.bring();
    expect(load({ ...OPTIONS, locale: "he" })).toBe(coming);
    expect(label()).toBe("פתיחת הצ׳אט");
    expect(page.tags).toHaveLength(1);
  });

  it("takes the chat of another site off first", async () => {
    load(OPTIONS);
    await page.bring();
    load({ ...OPTIONS, site: "site_other", position: "left" });
    expect(launchers()).toEqual([]);
    await page.bring();
    expect(launcher()?.dataset.side).toBe("left");
  });

  it("lets the last that was asked for win, in whichever order they come", async () => {
    const first = load({ ...OPTIONS, position: "left" });
    first.catch(() => undefined);
    load({ ...OPTIONS, position: "right" });
    await page.bring(page.tags[0]);
    await expect(first).rejects.toThrow("unloaded");
    expect(launchers()).toEqual([]);
    await page.bring(page.tags[1]);
    expect(launcher()?.dataset.side).toBe("right");
  });

  it("says that the loader does not come, and tries again when asked again", async () => {
    const coming = load(OPTIONS);
    coming.catch(() => undefined);
    await page.fail();
    await expect(coming).rejects.toThrow("https://chat.example/loader.js cannot be loaded");
    load(OPTIONS);
    await page.bring();
    expect(chat()).toBeDefined();
  });

  it("refuses what comes and is no loader", async () => {
    const coming = load(OPTIONS);
    coming.catch(() => undefined);
    page.tags[0]?.dispatchEvent(new Event("load"));
    await expect(coming).rejects.toThrow("is not a loader");
  });

  it("loads again where the page destroyed the chat", async () => {
    const coming = load(OPTIONS);
    await page.bring();
    (await coming).destroy();
    expect(chat()).toBeUndefined();
    load(OPTIONS);
    expect(page.tags).toHaveLength(2);
  });

  it("hands a function for identities over, and takes it back", async () => {
    const source = () => "a.b.c";
    load({ ...OPTIONS, identity: source });
    await page.bring();
    const [first] = page.tags;
    expect(first?.dataset.identity).toBeUndefined();
    const there = chat();
    const named = vi.spyOn(there as never, "identify");
    load({ ...OPTIONS, identity: source });
    expect(named).not.toHaveBeenCalled();
    load(OPTIONS);
    expect(named).toHaveBeenCalledExactlyOnceWith(null);
    expect(page.tags).toHaveLength(1);
  });

  it("tells who watches", async () => {
    const seen: boolean[] = [];
    const stop = watch(() => seen.push(chat() !== undefined));
    load(OPTIONS);
    await page.bring();
    unload();
    stop();
    load(OPTIONS);
    await page.bring();
    expect(seen).toEqual([true, false]);
  });
});

describe("mount()", () => {
  it("keeps the chat while anybody holds it", async () => {
    const one = mount(OPTIONS);
    const two = mount(OPTIONS);
    await page.bring();
    one.unmount();
    await settled();
    expect(launchers()).toHaveLength(1);
    two.unmount();
    await settled();
    expect(launchers()).toEqual([]);
    expect(window.fanlight).toBeUndefined();
  });

  it("keeps it where it is let go and taken again at once", async () => {
    const one = mount(OPTIONS);
    await page.bring();
    const before = chat();
    one.unmount();
    const two = mount(OPTIONS);
    await settled();
    expect(chat()).toBe(before);
    two.unmount();
    await settled();
  });
});

describe("the tag", () => {
  it("has the hash in its address where it is pinned", () => {
    const integrity = `sha384-${btoa(String.fromCharCode(0, 1, 0xab, 255, 4, 5, 6, 7, 8, 9))}`;
    const tag = makeTag({ ...OPTIONS, integrity, nonce: "n", identity: "/identity" });
    expect(tag.src).toBe("https://chat.example/loader.0001abff04050607.js");
    expect(tag.integrity).toBe(integrity);
    expect(tag.crossOrigin).toBe("anonymous");
    expect(tag.nonce).toBe("n");
    expect(tag.dataset.identity).toBe("/identity");
  });

  it("takes a gateway with a slash at its end", () => {
    expect(loaderAddress("https://chat.example/", undefined)).toBe(
      "https://chat.example/loader.js",
    );
  });
});
