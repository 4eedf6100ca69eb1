// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { EMBED, fullColor, parseQuery, query } from "../../src/console/embed/choices";
import { legible } from "../../src/console/embed/legible";
import { readSites, readSnippets } from "../../src/console/embed/wire";
import { address, type EmbedPlace, Navigation } from "../../src/console/navigation";
import { moved } from "../../src/console/views/embed/output";
import { WireError } from "../../src/console/wire";
import { SITES, snippets } from "./embedding";

function at(hash: string) {
  history.replaceState(null, "", `/${hash}`);
  return new Navigation(window).current();
}

describe("an address", () => {
  const full: EmbedPlace = {
    room: "embed",
    site: "site_demo",
    choices: {
      locale: "he",
      position: "left",
      accent: "#aabbcc",
      theme: "dark",
      page: "https://shop.example/a?b=c&d#e",
    },
    screen: "phone",
    guide: "react",
  };

  it.each([
    ["everything", full],
    ["nothing but the site", { ...EMBED, site: "site_demo" }],
    ["nothing", EMBED],
  ])("says %s and is read again", (_case, place) => {
    expect(at(address(place))).toEqual(place);
  });

  it("says nothing of what was not chosen", () => {
    expect(address({ ...EMBED, site: "site_demo" })).toBe("#embed/site_demo");
    expect(query(EMBED)).toBe("");
  });

  it.each([
    ["locale=<b>", "locale"],
    ["position=top", "position"],
    ["accent=red", "accent"],
    ["theme=pink", "theme"],
  ])("with %s is one without", (asked, name) => {
    expect(parseQuery(asked).choices).toHaveProperty(name, "");
  });

  it("with an unknown screen shows the desktop", () => {
    expect(parseQuery("screen=watch").screen).toBe("desktop");
  });
});

it.each([
  ["#ABC", "#aabbcc"],
  [" 1f5f8b ", "#1f5f8b"],
  ["#1F5F8B", "#1f5f8b"],
  ["#12345", undefined],
  ["red", undefined],
  ["", undefined],
])("reads the colour %s as %s", (text, color) => {
  expect(fullColor(text)).toBe(color);
});

describe("text in a colour", () => {
  it("that can be read stays as it is", () => {
    const [found] = legible("#1f5f8b", "light");
    expect(found).toMatchObject({ scheme: "light", passes: true, nearest: "#1f5f8b", needed: 4.5 });
  });

  it.each(["#ffd400", "#ffffff", "#ff0000", "#8fbc8f"])(
    "%s is mended on a light panel",
    (color) => {
      const [found] = legible(color, "light");
      expect(found?.passes).toBe(false);
      const [again] = legible(found?.nearest ?? "", "light");
      expect(again?.passes).toBe(true);
      expect(again?.nearest).toBe(found?.nearest);
    },
  );

  it.each(["#000000", "#1f5f8b", "#800080"])("%s is mended on a dark panel", (color) => {
    const [found] = legible(color, "dark");
    expect(found?.passes).toBe(false);
    expect(legible(found?.nearest ?? "", "dark")[0]?.passes).toBe(true);
  });

  it.each(["auto", "contrast"] as const)("is looked at on both panels in %s", (theme) => {
    expect(legible("#1f5f8b", theme).map(({ scheme }) => scheme)).toEqual(["light", "dark"]);
  });

  it("must stand out more in high contrast", () => {
    const [found] = legible("#1f5f8b", "contrast");
    expect(found).toMatchObject({ needed: 7, passes: false });
    expect(legible(found?.nearest ?? "", "contrast")[0]?.passes).toBe(true);
  });

  it("is not judged where it is no colour", () => {
    expect(() => legible("red", "light")).toThrow(TypeError);
  });
});

describe("what the gateway says", () => {
  it("is read", () => {
    const [site] = readSites({ sites: SITES });
    expect(site).toMatchObject({ site: "site_demo", defaultLocale: "en", theme: "auto" });
    const made = readSnippets(snippets());
    expect(made.csp).toBe("script-src https://chat.example\nframe-src https://chat.example");
    expect(made.guides[1]?.steps[1]).toEqual({ text: "See.", code: "" });
  });

  it("is read as far as it can be", () => {
    const [site] = readSites({ sites: [{ site: "site_a", preview: "https://x.example/p" }] });
    expect(site).toMatchObject({ name: "site_a", accent: "#1f5fbf", theme: "auto", origins: [] });
  });

  it.each([
    ["no key", "site", () => readSites({ sites: [{ preview: "x" }] })],
    ["no preview", "preview", () => readSites({ sites: [{ site: "x" }] })],
    ["no tag", "snippet", () => readSnippets({ ...snippets(), snippet: "" })],
    ["no policy", "csp", () => readSnippets({ ...snippets(), csp: null })],
    ["a guide without a name", "name", () => readSnippets({ ...snippets(), guides: [{}] })],
  ])("is refused with %s", (_case, field, read) => {
    expect(read).toThrow(new WireError(field));
  });
});

describe("among tabs", () => {
  it.each([
    ["ArrowRight", 0, 1],
    ["ArrowRight", 2, 0],
    ["ArrowLeft", 0, 2],
    ["Home", 2, 0],
    ["End", 0, 2],
    ["x", 0, null],
  ])("%s leads from %d to %s", (key, from, to) => {
    expect(moved(key, from, 3, null)).toBe(to);
  });

  it("the arrows are mirrored where the page reads from the right", () => {
    const list = document.createElement("div");
    list.style.direction = "rtl";
    document.body.append(list);
    expect(moved("ArrowRight", 0, 3, list)).toBe(2);
    expect(moved("ArrowLeft", 0, 3, list)).toBe(1);
  });
});
