// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { strings } from "../../src/console/strings";
import { SITES } from "./embedding";
import {
  all,
  button,
  click,
  console,
  gateway,
  get,
  go,
  open,
  press,
  settle,
  text,
  type,
} from "./page";

const { embed: words } = strings;
const PAUSE_MS = 250;

/** What is asked a moment after a change. */
async function asked(): Promise<string> {
  gateway.pass(PAUSE_MS);
  await settle();
  return gateway.embedding.asked;
}

async function choose(selector: string, value: string): Promise<void> {
  const field = get<HTMLSelectElement>(selector);
  field.value = value;
  field.dispatchEvent(new Event("change", { bubbles: true }));
  await settle();
}

const codes = () => all("pre").map((one) => one.textContent);
const frame = () => get<HTMLIFrameElement>("iframe");

/** Lets the preview speak, as from its own window. */
async function preview(origin: string, data: unknown, from = frame().contentWindow): Promise<void> {
  window.dispatchEvent(new MessageEvent("message", { origin, data, source: from as Window }));
  await settle();
}

const HERE = { fanlight_preview: 1, what: "here" };

describe("the builder", () => {
  it("is entered by its key, and names the first site in the address", async () => {
    await open();
    await press("3");
    expect(location.hash).toBe("#embed/site_demo");
    expect(document.title).toBe("Embed · Fanlight console");
    expect(text("h2")).toBe(words.title);
    expect(codes()).toHaveLength(3);
    expect(gateway.embedding.asked).toBe("site_demo?");
  });

  it("shows what a link says", async () => {
    await open("#embed/site_demo?locale=he&position=left&accent=%23aa0000&theme=dark&guide=react");
    expect(get<HTMLSelectElement>("#embed-locale").value).toBe("he");
    expect(get<HTMLInputElement>("[name=embed-position][value=left]").checked).toBe(true);
    expect(get<HTMLInputElement>("#embed-accent").value).toBe("#aa0000");
    expect(get<HTMLInputElement>("[name=embed-theme][value=dark]").checked).toBe(true);
    expect(get("[role=tab][aria-selected=true]").textContent).toBe("React");
    expect(gateway.embedding.asked).toBe(
      "site_demo?locale=he&position=left&accent=%23aa0000&theme=dark",
    );
    expect(frame().src).toBe(
      `${SITES[0]?.preview}#locale=he&position=left&accent=%23aa0000&theme=dark`,
    );
  });

  it("asks once, a moment after the last change", async () => {
    await open("#embed/site_demo");
    const before = gateway.calls.length;
    await click(get("[name=embed-position][value=left]"));
    await click(get("[name=embed-position][value=right]"));
    expect(gateway.calls).toHaveLength(before);
    expect(await asked()).toBe("site_demo?position=right");
    expect(gateway.calls).toHaveLength(before + 1);
  });

  it("makes a step of the history of what is picked, and none of what is typed", async () => {
    await open("#embed/site_demo");
    const before = history.length;
    await click(get("[name=embed-theme][value=dark]"));
    expect(location.hash).toBe("#embed/site_demo?theme=dark");
    expect(history.length).toBe(before + 1);
    await type("#embed-accent", "#aa0000");
    await type("#embed-page", "https://shop.example");
    expect(location.hash).toContain("accent=%23aa0000");
    expect(history.length).toBe(before + 1);
    await go("#embed/site_demo");
    expect(get<HTMLInputElement>("[name=embed-theme][value=auto]").checked).toBe(true);
    expect(get<HTMLInputElement>("#embed-accent").value).toBe("#1f5f8b");
  });

  it("counts as no choice what the site has anyway", async () => {
    await open("#embed/site_help?accent=%23123456&theme=light");
    await click(get("[name=embed-theme][value=dark]"));
    await type("#embed-accent", "#AA3300");
    expect(location.hash).toBe("#embed/site_help");
    expect(button(words.reset).getAttribute("aria-disabled")).toBe("true");
  });

  it("starts over", async () => {
    await open("#embed/site_demo?locale=es&position=left&theme=dark&screen=phone");
    await click(button(words.reset));
    expect(location.hash).toBe("#embed/site_demo?screen=phone");
    expect(await asked()).toBe("site_demo?");
  });

  it("goes to another site, without a language that it does not speak", async () => {
    await open("#embed/site_demo?locale=es&position=left");
    await choose("#embed-site", "site_help");
    expect(location.hash).toBe("#embed/site_help?position=left");
    expect(await asked()).toBe("site_help?position=left");
    await choose("#embed-locale", "en");
    expect(await asked()).toBe("site_help?locale=en&position=left");
    expect(text("#embed-page-said")).toBe(words.pageNone);
  });
});

