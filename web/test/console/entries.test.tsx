// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { strings } from "../../src/console/strings";
import { TOKEN } from "./gateway";
import { entry, site } from "./knowledge";
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

const { knowledge: words } = strings;
const ROOM = "#knowledge/site_demo";
const RETURNS = `${ROOM}/entries/en/returns`;
const questions = () => all(".row-question").map((row) => row.textContent);
const api = (method: string, ending: string) => gateway.sent(method, ending);

async function wait(ms: number): Promise<void> {
  gateway.pass(ms);
  await settle();
}

describe("the rooms", () => {
  it("are one click or one key apart, and each keeps its place", async () => {
    await open();
    await press("j");
    const inbox = location.hash;
    await press("2");
    expect(document.activeElement?.textContent).toBe(strings.bar.knowledge);
    expect(questions()).toEqual(["What is returns?", "What is shipping?"]);
    await press("j");
    expect(location.hash).toBe(RETURNS);
    await press("1");
    expect(location.hash).toBe(inbox);
    expect(get(".room[aria-current]").textContent).toBe(strings.bar.inbox);
    await click(all(".room")[1] as HTMLElement);
    expect(location.hash).toBe(RETURNS);
    await press("2");
    expect(location.hash).toBe(RETURNS);
  });

  it("count what is new in the inbox", async () => {
    await open(ROOM);
    gateway.items.push({
      ...gateway.items[0],
      id: `e_${"9".repeat(32)}`,
      created_at: "2026-03-12T12:00:00Z",
    });
    gateway.line.opens();
    gateway.line.says(`{"id":"e_${"9".repeat(32)}"}`);
    await settle();
    expect(text(".room .tally")).toContain("1");
  });

  it.each([
    ["sites", () => gateway.fail("GET /v1/knowledge", 503), words.failedTitle],
    ["desk", () => gateway.fail("GET /v1/knowledge", 404), words.absentTitle],
    ["none", () => (gateway.knowledge.sites = []), words.none],
  ])("say so when there is nothing to show: %s", async (_, prepare, title) => {
    prepare();
    await open(ROOM);
    expect(text(".blank-title")).toBe(title);
  });

  it("come back once the gateway answers", async () => {
    gateway.fail("GET /v1/knowledge", 503);
    await open(ROOM);
    gateway.failures.clear();
    await click(button(words.again));
    expect(questions()).toHaveLength(2);
  });

  it("say so when a link leads to another site", async () => {
    await open("#knowledge/site_gone");
    expect(text(".blank-title")).toBe(words.unknownSite);
  });

  it("ask for a log-in first, then go where the link led", async () => {
    gateway.loggedIn = false;
    await open(RETURNS);
    gateway.loggedIn = true;
    await console.session.check();
    await settle();
    expect(get<HTMLTextAreaElement>("#entry-question").value).toBe("What is returns?");
  });

  it("offer a choice where there are several sites", async () => {
    gateway.knowledge.sites.push(site({ site: "site_two", name: "Two" }));
    await open(RETURNS);
    const select = get<HTMLSelectElement>(".head select");
    select.value = "site_two";
    select.dispatchEvent(new Event("change", { bubbles: true }));
    await settle();
    expect(location.hash).toBe("#knowledge/site_two/entries");
    expect(text(".editor")).toContain(words.editor.none);
  });

  it("read again what was missed while the line was down", async () => {
    await open(ROOM);
    gateway.line.opens();
    gateway.line.breaks();
    gateway.knowledge.entries.push(entry("late"));
    gateway.line.opens();
    await settle();
    expect(questions()).toHaveLength(3);
  });
});

