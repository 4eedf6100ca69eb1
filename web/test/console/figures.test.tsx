// @vitest-environment happy-dom
import { describe, expect, it, vi } from "vitest";
import { LANGUAGES } from "../../src/console/figures/words";
import { budget } from "./figuring";
import {
  all,
  button,
  click,
  console,
  gateway,
  get,
  go,
  hashOf,
  open,
  press,
  settle,
  text,
} from "./page";

const { en, he } = LANGUAGES;
const tiles = () => all(".tile-value").map((tile) => tile.textContent?.replace("\u00a0", " "));
const asked = () => gateway.sent("GET", "/v1/operator/figures").length;

async function key(element: HTMLElement, name: string): Promise<void> {
  element.dispatchEvent(
    new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true }),
  );
  await settle();
}

describe("the figures", () => {
  it("are entered by their key, and tell the headline numbers", async () => {
    await open();
    await press("4");
    expect(location.hash).toBe("#figures");
    expect(document.title).toBe("Figures · Fanlight console");
    expect(tiles()).toEqual(["90%", "10", "$0.084", "800 ms"]);
    expect(all(".figure h3").map((title) => title.textContent)).toContain(en.answered.title("90%"));
    expect(text(".ranked")).toContain("Too unsure");
    expect(text(".page-figures")).toContain("Some new one");
  });

  it("are of the time and site that are chosen", async () => {
    await open("#figures");
    await click(get("[name=range][value='today']"));
    await go("#figures?range=today");
    expect(gateway.figuring.asked.get("by")).toBe("hour");
    const site = get<HTMLSelectElement>(".figures-choices select");
    site.value = "site_help";
    site.dispatchEvent(new Event("change", { bubbles: true }));
    await settle();
    expect(location.hash).toBe("#figures/site_help?range=today");
    await go(location.hash);
    expect(gateway.figuring.asked.get("site")).toBe("site_help");
  });

  it("are tables too", async () => {
    await open("#figures");
    await click(button(en.chart.table));
    const table = get(".figure-table");
    expect(table.getAttribute("aria-label")).toBe(en.chart.tableOf(en.answered.title("90%")));
    expect(table.querySelectorAll("tbody tr")).toHaveLength(4);
    expect(table.querySelector("tbody tr:last-child")?.textContent).toBe(`${en.chart.all}701810`);
    await click(button(en.chart.chart));
    expect(all(".figure-wide .plot")).toHaveLength(1);
  });

  it("are gone along by the arrow keys, and told", async () => {
    await open("#figures");
    const plot = get(".plot");
    expect(plot.getAttribute("role")).toBe("slider");
    await key(plot, "Home");
    expect(plot.getAttribute("aria-valuenow")).toBe("1");
    expect(plot.getAttribute("aria-valuetext")).toContain("Knowledge base 40, A model 10");
    expect(text(".legend")).toContain("Knowledge base40");
    await key(plot, "ArrowRight");
    await key(plot, "ArrowUp");
    expect(plot.getAttribute("aria-valuetext")).toContain("Knowledge base 30");
    await key(plot, "ArrowLeft");
    await key(plot, "ArrowDown");
    await key(plot, "x");
    expect(plot.getAttribute("aria-valuenow")).toBe("1");
    plot.dispatchEvent(new FocusEvent("blur"));
    await settle();
    expect(text(".legend")).toContain(en.chart.all);
  });

  it("follow the pointer", async () => {
    await open("#figures");
    for (const plot of all(".plot")) {
      plot.dispatchEvent(new MouseEvent("pointermove", { clientX: 10_000, bubbles: true }));
      await settle();
      const last = plot.getAttribute("aria-valuemax");
      expect(plot.getAttribute("aria-valuenow")).toBe(last);
      plot.dispatchEvent(new MouseEvent("pointerleave"));
    }
  });

  it("run the other way in Hebrew, which is remembered", async () => {
    const kept = new Map<string, string>();
    const preferences = {
      getItem: (name: string) => kept.get(name) ?? null,
      setItem: (name: string, value: string) => void kept.set(name, value),
    };
    await open("#figures", { preferences });
    const language = get<HTMLSelectElement>(".figures-foot select");
    language.value = "he";
    language.dispatchEvent(new Event("change", { bubbles: true }));
    await settle();
    expect(get("main").dir).toBe("rtl");
    expect(text("h2")).toBe(he.title);
    const plot = get(".plot");
    await key(plot, "Home");
    await key(plot, "ArrowLeft");
    expect(plot.getAttribute("aria-valuenow")).toBe("2");
    expect([...kept.values()]).toEqual(["he"]);
  });

  it("say what is not known where nobody judged, and where no model was asked", async () => {
    gateway.figuring.judged = 0;
    gateway.figuring.days = [[5, 0, 0]];
    await open("#figures");
    expect(text(".page-figures")).toContain(en.confidence.unjudged);
    expect(text(".page-figures")).toContain(en.waits.none);
    expect(text(".page-figures")).toContain(en.reasons.none);
    expect(text(".page-figures")).toContain(en.spend.none);
  });

  it("say what to do where there are none", async () => {
    gateway.figuring.days = [[0, 0, 0]];
    await open("#figures");
    expect(text(".blank")).toContain(en.emptyBody);
    expect(text(".blank")).toContain(en.emptyRange);
    await go("#figures?range=90d");
    expect(text(".blank")).not.toContain(en.emptyRange);
  });

  it("are waited for, and asked for again where they did not come", async () => {
    gateway.fail("GET /v1/operator/figures", 503);
    await open("#figures");
    expect(text("[role=alert] .blank-title")).toBe(en.failed);
    gateway.failures.clear();
    gateway.held = [];
    await click(button(en.again));
    expect(text("[role=status].unseen")).toBe(en.loading);
    gateway.release();
    await settle();
    expect(tiles()).toHaveLength(4);
  });

  it("of a site that there is not lead to all", async () => {
    await open("#figures/site_gone");
    expect(text(".blank-title")).toBe(en.unknownSite);
    await go("#figures");
    expect(tiles()).toHaveLength(4);
  });

  it("are read again each minute and when something happens, as long as they are looked at", async () => {
    await open("#figures");
    gateway.line.opens();
    expect(asked()).toBe(1);
    gateway.pass(60_000);
    await settle();
    expect(asked()).toBe(2);
    gateway.line.says(JSON.stringify({ id: "e_1" }));
    gateway.pass(3_000);
    await settle();
    expect(asked()).toBe(3);
    gateway.fail("GET /v1/operator/figures", 503);
    gateway.pass(60_000);
    await settle();
    expect(text(".page-broken")).toContain("may be out of date");
    expect(tiles()).toHaveLength(4);
    gateway.failures.clear();
    await go("#");
    gateway.pass(120_000);
    await settle();
    expect(asked()).toBe(4);
  });

  it("are forgotten at log-out, and read at log-in", async () => {
    gateway.loggedIn = false;
    await open("#figures?range=30d");
    expect(asked()).toBe(0);
    gateway.loggedIn = true;
    await console.session.check();
    await settle();
    expect(asked()).toBe(1);
    expect(get<HTMLInputElement>("[value='30d']").checked).toBe(true);
    await console.logOut();
    expect(console.figures.figures.value.value).toBeNull();
  });

  it("are taken along as a file", async () => {
    await open("#figures");
    const made: Blob[] = [];
    const given: string[] = [];
    vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => {
      made.push(blob as Blob);
      return "blob:x";
    });
    vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (
      this: HTMLAnchorElement,
    ) {
      given.push(this.download);
    });
    await click(button(en.download));
    vi.restoreAllMocks();
    expect(given).toEqual(["fanlight-figures-7d.csv"]);
    expect(await made[0]?.text()).toContain("from,to,turns");
  });
});

