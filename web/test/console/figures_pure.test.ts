import { describe, expect, it } from "vitest";
import { csv } from "../../src/console/figures/csv";
import { money, moneyTick, portion, timeNames, wait } from "../../src/console/figures/numbers";
import { figuresAddress, parseFigures, question } from "../../src/console/figures/place";
import {
  band,
  between,
  down,
  labelled,
  line,
  placeAt,
  stacked,
  ticks,
  wholeTicks,
} from "../../src/console/figures/scales";
import { readAnswered, readFigures } from "../../src/console/figures/wire";
import { chosenLanguage, keepLanguage, LANGUAGES } from "../../src/console/figures/words";
import { Figuring } from "./figuring";

const BOX = { width: 100, height: 50, rtl: false };
const figures = (figuring = new Figuring()) => {
  const [, body] = figuring.answer(new URLSearchParams("from=2026-03-10T00:00:00Z&by=day"));
  return readFigures(body);
};

describe("an axis", () => {
  it.each([
    [87, [0, 25, 50, 75, 100]],
    [4, [0, 1, 2, 3, 4]],
    [0.09, [0, 0.025, 0.05, 0.075, 0.1]],
    [0, [0]],
  ])("reaches over %d in round steps", (most, expected) => {
    expect(ticks(most)).toEqual(expected);
  });

  it.each([0, 1, 2, 3, 7, 90])("counts %d in whole numbers", (most) => {
    const found = wholeTicks(most);
    expect(found.every(Number.isInteger)).toBe(true);
    expect(new Set(found).size).toBe(found.length);
    expect(found.at(-1)).toBeGreaterThanOrEqual(most);
  });

  it("names as many places as fit, the last one always", () => {
    expect(labelled(7, 700, 60)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(labelled(7, 200, 60)).toEqual([0, 3, 6]);
    expect(labelled(30, 0, 60)).toEqual([29]);
  });
});

describe("marks", () => {
  it("begin where the page begins to read", () => {
    expect(band(0, 4, BOX).middle).toBe(12.5);
    expect(band(0, 4, { ...BOX, rtl: true }).middle).toBe(87.5);
  });

  it.each([false, true])("are found again where they stand, rtl %s", (rtl) => {
    const box = { ...BOX, rtl };
    for (const place of [0, 1, 2, 3]) {
      expect(placeAt(band(place, 4, box).middle, 4, box)).toBe(place);
    }
    expect(placeAt(-20, 4, box)).toBe(rtl ? 3 : 0);
  });

  it("stand one on the other, and hang from the top", () => {
    expect(stacked([1, 0, 3])).toEqual([
      [0, 1],
      [1, 1],
      [1, 4],
    ]);
    expect(down(25, 100, BOX)).toBe(37.5);
  });

  it("are broken where there is nothing", () => {
    const points = [[0, 1], [1, 2], null, [3, 4]] as const;
    expect(line(points)).toBe("M0 1L1 2M3 4");
    const lower = [[0, 5], [1, 6], null, [3, 8]] as const;
    expect(between(points, lower)).toBe("M0 1L1 2L1 6L0 5Z");
    expect(between(points, [null, null, null, null])).toBe("");
  });
});

describe("numbers", () => {
  it.each([
    [0, "$0.00"],
    [960, "$0.00096"],
    [76_000, "$0.076"],
    [1_234_567, "$1.23"],
  ])("%d millionths are %s", (micros, said) => {
    expect(money(micros, "en-US")).toBe(said);
  });

  it("of an axis are as precise as its steps", () => {
    expect(moneyTick(50_000, 25_000, "en-US")).toBe("$0.050");
    expect(moneyTick(500_000, 500_000, "en-US")).toBe("$0.50");
    expect(moneyTick(2e6, 1e6, "en-US")).toBe("$2");
  });

  it.each([
    [null, "en-GB", "–"],
    [0, "en-GB", "0 ms"],
    [842.4, "en-GB", "842 ms"],
    [1_234, "es-ES", "1,2 s"],
    [38_400, "en-GB", "38 s"],
    [842, "he-IL", "0.84 שנ׳"],
  ])("a wait of %s in %s is %s", (ms, locale, said) => {
    expect(wait(ms, locale).replace("\u00a0", " ")).toBe(said);
  });

  it.each([
    [0, 0, "–"],
    [1, 1_000, "1%"],
    [999, 1_000, "99%"],
    [1, 1, "100%"],
  ])("%d of %d is %s", (part, whole, said) => {
    expect(portion(part, whole, "en-GB")).toBe(said);
  });

  it("name hours by the clock, and days by their date", () => {
    const at = new Date(2026, 2, 12, 9).toISOString();
    expect(timeNames(at, "hour", "en-GB")).toEqual({ short: "09:00", long: "09:00" });
    expect(timeNames(at, "day", "en-GB").short).toBe("12 Mar");
  });
});

describe("a place", () => {
  it.each(["#figures", "#figures/site_a?range=90d", "#figures?range=today"])("is %s", (hash) => {
    const [path = "", asked = ""] = hash.slice(1).split("?");
    expect(figuresAddress(parseFigures(path.split("/")[1] ?? "", asked))).toBe(hash);
  });

  it("of no range is seven whole days up to the end of today", () => {
    const now = new Date(2026, 2, 12, 18, 30).getTime();
    const asked = new URL(question(parseFigures("", "range=year"), now), "http://x").searchParams;
    expect(asked.get("from")).toBe(new Date(2026, 2, 6).toISOString());
    expect(asked.get("to")).toBe(new Date(2026, 2, 13).toISOString());
    expect(asked.get("by")).toBe("day");
    expect(asked.has("site")).toBe(false);
    const today = question(parseFigures("site_a", "range=today"), now);
    expect(today).toContain("by=hour");
    expect(today).toContain("site=site_a");
  });
});

describe("what the gateway says", () => {
  it("is read whole", () => {
    const read = figures();
    expect(read.spans).toHaveLength(3);
    expect(read.total.answered).toEqual({ kb: 70, cloud: 18 });
    expect(read.total.tiers.map(({ tier }) => tier)).toEqual(["large", "small"]);
    expect(read.confidence[9]?.judged).toBe(20);
  });

  it("is nothing where it is missing, and no figures without a time", () => {
    const bare = readFigures({ at: "2026-03-12", total: {}, answered: null });
    expect(bare.total).toMatchObject({ turns: 0, total: { median: null, p95: null } });
    expect(() => readFigures({ total: {} })).toThrow("at");
    expect(readAnswered({ items: [{ turn_id: "t", scores: { safety: "x" } }] })[0]).toMatchObject({
      model: null,
      scores: {},
    });
  });
});

describe("the table for a spreadsheet", () => {
  it("has a row for each day and a column for each tier", () => {
    const rows = csv(figures()).split("\r\n");
    expect(rows[0]).toBe(
      "from,to,turns,escalated,answered_by_kb,answered_by_cloud,turns_large,usd_large,turns_small,usd_small,usd,median_ms,p95_ms,first_token_median_ms,first_token_p95_ms",
    );
    expect(rows[1]).toContain(",56,6,40,10,5,0.045,5,0.0015,0.0465,800,3000,250,700");
    expect(rows[2]?.endsWith(",,,,")).toBe(true);
    expect(rows).toHaveLength(5);
  });

  it("runs nothing, and quotes what it must", () => {
    const { total, ...rest } = figures();
    const tier = { tier: '=1+"1",2', turns: 1, promptTokens: 0, completionTokens: 0, micros: 0 };
    const [head] = csv({ ...rest, total: { ...total, tiers: [tier] } }).split("\r\n");
    expect(head).toContain('"turns_=1+""1"",2"');
  });
});

describe("the languages", () => {
  const shape = (value: unknown): unknown =>
    typeof value === "object" && value !== null
      ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, shape(one)]))
      : typeof value;

  it.each(["es", "he"] as const)("%s says everything that English says", (language) => {
    expect(shape(LANGUAGES[language])).toEqual(shape(LANGUAGES.en));
  });

  it("are remembered, where that is allowed, and English otherwise", () => {
    const kept = new Map<string, string>();
    const storage = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
    };
    keepLanguage(storage, "he");
    expect(chosenLanguage(storage)).toBe("he");
    expect(chosenLanguage({ getItem: () => "toString" })).toBe("en");
    const refusing = {
      setItem: () => {
        throw new DOMException("full");
      },
    };
    expect(() => keepLanguage(refusing, "es")).not.toThrow();
  });
});