describe("the colour", () => {
  it("that cannot be read is said to be so, and mended by a button", async () => {
    await open("#embed/site_demo?theme=light");
    await type("#embed-accent", "#ffd400");
    const bad = words.legible.bad(words.legible.scheme.light, "1.2", "4.5");
    expect(text("#embed-accent-said")).toContain(bad);
    await click(get(".button-inline"));
    expect(text("#embed-accent-said")).toContain("reads well");
    expect(get<HTMLInputElement>("#embed-accent").value).toBe("#7a6600");
    expect(document.activeElement?.id).toBe("embed-accent");
  });

  it("is mended by the chat itself on the other panel, without alarm", async () => {
    await open("#embed/site_demo");
    expect(all(".legible-bad")).toHaveLength(0);
    expect(text("#embed-accent-said")).toContain(
      words.legible.also(words.legible.scheme.dark, "#799fb9"),
    );
  });

  it("waits until what is written is one", async () => {
    await open("#embed/site_demo?accent=%23aa0000");
    await type("#embed-accent", "#aa00");
    expect(text("#embed-accent-said")).toBe(words.accentWrong);
    expect(get("#embed-accent").getAttribute("aria-invalid")).toBe("true");
    expect(location.hash).toContain("accent=%23aa0000");
    await type("#embed-accent", "#0a0");
    expect(location.hash).toContain("accent=%2300aa00");
    await type("#embed-accent", "");
    expect(location.hash).toBe("#embed/site_demo");
  });

  it("goes back to the site's own", async () => {
    await open("#embed/site_demo?accent=%23aa0000");
    await click(button(words.accentReset));
    expect(get<HTMLInputElement>("#embed-accent").value).toBe("#1f5f8b");
    expect(document.activeElement?.id).toBe("embed-accent");
    await type(".swatch", "#123456");
    expect(location.hash).toContain("123456");
  });
});

describe("a page of one's own", () => {
  it.each([
    ["https://shop.example", words.pageYes],
    ["https://other.example", words.pageNo],
    ["http://shop.example", "This is plain http. Use https."],
  ])("%s is told how it stands", async (page, said) => {
    await open("#embed/site_demo");
    expect(text("#embed-page-said")).toBe(words.pageHint("https://shop.example"));
    await type("#embed-page", page);
    await asked();
    expect(text("#embed-page-said")).toBe(said);
    expect(get("#embed-page").hasAttribute("aria-invalid")).toBe(page.startsWith("http:"));
    expect(codes().length).toBeGreaterThan(2); // what came out last stays in sight
  });
});