const TURN = {
  turn_id: "t_1",
  created_at: "2026-03-12T10:00:00Z",
  source: "cloud",
  confidence: 0.31,
  reasons: ["low_confidence", "some_new_one"],
  task_type: "troubleshooting",
  complexity: 0.62,
  tier: "large",
  model: "giant",
  reason: "complexity",
  cost_micros: 4_200,
  prompt_tokens: 812,
  completion_tokens: 120,
  total_ms: 2_400,
  first_token_ms: 310,
  scores: { overall: 0.4, novelty: 0.9 },
};

describe("how a case was answered", () => {
  async function unfold(): Promise<void> {
    const details = get<HTMLDetailsElement>(".how");
    details.open = true;
    details.dispatchEvent(new Event("toggle"));
    await settle();
  }

  it("is folded away, and asked for once it is wanted", async () => {
    gateway.figuring.how = [TURN];
    await open(hashOf(1));
    expect(gateway.sent("GET", "/answered")).toHaveLength(0);
    await unfold();
    await unfold();
    expect(gateway.sent("GET", "/answered")).toHaveLength(1);
    for (const said of ["giant · large", "62%", "$0.0042", "812 read, 120 written"]) {
      expect(text(".how")).toContain(said);
    }
    expect(text(".how")).toContain("Too unsure, Some new one");
    expect(text(".how")).toContain("Novelty90%");
    expect(all(".how h3")).toHaveLength(0);
  });

  it("tells each turn apart where there are several, without what is not known", async () => {
    const bare = { turn_id: "t_2", source: "kb", total_ms: 12 };
    gateway.figuring.how = [TURN, bare];
    await open(hashOf(1));
    await unfold();
    expect(all(".how h3").map((title) => title.textContent)).toEqual(["Question 1", "Question 2"]);
    expect(all(".how-turn")[1]?.textContent).not.toContain(en.how.cost);
  });

  it("says so where nothing is known, or could not be asked", async () => {
    gateway.fail("GET /answered", 503);
    await open(hashOf(1));
    await unfold();
    expect(text(".how")).toContain(en.how.failed);
    gateway.failures.clear();
    await click(button(en.again));
    expect(text(".how")).toContain(en.how.none);
  });
});

