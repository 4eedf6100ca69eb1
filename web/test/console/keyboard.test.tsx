// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { Console } from "../../src/console/console";
import { strings } from "../../src/console/strings";
import {
  all,
  button,
  click,
  console,
  gateway,
  get,
  hashOf,
  open,
  press,
  root,
  settle,
  text,
} from "./page";

describe("the keyboard", () => {
  it("moves through the list and keeps the focus there", async () => {
    await open();
    await press("j");
    expect(text("[aria-current] .row-question")).toBe("Question 3");
    await press("ArrowDown");
    expect(text("[aria-current] .row-question")).toBe("Question 2");
    expect(document.activeElement?.getAttribute("href")).toBe(hashOf(2));
    await press("k");
    await press("k");
    expect(location.hash).toBe(hashOf(3));
  });

  it("replies, searches, and leaves step by step", async () => {
    await open(hashOf(3));
    await press("r");
    expect(document.activeElement?.id).toBe("reply");
    await press("Escape");
    expect(document.activeElement?.id).not.toBe("reply");
    await press("/");
    expect(document.activeElement?.getAttribute("aria-label")).toBe(strings.list.search);
    await press("Escape");
    await press("Escape");
    expect(location.hash).toBe("");
    expect(document.activeElement?.getAttribute("href")).toBe(hashOf(3));
    await press("Escape");
    await press("e");
    expect(gateway.sent("POST", "/resolve")).toHaveLength(0);
  });

  it("has help, where single keys can be turned off for good", async () => {
    const kept = new Map<string, string>();
    const preferences = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
    };
    await open("", { preferences });
    await press("?");
    expect(text(".dialog h2")).toBe(strings.help.title);
    await press("j");
    expect(location.hash).toBe("");
    await click(get(".dialog [type=checkbox]"));
    await click(button(strings.help.close));
    await press("j");
    expect(location.hash).toBe("");
    expect(new Console(gateway.ports({ preferences })).shortcuts.value).toBe(false);
    await click(button(strings.bar.shortcuts));
    expect(all(".dialog h2")).toHaveLength(1);
  });

  it("is heard from the moment a room is drawn", async () => {
    const drawn = new MutationObserver(() => {
      if (root.querySelector(".rooms") === null) return;
      drawn.disconnect();
      void press("2");
    });
    drawn.observe(root, { childList: true, subtree: true });
    await open();
    expect(location.hash).toMatch(/^#knowledge/);
  });

  it("does without storage that refuses", async () => {
    const preferences = {
      getItem: () => null,
      setItem: () => {
        throw new DOMException("full", "QuotaExceededError");
      },
    };
    await open("", { preferences });
    console.useShortcuts(false);
    expect(console.shortcuts.value).toBe(false);
  });

  it("skips from the bar to the question, and back goes to its row", async () => {
    await open(hashOf(2));
    await click(button(strings.skip));
    expect(document.activeElement?.className).toBe("detail-question");
    history.replaceState(null, "", "/");
    window.dispatchEvent(new Event("hashchange"));
    await settle();
    expect(document.activeElement?.getAttribute("href")).toBe(hashOf(2));
  });
});
