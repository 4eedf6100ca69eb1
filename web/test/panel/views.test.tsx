// @vitest-environment happy-dom
import { render } from "preact";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Panel } from "../../src/panel/views/panel.tsx";
import { loadProse, Prose } from "../../src/panel/views/prose.tsx";
import { event, problem, sse } from "../trust/gateway.ts";
import { done, type Harness, panel, type Turn } from "./panel.ts";

let it_: Harness;
let root: HTMLElement;
let closed: number;

function mount(framed = true): void {
  const close = framed ? () => (closed += 1) : undefined;
  render(<Panel services={{ ...it_, close: close && (() => void close()) }} />, root);
}

function find<Kind extends Element = HTMLElement>(selector: string): Kind {
  const found = root.querySelector<Kind>(selector);
  if (!found) throw new Error(`no ${selector} in ${root.innerHTML}`);
  return found;
}

/** The button or link that says `words`. */
function named(words: string): HTMLElement {
  const all = [...root.querySelectorAll<HTMLElement>("button, a")];
  const found = all.find((one) =>
    (one.getAttribute("aria-label") ?? one.textContent)?.includes(words),
  );
  if (!found)
    throw new Error(`nothing says "${words}": ${all.map((one) => one.textContent).join(" | ")}`);
  return found;
}

const shown = () => root.textContent ?? "";
const see = (words: string) => vi.waitFor(() => expect(shown()).toContain(words));
const gone = (words: string) => vi.waitFor(() => expect(shown()).not.toContain(words));

function press(target: Element, key: string, fields: KeyboardEventInit = {}): void {
  target.dispatchEvent(
    new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...fields }),
  );
}

async function write(text: string): Promise<HTMLTextAreaElement> {
  const field = find<HTMLTextAreaElement>("textarea");
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  await new Promise((resolve) => setTimeout(resolve));
  return field;
}

async function ask(text: string): Promise<void> {
  press(await write(text), "Enter");
}

async function begin(): Promise<void> {
  mount();
  named("Without memory").click();
  await vi.waitFor(() => find("textarea"));
}

beforeEach(() => {
  it_ = panel();
  it_.loadPack();
  closed = 0;
  root = document.createElement("div");
  document.body.append(root);
});

afterEach(() => {
  vi.restoreAllMocks();
  render(null, root);
  root.remove();
});

describe("a message's text", () => {
  it("stands as it was written until its parser has come", async () => {
    const place = document.createElement("div");
    render(<Prose source="A **word**" />, place);
    expect(place.textContent).toBe("A **word**");
    await loadProse();
    await vi.waitFor(() => expect(place.querySelector("strong")?.textContent).toBe("word"));
  });
});

describe("beside an answer", () => {
  it("it says why, where that is asked", async () => {
    await begin();
    await ask("known?");
    await see("From the site's answers");
    const why = find<HTMLDetailsElement>(".why");
    expect(why.open).toBe(false);
    expect(why.textContent).toContain("Your question was not sent anywhere.");
    expect(why.textContent).toContain("How sure: 91%. Below 55%, a person is asked instead.");
  });

  it.each([
    ["low_confidence", "None of the answers that could be found was sure enough"],
    ["unsafe_input", "Your words read like an order to the language model"],
  ])("that is missing says why: %s", async (reason, words) => {
    const told = { reply: "", confidence: 0.1, escalate: true, reasons: [reason] };
    it_.gateway.answers.set("/v1/chat", () => sse([done(told)]));
    await begin();
    await ask("hm");
    await see("Why no answer?");
    expect(find(".why").textContent).toContain(words);
  });

  it("its text can be copied", async () => {
    const written: string[] = [];
    vi.spyOn(navigator.clipboard, "writeText").mockImplementation(async (text) => {
      written.push(text);
    });
    await begin();
    await ask("known?");
    await see("From the site's answers");
    named("Copy this answer").click();
    await see("Copied");
    expect(written).toEqual(["The **answer**."]);
  });

  it("its question can be taken up again, to be asked otherwise", async () => {
    await begin();
    await ask("known?");
    await see("From the site's answers");
    named("Edit and ask again").click();
    await vi.waitFor(() => expect(find<HTMLTextAreaElement>("textarea").value).toBe("known?"));
    expect(it_.lines()).toHaveLength(2);
  });

  it("a visitor with memory can say whether it helped", async () => {
    it_.gateway.answers.set("/v1/chat", () => sse([done({ reply: "Yes.", confidence: 0.9 })]));
    it_.gateway.answers.set("/v1/feedback", () => Response.json({}));
    mount();
    named("Remember me").click();
    await vi.waitFor(() => find("textarea"));
    await ask("hm");
    await see("Written by AI");
    expect(named("Not helpful").getAttribute("aria-pressed")).toBe("false");
    named("Not helpful").click();
    await vi.waitFor(() => expect(named("Not helpful").getAttribute("aria-pressed")).toBe("true"));
    await see("Thank you.");
  });
});