describe("the entries", () => {
  it("are searched once the typing pauses, and filtered at once", async () => {
    gateway.knowledge.entries.push(
      entry("returns", { locale: "es", question: "¿Cómo?" }),
      entry("wrap", { state: "new" }),
    );
    await open(ROOM);
    await type(".search input", "ship");
    expect(questions()).toHaveLength(4);
    await wait(250);
    expect(questions()).toEqual(["What is shipping?"]);
    expect(text(".search [role=status]")).toBe("1 entry");
    await click(button(strings.list.clearSearch));
    await wait(250);
    const select = get<HTMLSelectElement>(".filters select");
    select.value = "es";
    select.dispatchEvent(new Event("change", { bubbles: true }));
    await settle();
    expect(questions()).toEqual(["¿Cómo?"]);
    select.value = "";
    select.dispatchEvent(new Event("change", { bubbles: true }));
    await click(get(".filters input"));
    expect(questions()).toEqual(["What is wrap?"]);
    expect(text(".row .badge")).toBe(words.states.new);
  });

  it("say what to do when there are none", async () => {
    gateway.knowledge.entries = [];
    await open(ROOM);
    expect(text(".blank-title")).toBe(words.list.empty);
    await click(get(".filters input"));
    expect(text(".blank-title")).toBe(words.list.allPublished);
    await type(".search input", "x");
    await wait(250);
    expect(text(".blank-title")).toBe(words.list.noMatch);
    await type(".search input", "");
    await click(get(".filters input"));
    await click(get(".blank-deeds button"));
    expect(location.hash).toBe(`${ROOM}/entries/new`);
    expect(document.activeElement?.id).toBe("entry-question");
  });

  it("are as the gateway lists them, though an entry came first", async () => {
    for (const one of gateway.knowledge.entries) one.state = "changed";
    await open(RETURNS);
    expect(all(".row .badge")).toHaveLength(2);
    gateway.knowledge.finish();
    gateway.held = [];
    gateway.knowledge.entries.push(entry("late"));
    void console.knowledge.entries.load();
    void console.knowledge.editor.read();
    gateway.held.pop()?.();
    await settle();
    gateway.release();
    await settle();
    expect(all(".row .badge")).toHaveLength(0);
    expect(questions()).toHaveLength(3);
  });

  it("list an entry once that was made while they were read", async () => {
    await open(`${ROOM}/entries/new`);
    await type("#entry-question", "A question?");
    await type("#entry-answer", "An answer.");
    gateway.held = [];
    void console.knowledge.entries.load();
    await press("s", { ctrlKey: true });
    gateway.held.pop()?.();
    await settle();
    gateway.release();
    await settle();
    expect(questions()).toEqual(["A question?", "What is returns?", "What is shipping?"]);
    expect(console.knowledge.entries.page.value.value?.total).toBe(3);
  });

  it("are loaded page by page", async () => {
    gateway.knowledge.pageSize = 1;
    await open(ROOM);
    expect(text(".list-end")).toBe("1 of 2 entries");
    await click(button(words.list.more));
    expect(questions()).toHaveLength(2);
    gateway.fail("GET /entries", 503);
    await console.knowledge.entries.load();
    await settle();
    expect(text(".list-stale")).toContain(words.list.failed);
    gateway.failures.clear();
    await click(button(words.again));
    expect(all(".list-stale")).toHaveLength(0);
  });

  it("wait, fail and are tried again in plain sight", async () => {
    gateway.fail("GET /entries", 503);
    await open(ROOM);
    expect(text(".list .blank-title")).toBe(words.list.failed);
    gateway.failures.clear();
    await click(button(words.again));
    expect(questions()).toHaveLength(2);
  });

  it("are walked through with the keyboard", async () => {
    await open(ROOM);
    await press("j");
    await press("j");
    expect(text("[aria-current] .row-question")).toBe("What is shipping?");
    await press("k");
    expect(document.activeElement?.getAttribute("href")).toBe(RETURNS);
    await press("/");
    expect(document.activeElement?.getAttribute("aria-label")).toBe(words.list.search);
    await press("Escape");
    await press("t");
    expect(document.activeElement?.getAttribute("aria-label")).toBe(words.trial.field);
    await press("Escape");
    await press("Escape");
    expect(location.hash).toBe(`${ROOM}/entries`);
    expect(document.activeElement?.getAttribute("href")).toBe(RETURNS);
    await press("n");
    expect(location.hash).toBe(`${ROOM}/entries/new`);
    await go(`${ROOM}/check`);
    await press("j");
    expect(location.hash).toBe(`${ROOM}/check`);
  });
});

