// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { strings } from "../../src/console/strings";
import { AT, entry, site, trial } from "./knowledge";
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
  root,
  settle,
  text,
  type,
} from "./page";

const { knowledge: words } = strings;
const ROOM = "#knowledge/site_demo";
const RETURNS = `${ROOM}/entries/en/returns`;
const api = (method: string, ending: string) => gateway.sent(method, ending);

async function wait(ms: number): Promise<void> {
  gateway.pass(ms);
  await settle();
}

describe("would this be answered", () => {
  const ANSWERED = trial({
    outcome: "answered",
    confidence: 0.78,
    answer: { entry_id: "returns", locale: "en", text: "About **returns**." },
    candidates: [
      {
        entry_id: "returns",
        locale: "en",
        question: "What is returns?",
        confidence: 0.78,
        reasons: ["exact", "variant:2", "word:send", "word:back", "chars", "new_code"],
      },
      {
        entry_id: "shipping",
        locale: "en",
        question: "What is shipping?",
        confidence: 0.004,
        reasons: ["question", "meaning", "other_locale"],
      },
    ],
  });

  it("is asked of the draft once the typing pauses", async () => {
    gateway.knowledge.trial = ANSWERED;
    await open(ROOM);
    await type(".trial-field", "send back");
    expect(api("POST", "/try")).toHaveLength(0);
    await wait(350);
    expect(api("POST", "/try")[0]?.body).toEqual({
      question: "send back",
      locale: null,
      draft: true,
    });
    expect(text(".verdict-outcome")).toBe(words.trial.outcomes.answered);
    expect(text(".verdict-sure")).toBe("78% sure; 55% is needed");
    expect(text(".verdict [role=status]")).toContain("What is returns?");
    expect(text(".verdict-answer strong")).toBe("returns");
    expect(all(".candidate .hint").map((why) => why.textContent)).toEqual([
      "word for word; nearest to another way to ask it; similar spelling; new code; shares “send” and “back”",
      "nearest to its question; close in meaning; written in another language",
    ]);
    expect(all(".candidate-chance")[1]?.textContent).toBe("1%");
    await type(".trial-field", "");
    expect(all(".verdict")).toHaveLength(0);
  });

  it("makes the question a way to ask the open entry, in one click", async () => {
    await open(RETURNS);
    await type(".trial-field", "send back");
    await press("Enter");
    await wait(350);
    expect(text(".verdict-outcome")).toBe(words.trial.outcomes.handed_over);
    expect(text(".candidates .hint")).toBe(words.trial.noCandidates);
    await click(button(words.trial.add));
    expect(api("PUT", "/returns/en")[0]?.body.variants).toEqual(["send back"]);
    expect(text(".note")).toContain(words.note.variant);
    expect(text(".verdict-rest")).toContain(words.trial.has);
    await click(button(words.undo));
    expect(button(words.trial.add)).toBeDefined();
  });

  it("does not save other text along with it", async () => {
    await open(RETURNS);
    await type("#entry-answer", "Half a sen");
    await type(".trial-field", "send back");
    await wait(350);
    expect(text(".trial-state")).toBe(words.trial.stale);
    await click(button(words.trial.add));
    expect(api("PUT", "/returns/en")).toHaveLength(0);
    expect(text(".note")).toContain(words.note.variant_written);
    expect(get<HTMLInputElement>("[aria-label='Way to ask 1']").value).toBe("send back");
  });

  it("begins an entry where none is open", async () => {
    gateway.knowledge.trial = trial({ outcome: "asked_back" });
    await open(ROOM);
    await type(".trial-field", "send back");
    await wait(350);
    await click(get(".trial-toggle"));
    await click(button(words.trial.write));
    expect(get<HTMLTextAreaElement>("#entry-question").value).toBe("send back");
  });

  it("asks again while the draft has not been looked at", async () => {
    gateway.knowledge.trial = trial({ built: false });
    await open(ROOM);
    await type(".trial-field", "send back");
    await wait(350);
    expect(text(".trial-state")).toBe(words.trial.building);
    gateway.knowledge.trial = ANSWERED;
    await wait(1_000);
    expect(text(".trial-state")).toBe(words.trial.hint);
    expect(text(".verdict-outcome")).toBe(words.trial.outcomes.answered);
  });

  it("says when it could not be asked", async () => {
    gateway.reachable = true;
    await open(ROOM);
    gateway.fail("POST /try", 503);
    await type(".trial-field", "send back");
    await wait(350);
    expect(text(".trial-state")).toContain(strings.trouble.broken);
    gateway.failures.clear();
    await click(button(words.again));
    expect(text(".verdict-outcome")).toBe(words.trial.outcomes.handed_over);
  });
});