describe("an answer of a model", () => {
  it("stands with what the site wants said beside it, and its reasoning folded away", async () => {
    const told = { disclaimers: ["No legal advice."], reasoning: "First the **law**." };
    it_.gateway.answers.set("/v1/chat", () =>
      sse([done({ reply: "Yes.", confidence: 0.9, ...told } as Turn)]),
    );
    await begin();
    await ask("hm");
    await see("No legal advice.");
    const folded = [...root.querySelectorAll("details")].find(({ textContent }) =>
      textContent?.includes("First the law."),
    );
    expect(folded?.open).toBe(false);
    expect(folded?.querySelector("summary")?.textContent).toBe("How it came to this");
  });
});

describe("all that can be asked", () => {
  async function openList(): Promise<void> {
    named("Menu").click();
    await vi.waitFor(() => named("All answers").click());
    await vi.waitFor(() => find(".topics"));
  }

  it("is listed in the owner's order, searched, and asked by choosing", async () => {
    await begin();
    await openList();
    const listed = () =>
      [...root.querySelectorAll(".topics button")].map(({ textContent }) => textContent);
    expect(listed()).toEqual(["Where is the known café?", "Is it a known one?"]);
    const search = find<HTMLInputElement>("input[type=search]");
    search.value = "cafe";
    search.dispatchEvent(new Event("input", { bubbles: true }));
    await vi.waitFor(() => expect(listed()).toEqual(["Where is the known café?"]));
    named("Where is the known café?").click();
    await see("From the site's answers");
    expect(root.querySelector("dialog")).toBeNull();
  });

  it("says when it cannot be had", async () => {
    it_.knowledge.loading = Promise.reject(new Error("no network"));
    it_.knowledge.loading.catch(() => undefined);
    await begin();
    named("Menu").click();
    await vi.waitFor(() => named("All answers").click());
    await see("The answers could not be loaded");
  });
});

describe("what is kept", () => {
  async function openList(): Promise<void> {
    named("Menu").click();
    await vi.waitFor(() => named("What is kept here").click());
    await vi.waitFor(() => find("dialog.sheet"));
  }

  it("is shown, and searched without regard to case and accents", async () => {
    await begin();
    await ask("Is a café known?");
    await see("From the site's answers");
    await openList();
    const list = () => find("dialog.sheet").textContent ?? "";
    expect(list()).toContain("2 messages, on this page only");
    const search = find<HTMLInputElement>("input[type=search]");
    search.value = "CAFE";
    search.dispatchEvent(new Event("input", { bubbles: true }));
    await vi.waitFor(() => expect(list()).toContain("1 message found"));
    expect(root.querySelectorAll(".lines li")).toHaveLength(1);
    search.value = "tea";
    search.dispatchEvent(new Event("input", { bubbles: true }));
    await vi.waitFor(() => expect(list()).toContain("0 messages found"));
  });

  it("is nothing at first, and says so", async () => {
    await begin();
    await openList();
    expect(find("dialog.sheet").textContent).toContain("Nothing has been said yet.");
    expect(() => named("Save as text")).toThrow();
  });

  it("on the server can be had as a file, and it says when not", async () => {
    const saved: string[] = [];
    vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (
      this: HTMLAnchorElement,
    ) {
      saved.push(this.download);
    });
    await begin();
    await openList();
    it_.gateway.answers.set("/v1/export", () => problem(403));
    named("Save what the server holds").click();
    await see("The server could not be reached");
    expect(saved).toEqual([]);
    it_.gateway.answers.set("/v1/export", () => Response.json({ turns: [] }));
    named("Save what the server holds").click();
    await see("Saved.");
    expect(saved).toEqual(["held-by-the-server.json"]);
  });

  it("on the server comes page by page, and asking can be stopped", async () => {
    const saved: string[] = [];
    vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (
      this: HTMLAnchorElement,
    ) {
      saved.push(this.download);
    });
    await begin();
    await openList();
    const asked: unknown[] = [];
    it_.gateway.answers.set("/v1/export", ({ body }) => {
      asked.push(body.cursor);
      const page = Response.json({ turns: [{}, {}], next: "second" });
      return body.cursor === "second" ? new Response(new ReadableStream()) : page;
    });
    const button = named("Save what the server holds");
    button.click();
    await see("2 entries so far");
    await vi.waitFor(() => expect(asked).toEqual([null, "second"]));
    expect(button.textContent).toBe("Stop asking the server");
    button.click();
    await see("Stopped. Nothing was saved.");
    expect(button.textContent).toBe("Save what the server holds");
    expect(shown()).not.toContain("so far");
    expect(saved).toEqual([]);
  });
});

