// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { PERSONALITY_WORDS } from "../../src/console/personality/words";
import { en as words } from "../../src/console/personality/words/en";
import { he } from "../../src/console/personality/words/he";
import {
  all,
  button,
  click,
  console,
  gateway,
  get,
  go,
  logIn,
  open,
  press,
  settle,
  text,
  type,
} from "./page";
import { TEACHER } from "./speaking";

const HERE = "#personality/site_demo";
const NAME = "#manner-identity-name";
const AREA = "#manner-custom_instructions";
const ROLE = "#manner-identity-role";
const note = () => text(".notes .note > span");
const focused = () => {
  const { activeElement: at } = document;
  return at?.closest(".manner-name, .row")?.querySelector("bdi")?.textContent ?? null;
};
const labels = () => all("button").map((one) => one.textContent);
const rows = () => all(".row-question").map((row) => row.textContent);
const lines = () => text(".manner-lines");

/** Lets a moment pass, after which what a model is told is asked. */
async function moment(): Promise<void> {
  gateway.pass(300);
  await settle();
}

async function save(): Promise<void> {
  await press("s", { ctrlKey: true, code: "KeyS" });
}

/** Presses a button as a keyboard does: the focus is on it, and goes with it. */
async function push(label: string): Promise<void> {
  button(label).focus();
  await click(button(label));
}

async function write(role: string): Promise<void> {
  await type(ROLE, role);
  await save();
}

/** The gateway says that the site speaks otherwise. */
async function hears(): Promise<void> {
  gateway.line.says('{"site":"site_demo"}', "personality");
  await settle();
}

async function choose(selector: string, value: string): Promise<void> {
  const field = get<HTMLSelectElement>(selector);
  field.value = value;
  field.dispatchEvent(new Event("change", { bubbles: true }));
  await settle();
}

/** One of the site's own, made from the teacher, with this name. */
async function made(name: string): Promise<void> {
  await open(`${HERE}/teacher`);
  await click(button(words.copy));
  await type(NAME, name);
  await click(button(words.save));
}