describe("the unanswered questions", () => {
  const asked = (question: string, fields = {}) => ({
    question,
    locale: "en",
    count: 3,
    first_at: AT,
    last_at: AT,
    similar: [],
    nearest: { entry_id: "returns", locale: "en", question: "What is returns?", confidence: 0.31 },
    escalations: [],
    ...fields,
  });
  const cards = () => all(".card-question").map((card) => card.textContent);
  const within = (place: number, label: string): HTMLElement => {
    const found = [...(all(".card")[place]?.querySelectorAll("button") ?? [])].find(
      (one) => one.textContent === label,
    );
    if (found === undefined) throw new Error(`card ${place} has no "${label}"`);
    return found;
  };

  it("are listed with what is known of each", async () => {
    gateway.knowledge.unanswered = [
      asked("Repairs?", { similar: ["mend it"], escalations: ["e_1"] }),
      asked("Paris?", { count: 1, nearest: null, locale: null, last_at: null }),
    ];
    await open(`${ROOM}/unanswered`);
    expect(cards()).toEqual(["Repairs?", "Paris?"]);
    expect(text(".card")).toContain("Asked 3 times");
    expect(text(".card-similar summary")).toBe("1 similar wording");
    expect(get(".card .row-facts a").getAttribute("href")).toBe("#e_1");
    expect(all(".card")[1]?.textContent).toContain(words.unanswered.noNearest);
    expect(text(".tab[aria-current]")).toBe("Unanswered2");
  });

  it("are walked through with the keyboard", async () => {
    gateway.knowledge.unanswered = [asked("Repairs?"), asked("Paris?")];
    await open(`${ROOM}/unanswered`);
    await press("j");
    await press("j");
    expect(document.activeElement?.textContent).toBe("Paris?");
    await press("j");
    await press("k");
    expect(document.activeElement?.textContent).toBe("Repairs?");
  });

  it("become an entry, prefilled", async () => {
    gateway.knowledge.unanswered = [asked("¿Arreglos?", { locale: "es", similar: ["reparar"] })];
    await open(`${ROOM}/unanswered`);
    await click(button(words.unanswered.write));
    expect(location.hash).toBe(`${ROOM}/entries/new`);
    expect(get<HTMLTextAreaElement>("#entry-question").value).toBe("¿Arreglos?");
    expect(get<HTMLInputElement>("[aria-label='Way to ask 1']").value).toBe("reparar");
    expect(get<HTMLSelectElement>("#entry-language").value).toBe("es");
  });

  it("become a way to ask the nearest entry, and that is undone", async () => {
    gateway.knowledge.unanswered = [asked("Repairs?"), asked("Paris?")];
    await open(`${ROOM}/unanswered`);
    await click(within(0, words.unanswered.addTo));
    expect(cards()).toEqual(["Paris?"]);
    expect(document.activeElement?.closest(".card")?.textContent).toContain("Paris?");
    expect(api("PUT", "/returns/en")[0]?.body.variants).toEqual(["Repairs?"]);
    await click(button(words.undo));
    expect(cards()).toEqual(["Repairs?", "Paris?"]);
  });

  it("become a way to ask an entry whose text is still being written", async () => {
    gateway.knowledge.unanswered = [asked("Repairs?")];
    await open(RETURNS);
    await type("#entry-answer", "Half a");
    await go(`${ROOM}/unanswered`);
    await click(within(0, words.unanswered.addTo));
    await go(RETURNS);
    const way = () => root.querySelector<HTMLInputElement>("[aria-label='Way to ask 1']")?.value;
    expect(way()).toBe("Repairs?");
    expect(get<HTMLTextAreaElement>("#entry-answer").value).toBe("Half a");
    expect(all(".entry-behind")).toHaveLength(0);
    await click(button(words.undo));
    expect(way()).toBeUndefined();
    expect(all(".entry-behind")).toHaveLength(0);
    expect(get<HTMLTextAreaElement>("#entry-answer").value).toBe("Half a");
  });

  it("become a way to ask the entry that is open behind them", async () => {
    gateway.knowledge.unanswered = [asked("Repairs?")];
    await open(RETURNS);
    await go(`${ROOM}/unanswered`);
    await click(within(0, words.unanswered.addTo));
    await go(RETURNS);
    await type("#entry-answer", "New.");
    await press("s", { ctrlKey: true });
    expect(api("PUT", "/returns/en").at(-1)?.body.variants).toEqual(["Repairs?"]);
  });

  it("do not bring a removed entry back", async () => {
    gateway.knowledge.unanswered = [asked("Repairs?")];
    gateway.knowledge.entries[0] = entry("returns", { state: "removed" });
    await open(`${ROOM}/unanswered`);
    await click(within(0, words.unanswered.addTo));
    expect(api("PUT", "/returns/en")).toHaveLength(0);
    expect(cards()).toEqual(["Repairs?"]);
    expect(text(".note")).toContain(words.note.entry_removed);
    await click(button(words.see));
    expect(location.hash).toBe(RETURNS);
  });

  it("become a way to ask an entry that is looked for", async () => {
    gateway.knowledge.unanswered = [asked("Repairs?")];
    await open(`${ROOM}/unanswered`);
    await click(button(words.unanswered.choose));
    expect(all(".choice")).toHaveLength(2);
    await type(".dialog input", "nothing");
    await wait(250);
    expect(text(".choices")).toBe(words.list.noMatch);
    await type(".dialog input", "ship");
    await wait(250);
    await click(get(".choice"));
    expect(api("PUT", "/shipping/en")[0]?.body.variants).toEqual(["Repairs?"]);
    expect(text(".blank-title")).toBe(words.unanswered.empty);
  });

  it("let the search be left, and say when it fails", async () => {
    gateway.knowledge.unanswered = [asked("Repairs?")];
    await open(`${ROOM}/unanswered`);
    gateway.fail("GET /entries", 503);
    await click(button(words.unanswered.choose));
    expect(text(".dialog .error")).toBe(strings.trouble.broken);
    await click(button(words.unanswered.cancel));
    expect(all(".dialog h2")).toHaveLength(0);
  });

  it.each([
    [words.unanswered.none, null, words.note.marked_none],
    [words.unanswered.right, "returns", words.note.marked_right],
  ])("are marked: %s", async (label, entryId, said) => {
    gateway.knowledge.unanswered = [asked("Repairs?")];
    await open(`${ROOM}/unanswered`);
    await click(button(label));
    expect(gateway.knowledge.marks[0]).toMatchObject({ question: "Repairs?", entry_id: entryId });
    expect(text(".note")).toContain(said);
    expect(cards()).toEqual([]);
    await click(button(words.undo));
    expect(gateway.knowledge.marks).toEqual([]);
    expect(cards()).toEqual(["Repairs?"]);
  });

  it("come back once their mark is taken away in the settings", async () => {
    gateway.knowledge.unanswered = [asked("Repairs?"), asked("Paris?")];
    await open(`${ROOM}/unanswered`);
    await click(within(0, words.unanswered.none));
    await click(within(0, words.unanswered.addTo));
    expect(cards()).toEqual([]);
    await console.knowledge.readMarks();
    const [mark] = console.knowledge.marks.value.value ?? [];
    if (mark === undefined) throw new Error("there is no mark");
    await console.knowledge.unmark(mark);
    await settle();
    expect(cards()).toEqual(["Repairs?"]);
    await click(button(words.publish.button));
    gateway.knowledge.finish();
    await wait(1_500);
    expect(cards()).toEqual(["Repairs?", "Paris?"]);
  });

  it("come back where the mark is taken back after the list was read anew", async () => {
    gateway.knowledge.unanswered = [asked("Repairs?")];
    await open(`${ROOM}/unanswered`);
    await click(button(words.unanswered.none));
    await console.knowledge.unanswered.show(90);
    await click(button(words.undo));
    expect(cards()).toEqual(["Repairs?"]);
  });

  it("come back where a deed did not work", async () => {
    gateway.knowledge.unanswered = [asked("Repairs?")];
    await open(`${ROOM}/unanswered`);
    gateway.fail("POST /marks", 503);
    gateway.fail("PUT /returns/en", 503);
    await click(button(words.unanswered.none));
    expect(cards()).toEqual(["Repairs?"]);
    await click(button(words.unanswered.addTo));
    expect(cards()).toEqual(["Repairs?"]);
    expect(text(".note-bad")).toContain(strings.trouble.broken);
    gateway.failures.clear();
    await click(button(words.again));
    expect(cards()).toEqual([]);
    gateway.fail("POST /undo", 409, { detail: "Too late" });
    await click(button(words.undo));
    expect(text(".note-bad")).toContain("Too late.");
  });

  it("are read for another time, and tried again", async () => {
    gateway.fail("GET /unanswered", 503);
    await open(`${ROOM}/unanswered`);
    expect(text(".blank-title")).toBe(words.unanswered.failed);
    gateway.failures.clear();
    await click(button(words.again));
    expect(text(".blank-title")).toBe(words.unanswered.empty);
    const select = get<HTMLSelectElement>(".page-head select");
    select.value = "90";
    select.dispatchEvent(new Event("change", { bubbles: true }));
    await settle();
    expect(console.knowledge.unanswered.days.value).toBe(90);
  });
});