describe("the budgets", () => {
  const notes = () => all(".notes .note").map((one) => one.textContent);
  const bars = () => all(".budget-bar").map((bar) => bar.getAttribute("class"));
  const limited = (site: string, name: string, ...spent: [number, number]) => {
    const made = budget(site, name);
    const [day, month] = spent;
    made.day = { ...(made.day as object), spent_usd: day, limit_usd: 5 };
    made.month = { ...(made.month as object), spent_usd: month, limit_usd: 50 };
    return made;
  };

  it("are not spoken of where nobody has a limit", async () => {
    await open("#figures");
    expect(all(".budgets")).toHaveLength(0);
  });

  it("tell what is used, of what, and when that begins anew", async () => {
    gateway.figuring.budgets = [
      limited("site_demo", "The Shop", 1.25, 41),
      limited("site_help", "Help", 4.9, 50),
      budget("site_free", "Free"),
    ];
    await open("#figures");
    expect(all(".budget h4").map((name) => name.textContent)).toEqual(["The Shop", "Help"]);
    expect(bars()).toEqual([
      "budget-bar budget-well",
      "budget-bar budget-low",
      "budget-bar budget-low",
      "budget-bar budget-up",
    ]);
    expect(text(".budget")).toContain("$1.25 of $5.00");
    expect(text(".budget")).toContain("25%");
    expect(text(".budget")).toMatch(/Begins anew: .*\d\d:\d\d/);
    expect(all(".budget").at(-1)?.textContent).toContain(en.budgets.levels.up);
    expect(all(".budget:last-child .budget-period:last-child line")).toHaveLength(3);
    await go("#figures/site_help");
    expect(all(".budget h4").map((name) => name.textContent)).toEqual(["Help"]);
  });

  it("tell who is nearest a limit of their own, and not who that is", async () => {
    const made = budget("site_demo", "The Shop");
    made.callers = {
      day: [
        { whose: "visitor", mark: "3f2a9c01", spent_usd: 0.09, limit_usd: 0.1 },
        { whose: "api", mark: "77aa00bb", spent_usd: 1, limit_usd: 5 },
      ],
      month: [],
    };
    gateway.figuring.budgets = [made];
    gateway.figuring.days = [];
    await open("#figures");
    expect(text(".blank")).toContain(en.empty);
    expect(text(".budget-callers caption")).toBe(en.budgets.nearest.day);
    expect(all(".budget-callers tbody tr").map((row) => row.textContent)).toEqual([
      "Visitor 3f2a9c01$0.09 of $0.10",
      "Your server, by its key$1.00 of $5.00",
    ]);
    expect(bars()).toEqual(["budget-bar budget-low", "budget-bar budget-well"]);
    expect(text(".budget-sum")).toBe(en.budgets.noLimit("$0.50"));
  });

  it("say where they cannot be read, and leave the figures", async () => {
    gateway.fail("GET /usage", 503);
    await open("#figures");
    expect(text(".budgets-failed")).toContain(en.budgets.failed);
    expect(tiles()).toHaveLength(4);
  });

  it("are told of in every room when they run low", async () => {
    gateway.figuring.budgets = [limited("site_demo", "The Shop", 4.1, 4.1)];
    await open();
    const said = { site: "site_demo", period: "day", reached: 0.8, used_up: false };
    gateway.line.says(JSON.stringify(said), "budget");
    await settle();
    expect(text(".note")).toContain("The Shop has spent 80% of its budget for today.");
    gateway.line.says(JSON.stringify({ ...said, used_up: true, period: "month" }), "budget");
    await settle();
    expect(notes()).toHaveLength(2);
    expect(notes()[1]).toContain("too little left of its budget for this month");
    gateway.fail("GET /usage", 503);
    gateway.line.says(JSON.stringify({ ...said, reached: 0.9 }), "budget");
    await settle();
    expect(notes()).toHaveLength(2);
    expect(notes()[1]).toContain("site_demo has spent 90%");
  });

  it("are told of until that is dismissed, beside a trouble", async () => {
    await open();
    gateway.fail("DELETE /session", 503);
    await console.logOut();
    const said = { site: "site_demo", period: "day", reached: 0.8, used_up: false };
    gateway.line.says(JSON.stringify(said), "budget");
    await settle();
    gateway.pass(60_000);
    await settle();
    expect(notes()).toHaveLength(2);
    expect(text("[role=status] .note")).toContain("The Shop has spent 80%");
    await click(get("[role=status] .note button"));
    expect(notes()).toHaveLength(1);
    expect(text("[role=alert] .note")).toContain("log");
  });
});
