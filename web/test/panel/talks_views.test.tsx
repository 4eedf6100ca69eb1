// @vitest-environment happy-dom
/** The list of conversations, the ways to a new one, and a list that cannot be fetched. */
import { render } from "preact";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PanelContext } from "../../src/panel/views/context.ts";
import { later } from "../../src/panel/views/later.tsx";
import { Panel } from "../../src/panel/views/panel.tsx";
import { talksOf } from "../../src/vault/talks.ts";
import { titleOf } from "../../src/vault/titles.ts";
import { event, sse } from "../trust/gateway.ts";
import { type Harness, panel } from "./panel.ts";

let it_: Harness;
let root: HTMLElement;

function find<Kind extends Element = HTMLElement>(selector: string): Kind {
  const found = root.querySelector<Kind>(selector);
  if (!found) throw new Error(`no ${selector} in ${root.innerHTML}`);
  return found;
}

/** The button that says `words`. */
function named(words: string): HTMLElement {
  const all = [...root.querySelectorAll<HTMLElement>("button")];
  const found = all.find((one) =>
    (one.getAttribute("aria-label") ?? one.textContent)?.includes(words),
  );
  if (!found) throw new Error(`nothing says "${words}": ${root.innerHTML}`);
  return found;
}

const shown = () => root.textContent ?? "";
const see = (words: string) => vi.waitFor(() => expect(shown()).toContain(words));
const gone = (words: string) => vi.waitFor(() => expect(shown()).not.toContain(words));
const rows = () => [...root.querySelectorAll(".talks li")].map(({ textContent }) => textContent);
const titles = () => talksOf(it_.vault.kept).map(titleOf);

async function fromMenu(words: string): Promise<void> {
  named("Menu").click();
  await vi.waitFor(() => named(words).click());
}

async function openList(): Promise<void> {
  await fromMenu("Conversations");
  await vi.waitFor(() => find("dialog.sheet"));
}

/** What a person says in the conversation that a turn stands in. */
function reply(conversation_id: string, turn_id: string): void {
  const created_at = new Date().toISOString();
  const data = { escalation_id: "e_1", turn_id, conversation_id, content: "Yes.", author: "Dana" };
  it_.gateway.answers.set("/v1/conversations/*", () =>
    sse([
      event("human_reply", { ...data, created_at }, 1),
      event("escalation_status", { ...data, status: "resolved" }, 2),
    ]),
  );
  it_.replies.start();
}

beforeEach(async () => {
  it_ = panel();
  it_.loadPack();
  await it_.memory.decline();
  root = document.createElement("div");
  document.body.append(root);
  render(<Panel services={{ ...it_, close: undefined }} />, root);
});

afterEach(() => {
  render(null, root);
  root.remove();
});

describe("a new chat", () => {
  it("is begun from the menu, and the field has the focus", async () => {
    await it_.conversation.ask("known one");
    await see("known one");
    await fromMenu("New chat");
    await see("Hello. What would you like to know?");
    await vi.waitFor(() => expect(document.activeElement).toBe(find("textarea")));
    expect(titles()).toEqual([undefined, "known one"]);
  });

  it("is offered where a person has answered and closed, and not before", async () => {
    await it_.conversation.tell("hm");
    await see("Sent. Waiting");
    expect(() => named("New chat")).toThrow();
    reply(it_.vault.kept.conversation_id, it_.state.entries.value[0]?.turn_id ?? "");
    await see("Answered and closed");
    named("New chat").click();
    await see("Hello. What would you like to know?");
  });
});