describe("the check", () => {
  const finding = (severity: string, other: unknown = null) => ({
    kind: severity === "advice" ? "odd_new_kind" : "duplicate",
    severity,
    entry_id: "returns",
    locale: "en",
    question: "What is returns?",
    other,
    text: "It is twice.",
    remedy: "Join them.",
  });

  it("groups what it found, worst first, and leads to each entry", async () => {
    gateway.knowledge.findings = {
      findings: [
        finding("advice"),
        finding("error", { entry_id: "shipping", locale: "en", question: "What is shipping?" }),
        finding("warning"),
      ],
      checked_at: AT,
      running: false,
    };
    await open(`${ROOM}/check`);
    expect(all(".findings h3").map((one) => one.textContent)).toEqual(
      Object.values(words.check.severities).map((severity) => `${severity} 1`),
    );
    expect(all(".card .badge").map((one) => one.textContent)).toEqual([
      "Duplicate",
      "Duplicate",
      "Odd new kind",
    ]);
    expect(text(".page-state")).toContain("3 things to look at");
    await click(get(".card .entry-link"));
    expect(location.hash).toBe(RETURNS);
  });

  it("runs, is followed, and comes out clean", async () => {
    await open(`${ROOM}/check`);
    expect(text(".page-state")).toBe(words.check.never);
    await click(button(words.check.first));
    expect(text(".page-state")).toBe(words.check.running);
    await click(button(words.check.first));
    expect(api("POST", "/findings")).toHaveLength(1);
    gateway.knowledge.findings = { findings: [], checked_at: AT, running: false };
    await wait(1_500);
    expect(text(".blank-title")).toBe(words.check.clean);
  });

  it("that came to no end says why, keeps what was found, and is tried again", async () => {
    const failed = "The draft was too large to check in time";
    gateway.knowledge.findings = {
      findings: [finding("error")],
      checked_at: AT,
      running: false,
      failed,
    };
    await open(`${ROOM}/check`);
    expect(text("[role=alert].page-broken")).toContain(words.check.broken(failed));
    expect(all(".card")).toHaveLength(1);
    await click(button(words.again));
    expect(api("POST", "/findings")).toHaveLength(1);
    expect(text(".page-broken")).toBe("");
    Object.assign(gateway.knowledge.findings, { findings: [], running: false, failed });
    await wait(1_500);
    expect(text(".page-broken")).toContain(failed);
    expect(all(".blank-title")).toHaveLength(0);
  });

  it("says when it could not be begun or read", async () => {
    gateway.fail("GET /findings", 503);
    await open(`${ROOM}/check`);
    expect(text(".blank-title")).toBe(words.check.failed);
    gateway.failures.clear();
    await click(button(words.again));
    gateway.fail("POST /findings", 503);
    await click(button(words.check.first));
    expect(text(".note-bad")).toContain(strings.trouble.broken);
    expect(text(".page-state")).toBe(words.check.never);
  });
});