describe("what comes out", () => {
  it("has settings only where there are some", async () => {
    await open("#embed/site_demo");
    expect(all(".code-label").map((one) => one.textContent)).not.toContain(words.out.settings);
    await click(get("[name=embed-theme][value=dark]"));
    await asked();
    expect(all(".code-label").map((one) => one.textContent)).toContain(words.out.settings);
  });

  it("is copied, and says so for a while", async () => {
    const copied: string[] = [];
    await open("#embed/site_demo", {
      copy: async (text) => void copied.push(text),
    });
    const copy = get(".guide .code-copy");
    expect(copy.textContent).toBe(`${words.out.copy} ${words.out.step(1, "Any page")}`);
    await click(copy);
    expect(copied).toEqual(["<script ></script>"]);
    expect(copy.textContent).toContain(words.out.copied);
    expect(text(".guide [role=status]")).toBe(words.out.copiedWhat(words.out.step(1, "Any page")));
    gateway.pass(3_000);
    await settle();
    expect(copy.textContent).toContain(words.out.copy);
    expect(text(".guide [role=status]")).toBe("");
  });

  it("is selected where the browser does not let it be copied", async () => {
    await open("#embed/site_demo", { copy: () => Promise.reject(new Error("no")) });
    await click(get(".guide .code-copy"));
    expect(text(".guide [role=status]")).toBe(words.out.notCopied);
    expect(getSelection()?.toString()).toBe("<script ></script>");
  });

  it("is shown by the kind of site, with the arrow keys as well", async () => {
    await open("#embed/site_demo");
    const tabs = all("[role=tab]");
    tabs[0]?.focus();
    await press("ArrowRight");
    expect(document.activeElement?.textContent).toBe("React");
    expect(location.hash).toBe("#embed/site_demo?guide=react");
    expect(all(".guide li")).toHaveLength(2);
    expect(all(".guide pre")).toHaveLength(1);
    await press("Home");
    expect(location.hash).toBe("#embed/site_demo");
    await click(all("[role=tab]")[2] as HTMLElement);
    expect(get("[role=tabpanel]").getAttribute("aria-labelledby")).toBe("guide-spa");
    await press("q");
    expect(all("[tabindex='-1'][role=tab]")).toHaveLength(2);
  });

  it("says why it does not come, and tries again", async () => {
    await open("#embed/site_demo");
    gateway.fail("GET site_demo", 503, { detail: "Not built." });
    await click(get("[name=embed-position][value=left]"));
    await asked();
    expect(text(".output .error")).toContain(words.out.failed(strings.trouble.broken));
    gateway.failures.clear();
    await click(button(words.out.again));
    expect(gateway.embedding.asked).toBe("site_demo?position=left");
    expect(all(".output [role=alert]")).toHaveLength(0);
  });
});

describe("the preview", () => {
  it("is said to be coming, and is told each choice once it is there", async () => {
    await open("#embed/site_demo");
    expect(text(".stage-word")).toBe(words.preview.loading);
    const told: unknown[] = [];
    const window_ = { postMessage: (...message: unknown[]) => told.push(message) };
    Object.defineProperty(frame(), "contentWindow", { value: window_ });
    await preview("https://evil.example", HERE);
    await preview("https://chat.example", { fanlight_preview: 2 });
    await preview("https://chat.example", HERE, window as unknown as Window);
    expect(all(".stage-word")).toHaveLength(1);
    await preview("https://chat.example", HERE);
    expect(all(".stage-word")).toHaveLength(0);
    const before = frame().src;
    await click(get("[name=embed-theme][value=dark]"));
    await type("#embed-accent", "#aa0000");
    expect(told).toEqual([
      [{ fanlight_preview: 1 }, "https://chat.example"],
      [{ fanlight_preview: 1, theme: "dark" }, "https://chat.example"],
      [{ fanlight_preview: 1, accent: "#aa0000", theme: "dark" }, "https://chat.example"],
    ]);
    expect(frame().src).toBe(before);
  });

  it("that does not come is said to be away, and comes again", async () => {
    await open("#embed/site_demo");
    const first = frame();
    gateway.pass(12_000);
    await settle();
    expect(text(".stage-word")).toContain(words.preview.late("https://chat.example"));
    await click(button(words.preview.again));
    expect(text(".stage-word")).toBe(words.preview.loading);
    expect(frame()).not.toBe(first);
  });

  it("is as wide as a phone", async () => {
    await open("#embed/site_demo");
    expect(frame().style.width).toBe("1024px");
    await click(get("[name=embed-screen][value=phone]"));
    expect(frame().style.width).toBe("390px");
    expect(location.hash).toBe("#embed/site_demo?screen=phone");
  });
});

describe("without a site", () => {
  it("says that there is none", async () => {
    gateway.embedding.sites = [];
    await open("#embed");
    expect(text(".blank-title")).toBe(words.none);
  });

  it("says that there is not this one, and shows another", async () => {
    await open("#embed/site_gone");
    expect(text(".blank-title")).toBe(words.unknownSite);
    await go(get<HTMLAnchorElement>(".blank a").hash);
    expect(location.hash).toBe("#embed/site_demo");
  });

  it("says that they are being read, and why they were not", async () => {
    gateway.fail("GET /v1/embed", 503);
    await open("#embed");
    expect(text(".blank-title")).toBe(words.failedTitle);
    gateway.failures.clear();
    gateway.held = [];
    await click(button(words.out.again));
    gateway.release();
    await settle();
    expect(text("h2")).toBe(words.title);
    await console.logOut();
    await settle();
    expect(all(".builder")).toHaveLength(0);
  });
});