describe("the list", () => {
  it("is entered by its key, and shows the one in use", async () => {
    await open();
    await press("5");
    await moment();
    expect(location.hash).toBe(HERE);
    expect(document.title).toBe("Personality · Fanlight console");
    expect(rows()).toEqual(["Broken", "Teacher", words.none]);
    expect(text(".manner-name")).toBe("Teacher");
    expect(text(".manner-word")).toContain(words.byFile);
    expect(lines()).toBe("Your name is Assistant.");
  });

  it("has nothing of the site's own to begin with, and says what to do", async () => {
    await open(HERE);
    expect(text(".manner-empty")).toBe(words.emptyOwn);
  });

  it("is walked by keys, and left by Escape", async () => {
    await open(HERE);
    await press("k");
    expect(location.hash).toBe(`${HERE}/broken`);
    expect(text(".entry-error")).toContain("identity.name: there is none");
    await press("j");
    await press("j");
    expect(text(".manner-plain")).toBe(words.noneBody);
    await press("Escape");
    expect(location.hash).toBe(HERE);
    expect(document.activeElement?.textContent).toContain(words.none);
  });

  it("is another site's where there are several", async () => {
    gateway.speaking.sites = ["site_demo", "site_help"];
    await open(HERE);
    await choose(".manner-room .list-head select", "site_help");
    expect(location.hash).toBe("#personality/site_help");
    expect(gateway.sent("GET", "/site_help")).toHaveLength(1);
  });

  it("offers a way back that is about the site where something was done", async () => {
    gateway.speaking.sites = ["site_demo", "site_help"];
    await open(`${HERE}/~none`);
    await click(button(words.useNone));
    await choose(".manner-room .list-head select", "site_help");
    await click(button(words.undo));
    expect(gateway.sent("DELETE", "/choice").map(({ path }) => path)).toEqual([
      "/v1/personalities/site_demo/choice",
    ]);
    expect(location.hash).toBe(HERE);
  });

  it("says what is not there", async () => {
    await open(`${HERE}/nobody`);
    expect(text(".blank-title")).toBe(words.goneTitle);
    await go("#personality/site_x");
    expect(text(".blank-title")).toBe(words.unknownSite);
  });

  it("says that a gateway has none, or did not answer", async () => {
    gateway.speaking.there = false;
    await open(HERE);
    expect(text(".blank-title")).toBe(words.absentTitle);
    gateway.speaking.there = true;
    gateway.fail("GET /v1/personalities", 503);
    await console.personality.load();
    await settle();
    expect(text(".blank-title")).toBe(words.failedTitle);
    gateway.failures.clear();
    await click(button(words.again));
    expect(text(".manner-name")).toBe("Teacher");
  });

  it("is told in Hebrew where that was chosen", async () => {
    await open(HERE);
    await choose(".manner-language select", "he");
    expect(get("main").dir).toBe("rtl");
    expect(text("h2")).toBe(he.title);
    gateway.fail("PUT /choice", 503);
    await go(`${HERE}/~none`);
    await click(button(he.useNone));
    expect(get(".notes .note").closest("[dir]")?.getAttribute("dir")).toBe("rtl");
    expect(note()).toContain(he.note.failed);
    expect(get(".notes .note bdi").lang).toBe("en");
    await go("#personality/site_x");
    expect(get("main").dir).toBe("rtl");
    expect(get("main").lang).toBe("he");
    expect(text(".blank-title")).toBe(he.unknownSite);
    console.figures.speak("en");
  });

  it("sets names of any script apart", () => {
    for (const { by, chosen, changedBy } of Object.values(PERSONALITY_WORDS)) {
      for (const said of [by("נועה"), chosen("נועה"), changedBy("נועה")]) {
        expect(said).toContain("\u2068נועה\u2069");
      }
    }
  });
});