describe("an import", () => {
  const row = (id: string) => ({ entry_id: id, locale: "en", question: `${id}?` });
  const file = (name: string, size = 10) =>
    ({ name, size, text: () => Promise.resolve("# Hi") }) as File;
  const drop = async (type: string, files: readonly File[]): Promise<void> => {
    const event = new Event(type, { bubbles: true, cancelable: true });
    Object.assign(event, { dataTransfer: { files } });
    get(".drop").dispatchEvent(event);
    await settle();
  };

  it("of an address is looked at before it is taken in", async () => {
    gateway.knowledge.preview = {
      added: [row("a"), row("b")],
      changed: [row("c")],
      removed: [row("d")],
      unchanged: 12,
      problems: ["line 3: no answer"],
    };
    await open(`${ROOM}/import`);
    await type("#import-address", "shop");
    await click(button(words.import.look));
    expect(text("#import-error")).toBe(words.import.objections.address);
    await type("#import-address", "https://shop.example/faq");
    await click(button(words.import.look));
    expect(text(".preview h3")).toContain("https://shop.example/faq");
    expect(all(".preview .badge").map((one) => one.textContent)).toEqual([
      "2 new entries",
      "1 changed entry",
      "1 entry removed",
    ]);
    expect(text(".preview")).toContain("line 3: no answer");
    await click(button(words.import.accept));
    expect(api("POST", "/imports/i_1")).toHaveLength(1);
    expect(text(".note")).toBe(words.note.imported);
    expect(all(".preview")).toHaveLength(0);
  });

  it("says that somebody wrote in the meantime", async () => {
    gateway.knowledge.preview = { ...gateway.knowledge.preview, changed: [row("c")] };
    gateway.knowledge.leftOut = [{ entry_id: "c", locale: "en" }];
    await open(`${ROOM}/import`);
    await type("#import-address", "https://shop.example/faq");
    await click(button(words.import.look));
    await click(button(words.import.accept));
    expect(text(".note")).toBe(words.note.importedButLeft);
  });

  it("of a file is dropped or picked", async () => {
    gateway.knowledge.preview = { ...gateway.knowledge.preview, unchanged: 3 };
    await open(`${ROOM}/import`);
    await drop("dragover", []);
    expect(all(".drop-over")).toHaveLength(1);
    await drop("drop", [file("faq.md")]);
    expect(api("POST", "/imports")[0]?.body).toEqual({ name: "faq.md", content: "# Hi" });
    expect(text(".preview")).toContain(words.import.nothing);
    await click(button(words.import.cancel));
    expect(all(".preview")).toHaveLength(0);
    await click(button(words.import.pick));
    const input = get<HTMLInputElement>("input[type=file]");
    Object.defineProperty(input, "files", { value: [file("faq.csv")] });
    input.dispatchEvent(new Event("change", { bubbles: true }));
    await settle();
    expect(api("POST", "/imports")).toHaveLength(2);
  });

  it.each([
    ["kind", file("faq.docx")],
    ["size", file("faq.md", 6_000_000)],
    ["unreadable", { ...file("faq.md"), text: () => Promise.reject(new Error("gone")) } as File],
  ] as const)("refuses a file for its %s", async (why, given) => {
    await open(`${ROOM}/import`);
    await drop("drop", [given]);
    expect(text("#import-error")).toBe(words.import.objections[why]);
    expect(api("POST", "/imports")).toHaveLength(0);
  });

  it("that fails is tried again", async () => {
    gateway.fail("POST /imports", 422, { detail: "The page could not be read." });
    await open(`${ROOM}/import`);
    await drop("drop", [file("faq.md")]);
    expect(text("#import-error")).toContain("The page could not be read.");
    gateway.failures.clear();
    await click(button(words.again));
    expect(text(".preview")).toContain(words.import.nothingFound);
    gateway.knowledge.preview = { ...gateway.knowledge.preview, added: [row("a")] };
    await console.knowledge.importer.again();
    await settle();
    gateway.fail("POST /imports/i_1", 503);
    await click(button(words.import.accept));
    expect(text(".note-bad")).toContain(strings.trouble.broken);
    expect(all(".preview")).toHaveLength(1);
  });
});