describe("the list of conversations", () => {
  async function withTwo(): Promise<void> {
    await it_.conversation.ask("known one");
    await it_.talks.begin();
    await it_.conversation.ask("known two");
    await see("known two");
    await openList();
  }

  it("says that there are none yet", async () => {
    await openList();
    await see("No conversations yet.");
    named("New chat").click();
    await vi.waitFor(() => expect(root.querySelector("dialog")).toBeNull());
  });

  it("has the newest first, says which is open, and opens another one", async () => {
    await withTwo();
    expect(rows().map((row) => row?.slice(0, 9))).toEqual(["known two", "known one"]);
    expect(rows()[0]).toContain("Open now");
    expect(find(".talks [aria-current=true]").textContent).toContain("known two");
    named("known one").click();
    await vi.waitFor(() => expect(root.querySelector("dialog")).toBeNull());
    await vi.waitFor(() => expect(find(".question").textContent).toContain("known one"));
    await vi.waitFor(() => expect(document.activeElement).toBe(find("textarea")));
  });

  it("has each named: Enter saves, Escape leaves it, and the focus stays in its row", async () => {
    await withTwo();
    named("Rename “known one”").click();
    const field = await vi.waitFor(() => find<HTMLInputElement>(".talks input"));
    expect(field.value).toBe("known one");
    field.value = "My parcel";
    find("form.naming").dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
    await vi.waitFor(() => expect(titles()).toEqual(["known two", "My parcel"]));
    await vi.waitFor(() =>
      expect(document.activeElement?.getAttribute("aria-label")).toBe("Rename “My parcel”"),
    );
    named("Rename “My parcel”").click();
    const again = await vi.waitFor(() => find<HTMLInputElement>(".talks input"));
    again.value = "Not this";
    again.dispatchEvent(
      new KeyboardEvent("keydown", { key: "a", bubbles: true, cancelable: true }),
    );
    const leave = new KeyboardEvent("keydown", { key: "Escape", bubbles: true, cancelable: true });
    again.dispatchEvent(leave);
    expect(leave.defaultPrevented).toBe(true);
    await vi.waitFor(() => expect(root.querySelector(".talks input")).toBeNull());
    expect(titles()).toEqual(["known two", "My parcel"]);
    expect(root.querySelector("dialog")).not.toBeNull();
  });

  it("deletes one and takes it back, and the focus goes to what can be done next", async () => {
    await withTwo();
    named("Delete “known one”").click();
    await see("“known one” is deleted.");
    await vi.waitFor(() => expect(document.activeElement?.textContent).toBe("Undo"));
    expect(titles()).toEqual(["known two"]);
    named("Undo").click();
    await gone("is deleted");
    expect(titles()).toEqual(["known two", "known one"]);
    await vi.waitFor(() => expect(document.activeElement?.textContent).toContain("known one"));
  });

  it("deletes the open one, too, which is open again when it is taken back", async () => {
    await withTwo();
    named("Delete “known two”").click();
    await see("“known two” is deleted.");
    expect(it_.lines()).toEqual([]);
    named("Undo").click();
    await gone("is deleted");
    expect(titles()).toEqual(["known two", "known one"]);
  });

  it("says where a person is to answer, and that a reply on its way goes with it", async () => {
    await it_.conversation.tell("hm");
    await see("Sent. Waiting");
    await openList();
    expect(rows()[0]).toContain("Waiting for a person");
    named("Delete “hm”").click();
    await see("A reply that is still on its way will not appear here.");
  });

  it("says where a person has replied, which the menu and the conversation say as well", async () => {
    await it_.conversation.tell("first");
    await vi.waitFor(() => expect(it_.lines()[1]?.[2]).toBe("queued"));
    const { conversation_id } = it_.vault.kept;
    const turnId = it_.state.entries.value[0]?.turn_id ?? "";
    await it_.talks.begin();
    reply(conversation_id, turnId);
    await see("New reply in another conversation");
    await fromMenu("Conversations (1)");
    await vi.waitFor(() => expect(rows()[0]).toContain("1 new reply"));
    find("dialog [name=open]").click();
    await see("Dana");
    await gone("New reply in another conversation");
    expect(it_.state.unread.value).toBe(0);
  });

  it("is left by the shortest way: the conversation tells of the reply, and opens it", async () => {
    await it_.conversation.tell("first");
    await vi.waitFor(() => expect(it_.lines()[1]?.[2]).toBe("queued"));
    const { conversation_id } = it_.vault.kept;
    const turnId = it_.state.entries.value[0]?.turn_id ?? "";
    await it_.talks.begin();
    reply(conversation_id, turnId);
    await see("New reply in another conversation");
    named("New reply in another conversation").click();
    await see("Dana");
  });
});

describe("what is kept", () => {
  it("covers every conversation, each under its title", async () => {
    await it_.conversation.ask("known one");
    await it_.talks.begin();
    await it_.conversation.ask("known two");
    await fromMenu("What is kept here");
    await vi.waitFor(() => find("dialog.sheet"));
    expect(find("dialog").textContent).toContain("4 messages, on this page only");
    const heads = [...root.querySelectorAll(".lines h3")].map(({ textContent }) => textContent);
    expect(heads).toEqual(["known two", "known one"]);
    const search = find<HTMLInputElement>("input[type=search]");
    search.value = "one";
    search.dispatchEvent(new Event("input", { bubbles: true }));
    await vi.waitFor(() => expect(root.querySelectorAll(".lines h3")).toHaveLength(1));
  });
});

describe("a list that cannot be fetched", () => {
  it("says so and is tried again, until it is there", async () => {
    render(null, root);
    const View = ({ onClose }: { onClose: () => void }) => (
      <button type="button" onClick={onClose}>
        Here it is
      </button>
    );
    let tries = 0;
    const Late = later(async () => {
      tries += 1;
      if (tries < 3) throw new TypeError("Failed to fetch dynamically imported module");
      return View;
    });
    let closed = 0;
    render(
      <PanelContext.Provider value={{ ...it_, close: undefined }}>
        <Late onClose={() => (closed += 1)} />
      </PanelContext.Provider>,
      root,
    );
    await see("This could not be loaded");
    named("Try again").click();
    await vi.waitFor(() => expect(tries).toBe(2));
    await see("This could not be loaded");
    expect(closed).toBe(0);
    named("Try again").click();
    await see("Here it is");
    expect(shown()).not.toContain("This could not be loaded");
  });

  it("is given up by who does not want to", async () => {
    render(null, root);
    const Late = later(() => Promise.reject(new TypeError("no network")));
    let closed = 0;
    render(
      <PanelContext.Provider value={{ ...it_, close: undefined }}>
        <Late onClose={() => (closed += 1)} />
      </PanelContext.Provider>,
      root,
    );
    await see("It needs a connection the first time");
    named("Cancel").click();
    await vi.waitFor(() => expect(closed).toBe(1));
  });
});