describe("a personality of one's own", () => {
  it("begins like another, is mended, saved, and in the list", async () => {
    await open(`${HERE}/teacher`);
    await click(button(words.copy));
    expect(location.hash).toBe(`${HERE}/~new`);
    expect(document.activeElement?.id).toBe("manner-identity-name");
    await type(NAME, " ");
    await type(AREA, "x".repeat(21));
    expect(text(".manner-left.error")).toBe(words.over(1));
    expect(all("[aria-invalid=true]")).toHaveLength(1);
    await save();
    await moment();
    expect(text(".entry-error")).toBe(words.mend(2));
    expect(all("[aria-invalid=true]").map((one) => one.id)).toEqual([NAME.slice(1), AREA.slice(1)]);
    expect(gateway.sent("POST", "/items")).toEqual([]);
    await type(NAME, "Ana");
    await type(AREA, "Be brief.");
    expect(text(".manner-left")).toBe(words.left(11));
    await moment();
    expect(lines()).toBe("Your name is Ana.");
    await save();
    const [sent] = gateway.sent("POST", "/items");
    expect(sent?.body.personality).toEqual({
      ...TEACHER,
      identity: { ...TEACHER.identity, name: "Ana" },
      custom_instructions: "Be brief.",
    });
    expect(location.hash).toBe(`${HERE}/console.own-1`);
    expect(rows()[0]).toBe("Ana");
    expect(note()).toContain(words.note.saved);
    expect(console.hasUnsaved()).toBe(false);
  });

  it("has choices, flags and lists, and nothing where nothing is said", async () => {
    await made("Ana");
    await click(get("[name=manner-communication-tone][value=direct]"));
    await click(get("[name=manner-communication-verbosity][value='']"));
    await choose("#manner-communication-use_humor", "true");
    await choose("#manner-formatting-emphasis", "plain");
    await click(all(".switch")[0] as HTMLElement);
    await type("#manner-identity-expertise", " a \n\nb\n");
    await click(button(words.save));
    const [sent] = gateway.sent("PUT", "/console.own-1");
    expect(sent?.body).toEqual({
      based_on: 1,
      personality: {
        identity: { ...TEACHER.identity, name: "Ana", expertise: ["a", "b"] },
        communication: { tone: "direct", use_humor: true },
        response_behavior: {},
        memory_usage: {},
        formatting: { emphasis: "plain" },
      },
    });
  });

  it("tells too many lines and too long ones", async () => {
    await made("Ana");
    await type("#manner-identity-expertise", "1\n2\n3\n4");
    expect(text("#manner-identity-expertise-error")).toBe(words.flaws.many(3));
    await type("#manner-identity-expertise", "123456789");
    expect(text("#manner-identity-expertise-error")).toBe(words.flaws.long_line(8));
    await click(button(words.discard));
    expect(note()).toContain(words.note.put_aside);
    await click(button(words.undo));
    expect(get<HTMLTextAreaElement>("#manner-identity-expertise").value).toBe("123456789");
  });

  it("shows at its field what only the gateway knows", async () => {
    await made("Ana");
    const flaws = [{ field: "identity.expertise[1]", detail: "this cannot be read" }];
    gateway.fail("PUT /console.own-1", 400, { field: "personality.identity.expertise[1]", flaws });
    await type("#manner-identity-role", "guide");
    await save();
    expect(text("#manner-identity-expertise-error")).toBe("this cannot be read");
    expect(get("#manner-identity-expertise-error bdi").lang).toBe("en");
    gateway.fail("PUT /console.own-1", 503, {});
    await type("#manner-identity-role", "guides");
    await save();
    expect(text(".entry-error")).toContain("Not saved.");
    expect(get(".entry-error bdi").lang).toBe("en");
    expect(console.hasUnsaved()).toBe(true);
  });

  it("is not written over somebody else's words unless that is meant", async () => {
    await made("Ana");
    await type("#manner-identity-role", "mine");
    gateway.speaking.writes("console.own-1", { ...TEACHER, identity: { name: "Eva" } });
    await save();
    expect(text(".manner .error")).toBe("");
    expect(all(".entry-error").map((one) => one.textContent)).toContain(words.changedBy("ada"));
    expect(get<HTMLInputElement>("#manner-identity-role").value).toBe("mine");
    await push(words.saveMine);
    expect(focused()).toBe("Ana");
    expect(gateway.sent("PUT", "/console.own-1").at(-1)?.body.based_on).toBe(2);
    expect(note()).toContain(words.note.saved);
    await type("#manner-identity-role", "again");
    gateway.speaking.writes("console.own-1", { ...TEACHER, identity: { name: "Noa" } });
    await hears();
    await push(words.takeTheirs);
    expect(focused()).toBe("Noa");
    expect(get<HTMLInputElement>(NAME).value).toBe("Noa");
  });

  it("is removed and comes back", async () => {
    await made("Ana");
    await push(words.remove);
    expect(rows()).not.toContain("Ana");
    expect(note()).toContain(words.note.removed);
    expect(focused()).toBe("Teacher");
    await push(words.undo);
    expect(gateway.sent("POST", "/undo").at(-1)?.body).toEqual({ based_on: 0 });
    expect(note()).toContain(words.note.restored);
    expect(location.hash).toBe(`${HERE}/console.own-1`);
    expect(focused()).toBe("Ana");
  });

  it("gets its newest edit taken back, and given again", async () => {
    await made("Ana");
    expect(labels()).not.toContain(words.undoLast);
    await write("guide");
    expect(labels()).toContain(words.undoLast);
    await push(words.undoLast);
    expect(gateway.sent("POST", "/undo").at(-1)?.body).toEqual({ based_on: 2 });
    expect(get<HTMLInputElement>(ROLE).value).toBe("a patient guide");
    expect(note()).toContain(words.note.undone);
    expect(focused()).toBe("Ana");
    expect(labels()).not.toContain(words.undoLast);
    await push(words.undo);
    expect(gateway.sent("PUT", "/console.own-1").at(-1)?.body.based_on).toBe(1);
    expect(get<HTMLInputElement>(ROLE).value).toBe("guide");
    expect(note()).toContain(words.note.restored);
    expect(focused()).toBe("Ana");
    await push(words.undo);
    expect(get<HTMLInputElement>(ROLE).value).toBe("a patient guide");
  });

  it("keeps what was typed since its newest edit, where that is taken back", async () => {
    await made("Ana");
    await write("guide");
    await type(ROLE, "guide of all");
    await push(words.undo);
    expect(focused()).toBe("Ana");
    expect(get<HTMLInputElement>(ROLE).value).toBe("guide of all");
    expect(note()).toContain(words.note.undone);
    await push(words.undo);
    expect(get<HTMLInputElement>(ROLE).value).toBe("guide of all");
    expect(gateway.speaking.own[0]?.personality).toMatchObject({ identity: { role: "guide" } });
    await save();
    expect(note()).toContain(words.note.saved);
  });

  it("keeps an edit that somebody else made meanwhile", async () => {
    await made("Ana");
    await write("guide");
    gateway.speaking.writes("console.own-1", { ...TEACHER, identity: { name: "Eva" } });
    await push(words.undo);
    expect(note()).toBe(words.note.overtaken);
    expect(rows()[0]).toBe("Eva");
    gateway.speaking.writes("console.own-1", { ...TEACHER, identity: { name: "Noa" } });
    await push(words.undoLast);
    expect(note()).toBe(words.note.overtaken);
    expect(rows()[0]).toBe("Noa");
  });

  it("goes with its only edit where the page did not know that, and comes back as a new one", async () => {
    await made("Ana");
    await console.manners.undo("console.own-1", 1);
    await settle();
    expect(rows()).not.toContain("Ana");
    expect(location.hash).toBe(HERE);
    expect(focused()).toBe("Teacher");
    await push(words.undo);
    expect(rows()[0]).toBe("Ana");
  });

  it("leaves the focus in the room where unsaved text is put aside", async () => {
    await made("Ana");
    await type(ROLE, "guide");
    await push(words.discard);
    expect(focused()).toBe("Ana");
    await press("n");
    await push(words.discard);
    expect(focused()).toBe("Teacher");
    await push(words.undo);
    expect(document.activeElement?.id).toBe(NAME.slice(1));
  });

  it("is duplicated", async () => {
    await made("Ana");
    await click(button(words.copyOwn));
    expect(location.hash).toBe(`${HERE}/~new`);
    expect(get<HTMLInputElement>(NAME).value).toBe("Ana");
  });

  it("begins with nothing by its key, and outlives the session", async () => {
    await open(HERE);
    await press("n");
    await type(NAME, "Half");
    gateway.loggedIn = false;
    await save();
    gateway.loggedIn = true;
    await logIn("op_right");
    expect(get<HTMLInputElement>(NAME).value).toBe("Half");
    expect(console.hasUnsaved()).toBe(true);
  });
});