describe("publishing", () => {
  it("is followed step by step, and said once it is through", async () => {
    gateway.knowledge.entries[0] = entry("returns", { state: "changed" });
    await open(ROOM);
    expect(text(".publish-state")).toBe("Published 3 minutes ago");
    await console.knowledge.load();
    await settle();
    expect(text(".publish-state")).toBe("1 unpublished change");
    await click(button(words.publish.button));
    expect(text(".publish-state")).toBe(words.publish.steps.reading);
    Object.assign(gateway.knowledge.sites[0] ?? {}, { building: { step: "writing", share: 0.8 } });
    gateway.line.says('{"site":"site_demo"}', "knowledge");
    gateway.line.says('{"site":"another"}', "knowledge");
    gateway.line.says("not json", "knowledge");
    await settle();
    expect(text(".publish-state")).toBe(words.publish.steps.writing);
    expect(get(".progress").getAttribute("aria-valuenow")).toBe("94");
    gateway.knowledge.finish();
    await wait(1_500);
    expect(text(".note")).toBe(words.note.published);
    expect(all(".row .badge")).toHaveLength(0);
  });

  it("is called for by marks and settings alone", async () => {
    await open(ROOM);
    expect(button(words.publish.again).className).toBe("button");
    await console.knowledge.declare(0.45);
    await settle();
    expect(text(".publish-state")).toBe(words.publish.learnt);
    expect(button(words.publish.button).className).toContain("button-primary");
    await click(button(words.publish.button));
    expect(api("POST", "/publish")).toHaveLength(1);
  });

  it("is possible where nothing is known to differ: a file may have been changed", async () => {
    await open(ROOM);
    expect(button(words.publish.again).title).toBe(words.publish.againHelp);
    await click(button(words.publish.again));
    expect(text(".publish-state")).toBe(words.publish.steps.reading);
    await click(button(words.publish.button));
    expect(api("POST", "/publish")).toHaveLength(1);
  });

  it("that fails says why, and that the last good one still serves", async () => {
    await open(ROOM);
    Object.assign(gateway.knowledge.sites[0] ?? {}, { failed: "Two entries have one id" });
    await console.knowledge.load();
    await settle();
    expect(text(".publish-failed")).toBe(words.publish.failed("Two entries have one id"));
    gateway.fail("POST /publish", 409, { detail: "One is under way" });
    await click(button(words.publish.again));
    expect(text(".note-bad")).toContain("One is under way.");
    expect(text(".publish-failed")).not.toBe("");
  });

  it("waits for a save that is under way", async () => {
    Object.assign(gateway.knowledge.sites[0] ?? {}, { failed: "x" });
    await open(RETURNS);
    await type("#entry-answer", "New.");
    gateway.held = [];
    await press("s", { ctrlKey: true });
    await click(button(words.publish.again));
    expect(all(".dialog h2")).toHaveLength(0);
    gateway.release();
    await settle();
    expect(api("PUT", "/returns/en")).toHaveLength(1);
    expect(api("POST", "/publish")).toHaveLength(1);
  });

  it("asks about text that is not saved", async () => {
    gateway.knowledge.entries[1] = entry("shipping", { state: "changed" });
    Object.assign(gateway.knowledge.sites[0] ?? {}, { changes: 1 });
    await open(RETURNS);
    await type("#entry-answer", "New.");
    await click(button(words.publish.button));
    expect(text(".dialog h2")).toBe(words.publish.unsavedTitle);
    await click(button(words.publish.unsavedCancel));
    expect(api("POST", "/publish")).toHaveLength(0);
    await click(button(words.publish.button));
    await click(button(words.publish.unsavedSave));
    expect(api("PUT", "/returns/en")).toHaveLength(1);
    expect(api("POST", "/publish")).toHaveLength(1);
    gateway.knowledge.finish();
    await wait(1_500);
    await type("#entry-answer", "Newer.");
    Object.assign(gateway.knowledge.sites[0] ?? {}, { failed: "x" });
    await console.knowledge.load();
    await settle();
    await click(button(words.publish.again));
    await click(button(words.publish.unsavedDrop));
    expect(api("PUT", "/returns/en")).toHaveLength(1);
    expect(api("POST", "/publish")).toHaveLength(2);
  });
});