describe("a question back", () => {
  it("offers what may be meant, until something else is asked", async () => {
    it_.loadPack();
    await begin();
    await ask("close?");
    await see("Which one?");
    expect([...root.querySelectorAll(".chip")].map((chip) => chip.textContent)).toEqual([
      "Is it the known one?",
      "Is it another?",
      "None of these",
    ]);
    expect(shown()).not.toContain("From the knowledge base");
    expect(find("fieldset").textContent).toContain("Did you mean");
    named("Is it the known one?").focus();
    named("Is it the known one?").click();
    await see("The answer.");
    expect(root.querySelector(".chip")).toBeNull();
    await vi.waitFor(() => expect(document.activeElement).toBe(find("textarea")));
  });

  it("goes on to a person when it is none of them", async () => {
    it_.loadPack();
    await begin();
    await ask("close?");
    await see("None of these");
    named("None of these").click();
    await see("Not sure.");
    expect(it_.knowledge.requests.at(-1)).toMatchObject({ question: "close?", may_clarify: false });
  });
});

describe("the first screen", () => {
  it("asks before anything is stored, in plain words", () => {
    mount();
    expect(shown()).toContain("May this chat remember you on this device?");
    expect(root.querySelector("textarea")).toBeNull();
    expect(it_.storage.length).toBe(0);
  });

  it("leads to answers with memory", async () => {
    mount();
    find<HTMLInputElement>("input[type=checkbox]").click();
    named("Remember me").click();
    await vi.waitFor(() => find("textarea"));
    await vi.waitFor(() => expect(it_.state.keeping.value).toBe("kept"));
    expect(it_.state.consent.value).toEqual({ memory: true, training: true });
  });

  it("leads to answers without memory", async () => {
    await begin();
    expect(it_.storage.length).toBe(0);
    await ask("known?");
    await see("The answer.");
  });

  it("can be read in the visitor's language", async () => {
    mount();
    named("Language").click();
    await vi.waitFor(() => find("[role=menu]"));
    expect(find("[aria-checked=true]").textContent).toBe("English");
    named("עברית").click();
    await see("לפני שמתחילים");
  });
});