describe("the choice", () => {
  it("is made, taken back, and left to fanlight.toml again", async () => {
    await made("Ana");
    await click(button(words.use));
    expect(gateway.sent("PUT", "/choice")[0]?.body).toEqual({ name: "console.own-1" });
    expect(note()).toContain(words.note.used);
    expect(text(".manner-word")).toContain(words.chosen("ada"));
    expect(button(words.remove).getAttribute("aria-disabled")).toBe("true");
    await click(button(words.remove));
    expect(gateway.sent("DELETE", "/console.own-1")).toEqual([]);
    await type("#manner-identity-role", "guide");
    await save();
    expect(note()).toContain(words.note.saved_in_use);
    await click(button(words.reset("Teacher")));
    expect(note()).toContain(words.note.reset);
    expect(gateway.speaking.chosen).toBeNull();
    await click(button(words.undo));
    expect(gateway.speaking.chosen).toMatchObject({ name: "console.own-1" });
    await go(`${HERE}/~none`);
    await click(button(words.useNone));
    expect(gateway.speaking.chosen).toMatchObject({ name: null });
    expect(note()).toContain(words.note.used_none);
    await click(button(words.undo));
    expect(gateway.speaking.chosen).toMatchObject({ name: "console.own-1" });
  });

  it("says that what was chosen is gone, and that there is no model", async () => {
    gateway.speaking.models = false;
    gateway.speaking.chosen = { name: "lost", author: "ada", at: "2026-03-12T11:00:00Z" };
    await open(HERE);
    expect(text(".blank-title")).toBe(words.goneTitle);
    gateway.speaking.chosen = null;
    await hears();
    expect(text(".manner-word")).toContain(words.noModels);
  });

  it("that did not work is said, with a way to try again", async () => {
    gateway.speaking.configured = null;
    await open(`${HERE}/teacher`);
    gateway.fail("PUT /choice", 503);
    await click(button(words.use));
    expect(note()).toContain("That did not work.");
    gateway.failures.clear();
    await click(button(words.again));
    expect(gateway.speaking.chosen).toMatchObject({ name: "teacher" });
    await click(button(words.reset("")));
    expect(gateway.speaking.chosen).toBeNull();
  });
});