describe("the confidence settings", () => {
  const declare = async (percent: string): Promise<void> => {
    const slider = get<HTMLInputElement>("#share");
    slider.value = percent;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    slider.dispatchEvent(new Event("change", { bubbles: true }));
    await settle();
  };

  it("declare the share of questions without an answer", async () => {
    await open(ROOM);
    await click(button(words.settings.open));
    expect(text(".dialog output")).toBe("30%");
    await declare("45");
    expect(api("PUT", "/prior")[0]?.body).toEqual({ out_of_scope: 0.45 });
    expect(text(".dialog output")).toBe("45%");
    gateway.fail("PUT /prior", 503);
    await declare("60");
    expect(text(".dialog output")).toBe("45%");
    await click(button(words.settings.close));
    expect(all(".dialog h2")).toHaveLength(0);
  });

  it("show the marks, and take them away", async () => {
    gateway.knowledge.marks = [
      { id: "m_1", question: "Repairs?", entry_id: null, author: "ada", at: AT },
      { id: "m_2", question: "Back?", entry_id: "returns", author: "ada", at: AT },
    ];
    Object.assign(gateway.knowledge.sites[0] ?? {}, { marks: 2 });
    await open(ROOM);
    await click(button(words.settings.open));
    gateway.fail("GET /marks", 503);
    const details = get<HTMLDetailsElement>(".setting details");
    const unfold = async (): Promise<void> => {
      details.open = true;
      details.dispatchEvent(new Event("toggle"));
      await settle();
    };
    await unfold();
    expect(text(".setting .error")).toBe(strings.trouble.broken);
    gateway.failures.clear();
    await unfold();
    expect(all(".marks li").map((one) => one.textContent)).toEqual([
      `Repairs?${words.settings.none}`,
      "Back?returns",
    ]);
    gateway.fail("DELETE /marks/m_1", 503);
    await click(button(words.settings.removeMark("Repairs?")));
    expect(all(".marks li")).toHaveLength(2);
    gateway.failures.clear();
    await click(button(words.settings.removeMark("Repairs?")));
    expect(gateway.knowledge.marks).toHaveLength(1);
  });
});

