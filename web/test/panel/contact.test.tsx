// @vitest-environment happy-dom
import { render } from "preact";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { contactOf, turnToOffer } from "../../src/panel/contact.ts";
import { Panel } from "../../src/panel/views/panel.tsx";
import type { Entry, Escalation } from "../../src/vault/entry.ts";
import { problem } from "../trust/gateway.ts";
import { type Harness, panel } from "./panel.ts";

describe("a contact", () => {
  it.each([
    ["dana@example.com", "dana@example.com"],
    ["  dana.k+shop@mail.example.co.uk ", "dana.k+shop@mail.example.co.uk"],
    ["+34 600 000 000", "+34 600 000 000"],
    ["(03) 000-0000", "(03) 000-0000"],
    ["dana", undefined],
    ["dana@example", undefined],
    ["dana@@example.com", undefined],
    ["12345", undefined],
    ["------", undefined],
    ["", undefined],
  ])("%j is read as %j", (written, contact) => {
    expect(contactOf(written)).toBe(contact);
  });

  const line = (turn: number, escalation: Escalation): Entry => ({
    id: `t_${turn}:a`,
    turn_id: `t_${turn}`,
    role: "assistant",
    content: "a",
    at: turn,
    rev: 1,
    escalation,
  });
  const waits: Escalation = { status: "delivered", reason: "empty" };

  it("is asked for once, under the newest question that waits", () => {
    expect(turnToOffer([])).toBeUndefined();
    expect(turnToOffer([line(1, waits), line(2, waits)])).toBe("t_2");
    expect(turnToOffer([line(1, waits), line(2, { ...waits, status: "answered" })])).toBe("t_1");
    const left = { ...waits, contact: "sent" } as const;
    expect(turnToOffer([line(1, left), line(2, waits)])).toBeUndefined();
    const closed = { ...left, status: "resolved" } as const;
    expect(turnToOffer([line(1, closed), line(2, waits)])).toBe("t_2");
    expect(turnToOffer([line(1, { ...waits, contact: "refused" })])).toBe("t_1");
  });
});

describe("the form for a contact", () => {
  let it_: Harness;
  let root: HTMLElement;
  const shown = () => root.textContent ?? "";
  const see = (words: string) => vi.waitFor(() => expect(shown()).toContain(words));
  const find = <Kind extends Element = HTMLElement>(selector: string): Kind => {
    const found = root.querySelector<Kind>(selector);
    if (!found) throw new Error(`no ${selector} in ${root.innerHTML}`);
    return found;
  };
  const button = (words: string): HTMLButtonElement => {
    const all = [...root.querySelectorAll<HTMLButtonElement>("button")];
    const found = all.find((one) => one.textContent?.includes(words));
    if (!found) throw new Error(`no button says ${words}`);
    return found;
  };
  const field = () => find<HTMLInputElement>('.contact input[type="text"]');
  const tick = () => find<HTMLInputElement>('.contact input[type="checkbox"]');
  const sent = () =>
    it_.gateway.seen.filter(({ path }) => path === "/v1/escalations").map(({ body }) => body);

  async function open(): Promise<void> {
    await it_.conversation.ask("hm");
    await see("Sent. Waiting for the team");
    button("Leave an e-mail address").click();
    await vi.waitFor(() => field());
  }

  function submit(): void {
    find(".contact form").dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
  }

  beforeEach(async () => {
    it_ = panel();
    it_.loadPack();
    root = document.createElement("div");
    document.body.append(root);
    render(<Panel services={{ ...it_, close: undefined }} />, root);
    button("Without memory").click();
    await vi.waitFor(() => find("textarea"));
  });

  afterEach(() => {
    render(null, root);
    root.remove();
  });

  it("sends what was written with the words that were agreed to", async () => {
    await open();
    await vi.waitFor(() => expect(document.activeElement).toBe(field()));
    expect(find(`label[for="${field().id}"]`).textContent).toBe("E-mail address or phone number");
    expect(tick().checked).toBe(false);
    const wording = find(".contact .check span").textContent;
    field().value = " dana@example.com ";
    tick().checked = true;
    submit();
    await see("The team has your contact, too.");
    const [{ receipt: _, ...first } = {}, second] = sent() as Record<string, unknown>[];
    expect(first).not.toHaveProperty("contact");
    expect(second).toMatchObject({
      ...first,
      timestamp: expect.any(String),
      contact: "dana@example.com",
      contact_consent: wording,
    });
    expect(wording).toContain("Fanlight may contact me");
    expect(root.querySelector(".contact form")).toBeNull();
    expect(JSON.stringify(it_.vault.kept)).not.toContain("dana@example.com");
    await it_.conversation.ask("and?");
    await vi.waitFor(() => expect(root.querySelectorAll(".handoff")).toHaveLength(2));
    expect(shown()).not.toContain("Leave an e-mail address");
  });

  it("sends nothing that is no contact, and nothing without the tick", async () => {
    await open();
    field().value = "dana";
    tick().checked = true;
    submit();
    await see("Enter an e-mail address or a phone number");
    const described = field().getAttribute("aria-describedby") ?? "";
    expect(field().getAttribute("aria-invalid")).toBe("true");
    expect(document.getElementById(described)?.getAttribute("role")).toBe("alert");
    expect(document.activeElement).toBe(field());
    field().value = "dana@example.com";
    tick().checked = false;
    submit();
    await see("Tick the box first");
    expect(tick().getAttribute("aria-invalid")).toBe("true");
    expect(field().hasAttribute("aria-invalid")).toBe(false);
    expect(document.activeElement).toBe(tick());
    expect(sent()).toHaveLength(1);
  });

  it("goes on Escape and leaves the panel open", async () => {
    await open();
    const pressed = new KeyboardEvent("keydown", {
      key: "Escape",
      bubbles: true,
      cancelable: true,
    });
    field().dispatchEvent(pressed);
    expect(pressed.defaultPrevented).toBe(true);
    await vi.waitFor(() => expect(root.querySelector(".contact form")).toBeNull());
    await vi.waitFor(() =>
      expect(document.activeElement?.textContent).toContain("Leave an e-mail"),
    );
    expect(sent()).toHaveLength(1);
  });

  it("waits without a network and leaves the question as it is where it is refused", async () => {
    await open();
    it_.browser.online = false;
    it_.network.refresh();
    field().value = "+34 600 000 000";
    tick().checked = true;
    submit();
    await see("Your contact is on its way");
    expect(sent()).toHaveLength(1);
    it_.gateway.answers.set("/v1/escalations", () => problem(400));
    it_.browser.online = true;
    it_.network.refresh();
    await it_.escalations.flush();
    await see("Your contact could not be sent");
    expect(find(".handoff").className).toContain("queued");
    await see("Leave an e-mail address");
  });

  it("stands in every language, and its field runs left to right", async () => {
    await open();
    await it_.state.speak("he");
    await see("כתובת דוא״ל או מספר טלפון");
    expect(field().dir).toBe("ltr");
    await it_.state.speak("es");
    await see("Correo electrónico o teléfono");
  });
});