describe("a conversation", () => {
  it("begins with a greeting and questions to start with", async () => {
    await begin();
    expect(shown()).toContain("Hello. What would you like to know?");
    named("What is it?").click();
    await vi.waitFor(() => expect(it_.knowledge.asked).toEqual(["What is it?"]));
    await gone("Hello. What would you like");
  });

  it("says where an answer comes from and how sure it is", async () => {
    await begin();
    await ask("known?");
    await see("From the site's answers");
    expect(shown()).toContain("very sure");
    expect(find(".prose strong").textContent).toBe("answer");
    expect(find<HTMLAnchorElement>(".citations a").rel).toBe("noopener noreferrer nofollow");
    expect(find("[role=log]").getAttribute("aria-live")).toBe("polite");
  });

  it("shows the answer being made, and stops it", async () => {
    it_.gateway.answers.set("/v1/chat", () => sse([event("delta", { text: "Half **an" })], false));
    await begin();
    it_.knowledge.loading = new Promise(() => undefined);
    await ask("hm");
    await see("Looking for an answer");
    expect(find("article").getAttribute("aria-busy")).toBe("true");
    press(await write("meanwhile"), "Enter");
    expect(find<HTMLTextAreaElement>("textarea").value).toBe("meanwhile");
    named("Stop answering").click();
    await see("Stopped.");
  });

  it("shows the words as they come", async () => {
    it_.gateway.answers.set("/v1/chat", () => sse([event("delta", { text: "Half **an" })], false));
    await begin();
    await ask("hm");
    await vi.waitFor(() => expect(find(".growing strong").textContent).toBe("an"));
    named("Stop answering").click();
    await see("Written by AI");
    expect(root.querySelector(".growing")).toBeNull();
  });

  it("leaves Enter to the input method, and to Shift", async () => {
    await begin();
    const field = await write("known?");
    press(field, "Enter", { shiftKey: true });
    press(field, "Enter", { isComposing: true });
    expect(it_.knowledge.asked).toEqual([]);
    find<HTMLFormElement>("form").dispatchEvent(
      new Event("submit", { bubbles: true, cancelable: true }),
    );
    await see("The answer.");
    find<HTMLFormElement>("form").dispatchEvent(
      new Event("submit", { bubbles: true, cancelable: true }),
    );
    expect(it_.knowledge.asked).toEqual(["known?"]);
  });

  it("counts down to the longest question that can be sent", async () => {
    await begin();
    await write("x".repeat(3999));
    await see("1 character left");
  });

  it("runs each message in its own direction", async () => {
    await begin();
    await ask("known? שאלה בעברית, ארוכה מספיק");
    await see("The answer.");
    expect(find(".question").dir).toBe("rtl");
    expect(find(".answer .prose").dir).toBe("ltr");
  });

  it("copies code", async () => {
    const copied: string[] = [];
    const clipboard = { writeText: async (text: string) => void copied.push(text) };
    Object.defineProperty(navigator, "clipboard", { value: clipboard, configurable: true });
    const reply = "```\nmake run\n```";
    it_.gateway.answers.set("/v1/chat", () => sse([done({ reply, confidence: 0.6 })]));
    await begin();
    await ask("hm");
    await see("may be right");
    named("Copy").click();
    await see("Copied");
    expect(copied).toEqual(["make run"]);
    clipboard.writeText = () => Promise.reject(new Error("forbidden"));
    named("Copied").click();
    await see("Copied");
  });
});

describe("a person", () => {
  const reply =
    (content: string, author = "Dana") =>
    () => {
      const turn_id = it_.state.entries.value[0]?.turn_id;
      const created_at = new Date().toISOString();
      return sse([
        event("human_reply", { escalation_id: "e_1", turn_id, content, author, created_at }, 1),
        event("escalation_status", { escalation_id: "e_1", turn_id, status: "resolved" }, 2),
      ]);
    };

  it("is promised in a card, and answers in place", async () => {
    let answer: () => Response = () => new Response(null, { status: 204 });
    it_.gateway.answers.set("/v1/conversations/*", () => answer());
    await begin();
    await ask("hm");
    await see("A person will answer here");
    await see("Sent. Waiting for the team to pick it up.");
    expect(shown()).toContain("Keep this page open");
    expect(shown()).toContain("Did you mean this?");
    answer = reply("Yes, **we do**.");
    it_.replies.start();
    await vi.waitFor(() => {
      it_.replies.start();
      expect(shown()).toContain("Yes, we do.");
    });
    expect(find(".reply").getAttribute("aria-label")).toBe("Dana replied");
    expect(find(".reply time").getAttribute("datetime")).toMatch(/^\d{4}-/);
    await see("Answered and closed");
    expect(shown()).not.toContain("Did you mean");
  });

  it("who gives no name is the team", async () => {
    it_.gateway.answers.set("/v1/conversations/*", () => reply("Hello.", "")());
    await begin();
    await ask("hm");
    await see("The team");
  });

  it("is one click away from an answer", async () => {
    await begin();
    await ask("known?");
    await see("very sure");
    named("Ask a person").click();
    await see("A person will answer here");
    expect(it_.gateway.calls("/v1/escalations")[0]?.body.reason).toBe("visitor_asked");
  });

  it("is two clicks away from anywhere", async () => {
    await begin();
    named("Menu").click();
    await vi.waitFor(() => find("[role=menu]"));
    named("Ask a person").click();
    await see("This goes straight to a person.");
    named("Ask the chat instead").click();
    await gone("This goes straight");
    it_.state.toPerson.value = true;
    await see("This goes straight");
    await ask("Help, please");
    await see("A person will answer here");
    expect(it_.knowledge.asked).toEqual([]);
  });

  it("is not promised when the question could not be sent", async () => {
    it_.gateway.answers.set("/v1/escalations", () => problem(422));
    await begin();
    await ask("hm");
    await see("This could not be sent. Please ask again.");
    expect(shown()).not.toContain("A person will answer here");
  });
});