async function unmarkFirst(): Promise<void> {
  const [mark] = console.knowledge.marks.value.value ?? [];
  if (mark !== undefined) await console.knowledge.unmark(mark);
}

describe("the pages", () => {
  it.each([
    ["a check", "POST /findings", () => console.knowledge.check.run()],
    ["a mark", "DELETE /marks/m_1", () => unmarkFirst()],
  ])("show nothing of another site: %s that fails late", async (_, call, act) => {
    const { knowledge } = gateway;
    const two = { checkedAt: AT, findings: [], running: false, failed: null };
    knowledge.sites.push(site({ site: "site_two", name: "Two" }));
    knowledge.marks = [{ id: "m_1", question: "Repairs?", entry_id: null, author: "a", at: AT }];
    await open(ROOM);
    await console.knowledge.check.load();
    await console.knowledge.readMarks();
    gateway.fail(call, 503);
    gateway.held = [];
    const acted = act();
    await go("#knowledge/site_two/entries");
    console.knowledge.check.findings.put(two);
    console.knowledge.marks.put([]);
    gateway.release();
    await acted;
    await settle();
    expect(console.knowledge.check.findings.value.value).toBe(two);
    expect(console.knowledge.marks.value.value).toEqual([]);
    expect(text(".note-bad")).not.toContain(words.again);
  });

  it("show nothing of another site: an import that is taken in late", async () => {
    gateway.knowledge.sites.push(site({ site: "site_two", name: "Two" }));
    await open(`${ROOM}/import`);
    await type("#import-address", "https://shop.example/faq");
    await click(button(words.import.look));
    gateway.held = [];
    const accepted = console.knowledge.importer.accept();
    await go("#knowledge/site_two/import");
    await type("#import-address", "https://two.example/");
    gateway.release();
    await accepted;
    await settle();
    expect(get<HTMLInputElement>("#import-address").value).toBe("https://two.example/");
    expect(all(".note")).toHaveLength(0);
  });

  it("keep the open entry while another page is looked at", async () => {
    await open(RETURNS);
    await go(`${ROOM}/check`);
    await click(all(".tab")[0] as HTMLElement);
    expect(location.hash).toBe(RETURNS);
  });
});
