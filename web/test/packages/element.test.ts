// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import "../../packages/widget/src/element.ts";
import { chat } from "../../packages/widget/src/index.ts";
import { label, launcher, launchers, type Network, network, settled } from "./page.ts";

let page: Network;

function element(attributes: Record<string, string> = {}) {
  const made = document.createElement("fanlight-chat");
  const given = { gateway: "https://chat.example", site: "site_demo", ...attributes };
  for (const [name, value] of Object.entries(given)) made.setAttribute(name, value);
  return made;
}

beforeEach(() => {
  page = network();
});

afterEach(async () => {
  document.body.replaceChildren();
  await settled();
  vi.restoreAllMocks();
});

describe("<fanlight-chat>", () => {
  it("has the chat on the page for as long as it is there itself", async () => {
    const made = element({ position: "left", accent: "#0a0", locale: "es" });
    document.body.append(made);
    await settled();
    await page.bring();
    expect(launcher()?.dataset.side).toBe("left");
    expect(label()).toBe("Abrir el chat");
    made.remove();
    await settled();
    expect(launchers()).toEqual([]);
    document.body.append(made);
    await settled();
    await page.bring();
    expect(launchers()).toHaveLength(1);
  });

  it("keeps its chat when it is moved", async () => {
    const made = element();
    document.body.append(made);
    await settled();
    await page.bring();
    const before = chat();
    const other = document.createElement("main");
    document.body.append(other);
    other.append(made);
    await settled();
    expect(chat()).toBe(before);
  });

  it("waits for its gateway and its site", async () => {
    const made = document.createElement("fanlight-chat");
    document.body.append(made);
    made.setAttribute("site", "site_demo");
    await settled();
    expect(page.tags).toEqual([]);
    made.setAttribute("gateway", "https://chat.example");
    await settled();
    expect(page.tags).toHaveLength(1);
  });

  it("follows its attributes: the language at once, the rest anew", async () => {
    const made = element();
    document.body.append(made);
    await settled();
    await page.bring();
    made.setLocale("he");
    await settled();
    expect(label()).toBe("פתיחת הצ׳אט");
    expect(page.tags).toHaveLength(1);
    made.setAttribute("position", "left");
    await settled();
    await page.bring();
    expect(launcher()?.dataset.side).toBe("left");
    expect(launchers()).toHaveLength(1);
  });

  it("tells what the chat tells, once each", async () => {
    const made = element();
    const heard: unknown[] = [];
    for (const name of ["open", "close"]) {
      made.addEventListener(name, (event) => heard.push([name, (event as CustomEvent).detail]));
    }
    made.open();
    document.body.append(made);
    await settled();
    await page.bring();
    made.setLocale("es");
    await settled();
    made.close();
    await settled();
    expect(heard).toEqual([
      ["open", {}],
      ["close", {}],
    ]);
  });

  it("asks, and says who its visitor is", async () => {
    const made = element({ identity: "/identity" });
    document.body.append(made);
    await settled();
    await page.bring();
    expect(page.tags[0]?.dataset.identity).toBe("/identity");
    made.ask("Where?");
    await settled();
    expect(launcher()?.shadowRoot?.querySelector("iframe")).not.toBeNull();
    made.identify(null);
    await settled();
    await page.bring();
    expect(page.tags.at(-1)?.dataset.identity).toBeUndefined();
  });

  it("says that it cannot be loaded", async () => {
    const made = element();
    const heard: unknown[] = [];
    made.addEventListener("error", (event) => heard.push((event as unknown as CustomEvent).detail));
    document.body.append(made);
    await settled();
    await page.fail();
    made.open();
    await settled();
    expect(heard).toEqual([{ reason: "unreachable" }]);
  });
});