describe("what a model is told", () => {
  it("is shown in each language, in its own direction", async () => {
    await open(HERE);
    await moment();
    await click(get("[name=manner-locale][value=he]"));
    expect(lines()).toBe("שמך Assistant.");
    expect(get(".manner-lines").dir).toBe("rtl");
  });

  it("that cannot be had is said", async () => {
    gateway.fail("POST /told", 503);
    await open(HERE);
    await moment();
    expect(text(".manner-told .error")).toContain("could not be put together");
    expect(get(".manner-told .error bdi").lang).toBe("en");
    gateway.failures.clear();
    await hears();
    await moment();
    expect(text(".manner-told .error")).toBe("");
    expect(lines()).toBe("Your name is Assistant.");
  });

  it("is never another personality's", async () => {
    await made("Ana");
    await moment();
    expect(lines()).toBe("Your name is Ana.");
    gateway.fail("POST /told", 503);
    await go(`${HERE}/teacher`);
    expect(lines()).toBe("");
    await moment();
    expect(lines()).toBe("");
    expect(text(".manner-told .error")).toContain("could not be put together");
    gateway.failures.clear();
    await go(`${HERE}/console.own-1`);
    expect(text(".manner-told .error")).toBe("");
    await moment();
    expect(lines()).toBe("Your name is Ana.");
  });

  it("is tried by a question, as it is written", async () => {
    await open(`${HERE}/teacher`);
    await press("t");
    expect(document.activeElement?.id).toBe("manner-question");
    const ask = async (question: string): Promise<void> => {
      await type("#manner-question", question);
      await click(button(words.trial.ask));
    };
    await ask("hello");
    expect(gateway.sent("POST", "/try")[0]?.body).toMatchObject({
      question: "hello",
      locale: "en",
      personality: TEACHER,
    });
    expect(text(".manner-answer")).toContain(words.trial.byModel("parrot"));
    expect(text(".manner-verdict")).toBe(words.trial.shown);
    await ask("known");
    expect(text(".manner-answer")).toContain(words.trial.byKnowledge);
    gateway.speaking.fallback = "A person will answer.";
    await ask("mute");
    expect(text(".manner-verdict")).toBe(words.trial.notShown(40));
    expect(text(".manner-answer")).toContain(words.trial.noReply);
    expect(text(".manner-fallback")).toContain("A person will answer.");
    gateway.fail("POST /try", 429);
    await ask("again");
    expect(text(".manner-trial .error")).not.toBe("");
  });
});