describe("an entry", () => {
  it("opens from its address with all it has", async () => {
    gateway.knowledge.entries[0] = entry("returns", {
      variants: ["send back"],
      links: [{ title: "Form", url: "https://a.example/" }],
      tags: ["orders", "starter"],
      escalate: true,
      state: "changed",
      author: "ada",
      at: "2026-03-12T11:57:00Z",
      history: [{ at: "2026-03-12T11:57:00Z", author: "ada", action: "edited" }],
      file: { question: "Old?", answer: "Old." },
    });
    await open(RETURNS);
    expect(get<HTMLInputElement>("[aria-label='Way to ask 1']").value).toBe("send back");
    expect(get<HTMLInputElement>("#entry-tags").value).toBe("orders, starter");
    expect(get<HTMLInputElement>(".switch").checked).toBe(true);
    expect(text(".answer-preview strong")).toBe("returns");
    expect(text(".entry-when")).toContain("Saved 3 minutes ago by ada");
    expect(text(".history")).toContain("ada edited 3 minutes ago");
    expect(text(".history-file")).toContain("Old?");
    expect(document.title).toBe("Knowledge · Fanlight console");
    expect(document.activeElement?.tagName).toBe("H2");
    await click(button(words.skip));
    expect(document.activeElement?.tagName).toBe("H2");
    await click(button(words.editor.useText));
    expect(get<HTMLTextAreaElement>("#entry-answer").value).toBe("Old.");
  });

  it("that is not there is said so, and one that fails is tried again", async () => {
    await open(`${ROOM}/entries/en/gone`);
    expect(text(".editor .blank")).toContain(words.editor.gone);
    gateway.fail("GET /entries/en/x", 503);
    gateway.fail("GET x/en", 503);
    await go(`${ROOM}/entries/en/x`);
    expect(text(".editor .blank")).toContain(strings.trouble.broken);
    gateway.failures.clear();
    gateway.knowledge.entries.push(entry("x"));
    await click(button(words.again));
    expect(get<HTMLTextAreaElement>("#entry-question").value).toBe("What is x?");
  });

  it("is saved as a draft, and the save can be undone", async () => {
    await open(RETURNS);
    await type("#entry-answer", "Now *better*.");
    expect(text(".entry-when")).toBe(words.editor.unsaved);
    expect(text(".answer-preview em")).toBe("better");
    expect(text(".row[aria-current] .badge")).toBe(words.list.unsaved);
    await press("s", { ctrlKey: true });
    expect(api("PUT", "/returns/en")[0]?.body).toMatchObject({ answer: "Now *better*." });
    expect(text(".note")).toContain(words.note.saved);
    expect(text(".publish-state")).toBe("1 unpublished change");
    await click(button(words.undo));
    expect(get<HTMLTextAreaElement>("#entry-answer").value).toBe("About **returns**.");
    expect(text(".note")).toContain(words.note.undone);
    await wait(6_000);
    expect(all(".note")).toHaveLength(0);
  });

  it("that is opened beyond what is listed is not listed as new", async () => {
    gateway.knowledge.pageSize = 1;
    await open(`${ROOM}/entries/en/shipping`);
    expect(get<HTMLTextAreaElement>("#entry-question").value).toBe("What is shipping?");
    expect(questions()).toEqual(["What is returns?"]);
  });

  it("that cannot be saved keeps its text and says why", async () => {
    await open(RETURNS);
    await type("#entry-question", "Another?");
    gateway.fail("PUT /returns/en", 422, { detail: "Too long", remedy: "Shorten it." });
    await click(button(words.editor.save));
    expect(text(".entry-error")).toBe(words.editor.notSaved("Too long. Shorten it."));
    expect(get<HTMLTextAreaElement>("#entry-question").value).toBe("Another?");
  });

  it("is not sent while something is missing, and the focus goes there", async () => {
    await open(`${ROOM}/entries/new`);
    await type("#entry-answer", "An answer.");
    await click(button(words.editor.save));
    expect(document.activeElement?.id).toBe("entry-question");
    expect(text("#entry-question-error")).toBe(words.editor.questionMissing);
    await type("#entry-question", "A question?");
    expect(text("#entry-question-error")).toBe("");
    await click(button(words.editor.addLink));
    await type("[aria-label='Address of link 1']", "javascript:alert(1)");
    await type("[aria-label='Title of link 1']", "Here");
    await press("s", { metaKey: true });
    expect(document.activeElement?.getAttribute("aria-label")).toBe("Address of link 1");
    expect(text("#links-error")).toBe(words.editor.linkWrong);
    await click(button(words.editor.removeLink("Here")));
    await click(button(words.editor.save));
    expect(api("POST", "/entries")[0]?.body).toMatchObject({ locale: "en", links: [] });
    expect(location.hash).toBe(`${ROOM}/entries/en/a-question-`);
    await click(button(words.undo));
    expect(location.hash).toBe(`${ROOM}/entries/new`);
    expect(gateway.knowledge.entries).toHaveLength(2);
    expect(get<HTMLTextAreaElement>("#entry-answer").value).toBe("An answer.");
  });

  it("keeps the focus, and what is typed on, when it is saved the first time", async () => {
    await open(`${ROOM}/entries/new`);
    await type("#entry-question", "A question?");
    await type("#entry-answer", "An ans");
    get("#entry-answer").focus();
    gateway.held = [];
    await press("s", { ctrlKey: true });
    await type("#entry-answer", "An answer.");
    gateway.release();
    await settle();
    expect(document.activeElement?.id).toBe("entry-answer");
    expect(get<HTMLTextAreaElement>("#entry-answer").value).toBe("An answer.");
    expect(text(".entry-when")).toBe(words.editor.unsaved);
    await click(button(words.undo));
    expect(get<HTMLTextAreaElement>("#entry-answer").value).toBe("An answer.");
    expect(location.hash).toBe(`${ROOM}/entries/new`);
  });

  it("loses no word to an undo", async () => {
    await open(RETURNS);
    await type("#entry-answer", "One.");
    await press("s", { ctrlKey: true });
    await press("s", { ctrlKey: true });
    expect(api("PUT", "/returns/en")).toHaveLength(1);
    await type("#entry-answer", "One. Two.");
    await click(button(words.undo));
    expect(get<HTMLTextAreaElement>("#entry-answer").value).toBe("One. Two.");
  });

  it("is the one that the word on its save takes back", async () => {
    await open(RETURNS);
    await type("#entry-answer", "New.");
    gateway.held = [];
    await press("s", { ctrlKey: true });
    await go(`${ROOM}/entries/en/shipping`);
    gateway.release();
    await settle();
    await click(button(words.undo));
    expect(api("POST", "/undo").map(({ path }) => path)).toEqual([
      "/v1/knowledge/site_demo/entries/returns/en/undo",
    ]);
  });

  it("that is taken back is written again, whatever is open or begun by then", async () => {
    await open(`${ROOM}/entries/new`);
    await type("#entry-question", "A question?");
    await type("#entry-answer", "An answer.");
    await press("s", { ctrlKey: true });
    await go(`${ROOM}/entries/new`);
    await type("#entry-question", "Another?");
    await go(`${ROOM}/entries/en/shipping`);
    await click(button(words.undo));
    expect(location.hash).toBe(`${ROOM}/entries/new`);
    expect(get<HTMLTextAreaElement>("#entry-question").value).toBe("A question?");
    expect(get<HTMLTextAreaElement>("#entry-answer").value).toBe("An answer.");
    expect(text(".note")).toContain(words.note.put_aside);
    await click(button(words.undo));
    expect(get<HTMLTextAreaElement>("#entry-question").value).toBe("Another?");
  });

  it("of one site is saved there, though another site is shown by then", async () => {
    gateway.knowledge.sites.push(site({ site: "site_two", name: "Two" }));
    const ELSEWHERE = "#knowledge/site_two/entries/en/returns";
    await open(ELSEWHERE);
    await type("#entry-answer", "Mine, of two.");
    await go(RETURNS);
    await type("#entry-answer", "One.");
    gateway.held = [];
    await press("s", { ctrlKey: true });
    await type("#entry-answer", "One. Two.");
    await go(ELSEWHERE);
    gateway.release();
    await settle();
    expect(api("PUT", "/site_demo/entries/returns/en")).toHaveLength(1);
    expect(all(".note")).toHaveLength(0);
    expect(get<HTMLTextAreaElement>("#entry-answer").value).toBe("Mine, of two.");
    await go(RETURNS);
    expect(get<HTMLTextAreaElement>("#entry-answer").value).toBe("One. Two.");
  });

  it("that cannot be saved says so, but not of the entry that is open by then", async () => {
    await open(RETURNS);
    await type("#entry-answer", "New.");
    gateway.fail("PUT /returns/en", 422, { detail: "Too long" });
    gateway.held = [];
    await press("s", { ctrlKey: true });
    await go(`${ROOM}/entries/en/shipping`);
    gateway.release();
    await settle();
    expect(text(".entry-error")).toBe("");
    expect(text(".note-bad")).toContain("Too long.");
  });

  describe("that somebody else changed meanwhile", () => {
    const BODY = { question: "What is returns?", answer: "Theirs.", variants: ["of theirs"] };
    const PATH = "/v1/knowledge/site_demo/entries/returns/en";

    async function collide(): Promise<void> {
      await open(RETURNS);
      await type("#entry-answer", "Mine.");
      gateway.knowledge.operator = "grace";
      gateway.knowledge.answer("PUT", PATH, new URLSearchParams(), BODY);
      gateway.knowledge.operator = "ada";
      await press("s", { ctrlKey: true });
    }

    it("keeps both texts, and says whose the other is", async () => {
      await collide();
      expect(gateway.knowledge.entries[0]?.answer).toBe("Theirs.");
      expect(get<HTMLTextAreaElement>("#entry-answer").value).toBe("Mine.");
      const alerts = all(".entry [role=alert]").map((alert) => alert.textContent);
      expect(alerts.join("")).toBe(words.editor.changedBy("grace"));
      expect(get("#theirs").hidden).toBe(true);
      await click(button(words.editor.seeTheirs));
      expect(get("#theirs").hidden).toBe(false);
      expect(text("#theirs")).toContain("Theirs.");
      expect(text("#theirs")).toContain("of theirs");
      gateway.fail("PUT /returns/en", 503);
      await press("s", { ctrlKey: true });
      expect(text(".entry-error")).toBe(words.editor.notSaved(strings.trouble.broken));
      gateway.failures.clear();
      await press("s", { ctrlKey: true });
      expect(gateway.knowledge.entries[0]?.answer).toBe("Theirs.");
      await click(button(words.editor.discard));
      expect(get<HTMLTextAreaElement>("#entry-answer").value).toBe("Theirs.");
      expect(all(".entry-behind")).toHaveLength(0);
      await click(button(words.undo));
      expect(all(".entry-behind")).toHaveLength(1);
    });

    it("is saved over theirs where that is wanted, and theirs stays in the history", async () => {
      await collide();
      await click(button(words.editor.saveMine));
      expect(gateway.knowledge.entries[0]?.answer).toBe("Mine.");
      expect(all(".entry-behind")).toHaveLength(0);
      expect(document.activeElement?.tagName).toBe("H2");
      const theirs = all(".timeline .history-file").find((one) =>
        one.textContent?.includes("Theirs."),
      );
      theirs?.querySelector("button")?.click();
      await settle();
      expect(get<HTMLTextAreaElement>("#entry-answer").value).toBe("Theirs.");
      await press("s", { ctrlKey: true });
      expect(gateway.knowledge.entries[0]?.answer).toBe("Theirs.");
    });

    it("is not one's own doing", async () => {
      await open(RETURNS);
      await type("#entry-answer", "One.");
      await press("s", { ctrlKey: true });
      await type("#entry-answer", "One. Two.");
      await click(button(words.undo));
      expect(all(".entry-behind")).toHaveLength(0);
      await press("s", { ctrlKey: true });
      expect(gateway.knowledge.entries[0]?.answer).toBe("One. Two.");
    });

    it("is what the gateway says where the entry cannot be read", async () => {
      await open(RETURNS);
      await type("#entry-answer", "Mine.");
      gateway.fail("PUT /returns/en", 409, { type: "x/entry-changed", detail: "It was changed" });
      await press("s", { ctrlKey: true });
      expect(text(".entry-error")).toBe(words.editor.notSaved("It was changed."));
    });
  });

  it("keeps unsaved text while others are looked at", async () => {
    await open(RETURNS);
    await type("#entry-question", "Mine?");
    await press("Escape");
    await go(`${ROOM}/entries/en/shipping`);
    await go(RETURNS);
    expect(get<HTMLTextAreaElement>("#entry-question").value).toBe("Mine?");
    const leaving = new Event("beforeunload", { cancelable: true });
    window.dispatchEvent(leaving);
    expect(leaving.defaultPrevented).toBe(true);
    await click(button(words.editor.discard));
    expect(get<HTMLTextAreaElement>("#entry-question").value).toBe("What is returns?");
    await click(button(words.undo));
    expect(get<HTMLTextAreaElement>("#entry-question").value).toBe("Mine?");
  });

  it("does not keep what is no difference", async () => {
    await open(RETURNS);
    await type("#entry-tags", " ");
    await go(`${ROOM}/entries`);
    expect(console.hasUnsaved()).toBe(false);
  });

  it("that was begun stays in the list, and is put aside for another", async () => {
    await open(`${ROOM}/entries/new`);
    await type("#entry-question", "First?");
    await go(`${ROOM}/entries`);
    expect(questions()[0]).toBe("First?");
    console.knowledge.editor.begin({ question: "Second?" });
    await settle();
    expect(get<HTMLTextAreaElement>("#entry-question").value).toBe("Second?");
    await click(button(words.undo));
    expect(get<HTMLTextAreaElement>("#entry-question").value).toBe("First?");
    await click(button(words.editor.discard));
    expect(location.hash).toBe(`${ROOM}/entries`);
  });

  it("is removed without a question, and put back", async () => {
    await open(RETURNS);
    await click(button(words.editor.remove));
    expect(document.activeElement?.tagName).toBe("H2");
    expect(text(".entry-removed")).toContain(words.editor.removedNote);
    await click(button(words.editor.putBack));
    expect(all(".entry-removed")).toHaveLength(0);
    expect(text(".note")).toContain(words.note.restored);
    await click(button(words.editor.remove));
    await click(button(words.undo));
    expect(all(".badge-removed")).toHaveLength(0);
  });

  it("that was new is gone, and comes back", async () => {
    gateway.knowledge.entries.push(entry("wrap", { state: "new" }));
    await open(`${ROOM}/entries/en/wrap`);
    await type("#entry-answer", "Half a");
    await click(button(words.editor.remove));
    expect(location.hash).toBe(`${ROOM}/entries`);
    expect(text(".note")).toContain(words.note.dropped);
    await click(button(words.undo));
    expect(location.hash).toBe(`${ROOM}/entries/en/wrap`);
    expect(questions()).toContain("What is wrap?");
    expect(get<HTMLTextAreaElement>("#entry-answer").value).toBe("Half a");
  });

  it("says when it could not be removed, and tries again", async () => {
    gateway.fail("DELETE /returns/en", 503);
    await open(RETURNS);
    await click(button(words.editor.remove));
    expect(text(".note-bad")).toContain(strings.trouble.broken);
    gateway.failures.clear();
    await click(button(words.again));
    expect(text(".entry-removed")).toContain(words.editor.removedNote);
    expect(text(".note")).toContain(words.note.removed);
    await click(button(strings.trouble.dismiss));
    expect(all(".note")).toHaveLength(0);
  });

  it("is written in another language of the site", async () => {
    gateway.knowledge.entries[0] = entry("returns", { tags: ["orders"] });
    await open(RETURNS);
    await click(button(words.editor.translate("Spanish")));
    expect(location.hash).toBe(`${ROOM}/entries/es/returns`);
    expect(get<HTMLInputElement>("#entry-tags").value).toBe("orders");
    await type("#entry-question", "¿Qué?");
    await type("#entry-answer", "Eso.");
    await click(button(words.editor.save));
    expect(api("POST", "/entries")[0]?.body).toMatchObject({ id: "returns", locale: "es" });
    expect(get(".languages [aria-current]").textContent).toBe("Spanish");
    for (const label of [words.undo, words.editor.undo]) {
      await click(button(label));
      expect(location.hash).toBe(`${ROOM}/entries/es/returns`);
      expect(get<HTMLTextAreaElement>("#entry-question").value).toBe("¿Qué?");
      await click(button(words.editor.save));
      expect(api("POST", "/entries").at(-1)?.body).toMatchObject({ id: "returns", locale: "es" });
    }
  });

  it("that is new chooses its language", async () => {
    await open(`${ROOM}/entries/new`);
    const select = get<HTMLSelectElement>("#entry-language");
    select.value = "es";
    select.dispatchEvent(new Event("change", { bubbles: true }));
    await settle();
    expect(console.knowledge.editor.form.value?.locale).toBe("es");
  });

  it("of the chat itself says that no question finds it", async () => {
    gateway.knowledge.entries[0] = entry("returns", { tags: ["system:greeting"] });
    await open(RETURNS);
    expect(text(".entry-system")).toBe(words.editor.system);
    expect(text(".row-facts")).toContain(words.list.system);
    expect(all(".lines legend").map((one) => one.textContent)).toEqual([words.editor.links]);
  });

  it("keeps its text through a session that ends", async () => {
    await open(RETURNS);
    await type("#entry-answer", "Half a");
    gateway.loggedIn = false;
    await press("s", { ctrlKey: true });
    expect(text(".door-lead")).toBe(strings.login.ended);
    await logIn(TOKEN);
    expect(get<HTMLTextAreaElement>("#entry-answer").value).toBe("Half a");
  });

  it("is hidden from another operator", async () => {
    await open(RETURNS);
    await type("#entry-question", "Mine?");
    await click(button(strings.bar.logOut));
    expect(console.hasUnsaved()).toBe(false);
  });
});

