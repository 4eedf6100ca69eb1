// @vitest-environment happy-dom
/** Whether a person's answer helped: asked once, when the case is closed, and sent as every mark is. */
import { render } from "preact";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { answerId, toJudge, withEntry, withEscalation } from "../../src/panel/lines.ts";
import { Panel } from "../../src/panel/views/panel.tsx";
import { isEntry } from "../../src/vault/entry.ts";
import { problem } from "../trust/gateway.ts";
import { type Harness, panel } from "./panel.ts";

let it_: Harness;
let root: HTMLElement;

const verdicts = () => it_.gateway.calls("/v1/feedback").map(({ body }) => body);
const shown = () => root.textContent ?? "";
const asks = () => root.querySelector("fieldset.helped");
const turnId = () => it_.state.entries.value[0]?.turn_id ?? "";

function button(words: string): HTMLButtonElement {
  const all = [...root.querySelectorAll<HTMLButtonElement>(".helped button")];
  const found = all.find((one) => (one.getAttribute("aria-label") ?? one.textContent) === words);
  if (!found) throw new Error(`no ${words} in ${shown()}`);
  return found;
}

/** A person has answered a turn, and the case stands so. */
async function answered(status: "answered" | "resolved", turn = turnId()): Promise<void> {
  await it_.vault.update((kept) =>
    withEscalation(
      withEntry(kept, {
        ...{ id: `r:${turn}`, turn_id: turn, role: "person", content: "At nine.", at: 2 },
        author: "Dana",
      }),
      turn,
      { status },
    ),
  );
}

beforeEach(async () => {
  it_ = panel();
  it_.gateway.answers.set("/v1/feedback", () => Response.json({ turn_id: "t" }));
  root = document.createElement("div");
  document.body.append(root);
  await it_.memory.decline();
  render(<Panel services={{ ...it_, close: undefined }} />, root);
  await it_.conversation.tell("When?");
  // The field takes the focus as it appears, once.
  await vi.waitFor(() => expect(document.activeElement?.tagName).toBe("TEXTAREA"));
});

afterEach(() => {
  render(null, root);
  root.remove();
});

describe("the question whether it helped", () => {
  it("waits until the case is closed", async () => {
    await answered("answered");
    await vi.waitFor(() => expect(shown()).toContain("At nine."));
    expect(asks()).toBeNull();
    await answered("resolved");
    await vi.waitFor(() => expect(asks()?.textContent).toContain("Did this help?"));
  });

  it("is answered by a tap, sent once, and not asked again", async () => {
    await answered("resolved");
    await vi.waitFor(() => button("Yes").click());
    await vi.waitFor(() => expect(verdicts()).toEqual([{ turn_id: turnId(), signal: "worked" }]));
    expect(shown()).toContain("Thank you.");
    expect(asks()).toBeNull();
    render(null, root);
    render(<Panel services={{ ...it_, close: undefined }} />, root);
    await vi.waitFor(() => expect(shown()).toContain("At nine."));
    expect(root.querySelector(".helped")).toBeNull();
  });

  it("leaves room for a word, which goes with the same verdict", async () => {
    await answered("resolved");
    await vi.waitFor(() => button("No").click());
    await vi.waitFor(() => button("Add a word").click());
    const field = await vi.waitFor(() => {
      const found = root.querySelector<HTMLInputElement>(".helped input");
      if (!found) throw new Error("no field");
      return found;
    });
    await vi.waitFor(() => expect(document.activeElement?.outerHTML).toBe(field.outerHTML));
    const form = root.querySelector(".helped") as HTMLFormElement;
    const submit = () => form.dispatchEvent(new Event("submit", { cancelable: true }));
    submit();
    expect(verdicts()).toHaveLength(1);
    field.value = "  Nine is too late. ";
    submit();
    await vi.waitFor(() =>
      expect(verdicts().at(-1)).toEqual({
        ...{ turn_id: turnId(), signal: "failed" },
        text: "Nine is too late.",
      }),
    );
    await vi.waitFor(() => expect(shown()).toContain("The team can read it."));
  });

  it("can be left unanswered: nothing is sent, and it does not come back", async () => {
    await answered("resolved");
    const composing = it_.state.composing.value;
    await vi.waitFor(() => button("Rather not say").click());
    await vi.waitFor(() => expect(root.querySelector(".helped")).toBeNull());
    expect(it_.state.entries.value.find(({ id }) => id === answerId(turnId()))?.verdict).toBe(
      "unsaid",
    );
    expect(verdicts()).toEqual([]);
    expect(it_.state.composing.value).toBe(composing + 1);
  });

  it("is asked of the newest answer alone", async () => {
    await answered("resolved");
    await it_.conversation.tell("And on Sunday?");
    const second = it_.state.entries.value.at(-1)?.turn_id ?? "";
    await answered("resolved", second);
    expect(toJudge(it_.state.entries.value)).toBe(second);
    await vi.waitFor(() => expect(root.querySelectorAll("fieldset.helped")).toHaveLength(1));
  });

  it("waits for the network with what was said, the last of it alone", async () => {
    it_.browser.online = false;
    it_.network.refresh();
    await it_.feedback.judge(turnId(), "worked");
    await it_.feedback.judge(turnId(), "worked", "Thanks");
    expect(verdicts()).toEqual([]);
    it_.browser.online = true;
    it_.network.refresh();
    await it_.feedback.flush();
    expect(verdicts()).toEqual([{ turn_id: turnId(), signal: "worked", text: "Thanks" }]);
  });

  it("is over where the gateway knows nothing of the turn", async () => {
    await answered("resolved");
    it_.gateway.answers.set("/v1/feedback", () => problem(404));
    await it_.feedback.judge(turnId(), "failed");
    await vi.waitFor(() =>
      expect(it_.state.entries.value.find(({ id }) => id === answerId(turnId()))?.verdict).toBe(
        "unsaid",
      ),
    );
  });
});

describe("what was kept of it", () => {
  const entry = { id: "t:a", turn_id: "t", role: "assistant", content: "x", at: 1, rev: 1 };

  it.each([
    ["worked", true],
    ["unsaid", true],
    ["perfect", false],
  ])("%s is one: %s", (verdict, expected) => {
    expect(isEntry({ ...entry, verdict })).toBe(expected);
  });
});
