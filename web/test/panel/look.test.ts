// @vitest-environment happy-dom
/** What a theme means on a device, and that the document follows both. */
import { signal } from "@preact/signals";
import { describe, expect, it } from "vitest";
import { followLook, lookOf, parseTheme, type Theme } from "../../src/panel/look.ts";

const LIGHT = { dark: false, moreContrast: false };
const DARK = { dark: true, moreContrast: false };

describe("a theme", () => {
  it.each([
    ["auto", LIGHT, "light", "usual"],
    ["auto", DARK, "dark", "usual"],
    ["light", DARK, "light", "usual"],
    ["dark", LIGHT, "dark", "usual"],
    ["contrast", DARK, "dark", "more"],
    ["contrast", LIGHT, "light", "more"],
    ["light", { ...DARK, moreContrast: true }, "light", "more"],
  ] as const)("%s on %j is %s with %s contrast", (theme, device, scheme, contrast) => {
    expect(lookOf(theme, device)).toEqual({ scheme, contrast });
  });

  it.each([
    ["dark", "dark"],
    ["night", "auto"],
    [7, "auto"],
    [undefined, "auto"],
  ])("%j is read as %s", (value, theme) => {
    expect(parseTheme(value)).toBe(theme);
  });
});

describe("the document", () => {
  it("follows the theme and the device", () => {
    const queries = new Map<string, EventTarget & { matches: boolean }>();
    const media = (query: string) => {
      const made = Object.assign(new EventTarget(), { matches: false });
      queries.set(query, made);
      return made as unknown as MediaQueryList;
    };
    const theme = signal<Theme>("auto");
    const root = document.createElement("div");
    followLook(theme, root, media);
    expect({ ...root.dataset }).toEqual({ scheme: "light", contrast: "usual" });
    const dark = queries.get("(prefers-color-scheme: dark)");
    Object.assign(dark ?? {}, { matches: true });
    dark?.dispatchEvent(new Event("change"));
    expect(root.dataset.scheme).toBe("dark");
    theme.value = "contrast";
    expect({ ...root.dataset }).toEqual({ scheme: "dark", contrast: "more" });
  });
});