describe("what a visitor should know", () => {
  it("about the network: what works and what waits", async () => {
    await begin();
    await vi.waitFor(() => expect(it_.state.pack.value).toBe("ready"));
    it_.browser.online = false;
    it_.network.refresh();
    await see("Answers from the site still work");
    it_.state.pack.value = "failed";
    await see("You are offline. Questions wait");
    it_.browser.online = true;
    it_.network.failed();
    await see("The server cannot be reached");
    it_.network.succeeded();
    await gone("The server cannot");
  });

  it("about a refusal: what to do, with the means to do it", async () => {
    it_.gateway.answers.set("/v1/chat", () => problem(429, {}, { "Retry-After": "1" }));
    await begin();
    await ask("hm");
    await see("Please wait 1 second");
    it_.gateway.answers.set("/v1/chat", () => sse([done({ reply: "Yes.", confidence: 0.9 })]));
    await vi.waitFor(() => expect(named("Try again").hasAttribute("disabled")).toBe(false), 3000);
    named("Try again").click();
    await see("Yes.");
  });

  it("about a refusal for good: the gateway's own words", async () => {
    it_.gateway.answers.set("/v1/chat", () => problem(400, { detail: "Not like this." }));
    await begin();
    await ask("hm");
    await see("Not like this.");
  });

  it("about something that happened, until it is dismissed", async () => {
    await begin();
    it_.state.notice.value = "notice.refused";
    await see("works without memory");
    named("Dismiss").click();
    await gone("works without memory");
  });
});

describe("the menu", () => {
  const open = async () => {
    named("Menu").click();
    await vi.waitFor(() => find("[role=menu]"));
  };

  it("clears the conversation, after a question", async () => {
    await begin();
    await ask("hm");
    await see("Sent. Waiting");
    await open();
    named("Clear this conversation").click();
    await see("Clear this conversation?");
    expect(shown()).toContain("A reply that is still on its way");
    named("Cancel").click();
    await vi.waitFor(() => expect(root.querySelector("dialog")).toBeNull());
    expect(it_.lines()).toHaveLength(2);
    await open();
    named("Clear this conversation").click();
    await vi.waitFor(() => find("dialog"));
    find(".strong").click();
    await see("Hello. What would you like");
    expect(it_.lines()).toEqual([]);
  });

  it("turns memory on and off", async () => {
    await begin();
    await open();
    named("Remember on this device").click();
    await see("Memory is on, in this browser only.");
    await open();
    named("Turn memory off and forget").click();
    await see("Turn memory off?");
    find("dialog .strong").click();
    await see("Memory is off.");
    expect(it_.storage.length).toBe(0);
  });

  it("offers the answers for offline use where they were held back", async () => {
    it_ = panel();
    await begin();
    await open();
    named("Load the answers for use offline").click();
    await vi.waitFor(() => expect(it_.state.pack.value).toBe("ready"));
  });

  it("is worked by the keyboard", async () => {
    await begin();
    press(named("Language"), "x");
    expect(root.querySelector("[role=menu]")).toBeNull();
    press(named("Language"), "ArrowDown");
    await vi.waitFor(() => expect(document.activeElement?.textContent).toBe("English"));
    const menu = find("[role=menu]");
    press(menu, "ArrowDown");
    expect(document.activeElement?.textContent).toBe("Español");
    press(menu, "a");
    press(menu, "Escape");
    await vi.waitFor(() => expect(root.querySelector("[role=menu]")).toBeNull());
    expect(document.activeElement).toBe(named("Language"));
    named("Language").click();
    press(await vi.waitFor(() => find("[role=menu]")), "Tab");
    await vi.waitFor(() => expect(root.querySelector("[role=menu]")).toBeNull());
  });

  it("closes when the visitor turns to something else", async () => {
    await begin();
    await open();
    find("[role=menu]").dispatchEvent(new Event("pointerdown", { bubbles: true }));
    expect(root.querySelector("[role=menu]")).not.toBeNull();
    await vi.waitFor(() => {
      document.body.dispatchEvent(new Event("pointerdown", { bubbles: true }));
      expect(root.querySelector("[role=menu]")).toBeNull();
    });
  });

  it("is not there before the visitor has chosen, nor a way to close a page of its own", () => {
    mount(false);
    expect(() => named("Menu")).toThrow();
    expect(() => named("Close the chat")).toThrow();
  });

  it("leaves closing to the host page", () => {
    mount();
    named("Close the chat").click();
    expect(closed).toBe(1);
  });

  it("offers no language where the site has only one", () => {
    it_ = panel({ config: { ...it_.state.config, locales: ["en"] } });
    mount();
    expect(() => named("Language")).toThrow();
  });
});