describe("the other ways to ask", () => {
  const lines = () => all("[aria-label^='Way to ask']") as HTMLInputElement[];

  it("grow and shrink under the keyboard", async () => {
    await open(RETURNS);
    await click(button(words.editor.addVariant));
    expect(document.activeElement).toBe(lines()[0]);
    await press("Enter");
    expect(lines()).toHaveLength(1);
    await type("[aria-label='Way to ask 1']", "one");
    await press("Enter");
    expect(document.activeElement).toBe(lines()[1]);
    await press("Backspace");
    expect(document.activeElement).toBe(lines()[0]);
    await click(button(words.editor.removeVariant("one")));
    expect(lines()).toHaveLength(0);
    expect(document.activeElement?.textContent).toContain(words.editor.addVariant);
  });

  it("take several lines at once", async () => {
    await open(RETURNS);
    await click(button(words.editor.addVariant));
    const paste = async (value: string): Promise<void> => {
      const event = new Event("paste", { bubbles: true, cancelable: true });
      Object.assign(event, { clipboardData: { getData: () => value } });
      document.activeElement?.dispatchEvent(event);
      await settle();
    };
    await paste("just one");
    expect(lines()).toHaveLength(1);
    await paste("one\ntwo\n\nthree");
    expect(lines().map((line) => line.value)).toEqual(["one", "two", "three"]);
    await paste("four\nfive");
    expect(lines()).toHaveLength(5);
    await press("s", { ctrlKey: true });
    expect(api("PUT", "/returns/en")[0]?.body.variants).toEqual([
      "one",
      "two",
      "three",
      "four",
      "five",
    ]);
  });
});
