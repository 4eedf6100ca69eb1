// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from "vitest";
import { strings } from "../../src/console/strings";
import { TOKEN } from "./gateway";
import {
  all,
  button,
  click,
  gateway,
  get,
  hashOf,
  logIn,
  open,
  questions,
  root,
  settle,
  text,
  type,
} from "./page";

describe("log-in", () => {
  beforeEach(() => {
    gateway.loggedIn = false;
  });

  it("asks for the token and opens the console", async () => {
    await open();
    expect(get("#token").getAttribute("type")).toBe("password");
    await logIn(` ${TOKEN} `);
    expect(gateway.sent("POST", "/session")[0]?.body).toEqual({ token: TOKEN });
    expect(questions()).toEqual(["Question 3", "Question 2", "Question 1"]);
  });

  it("shows the token only when asked", async () => {
    await open();
    await click(button(strings.login.show));
    expect(get("#token").getAttribute("type")).toBe("text");
    await click(button(strings.login.hide));
    expect(get("#token").getAttribute("type")).toBe("password");
  });

  it("says that a token is missing without asking the gateway", async () => {
    await open();
    await logIn("  ");
    expect(text(".error")).toBe(strings.login.empty);
    expect(gateway.sent("POST", "/session")).toHaveLength(0);
    await type("#token", "x");
    expect(text(".error")).toBe("");
  });

  it.each([
    [401, strings.login.wrong],
    [403, strings.login.wrong],
    [422, "Too short. Copy all of it."],
    [429, strings.trouble.limited],
    [503, strings.login.broken],
  ])("explains a %d", async (status, words) => {
    gateway.fail("POST /session", status, { detail: "Too short", remedy: "Copy all of it." });
    await open();
    await logIn("op_wrong");
    expect(text(".error")).toBe(words);
    expect(get("#token").getAttribute("aria-invalid")).toBe("true");
  });

  it("explains a silent gateway", async () => {
    await open();
    gateway.reachable = false;
    await logIn(TOKEN);
    expect(text(".error")).toBe(strings.login.unreachable);
  });

  it("counts down a wait and sends nothing meanwhile", async () => {
    gateway.fail("POST /session", 429, {}, { "Retry-After": "41" });
    await open();
    await logIn("op_wrong");
    expect(text(".error")).toBe(strings.login.limited(41));
    gateway.pass(1000);
    await settle();
    expect(text("[type=submit]")).toBe(strings.login.wait(40));
    await logIn(TOKEN);
    expect(gateway.sent("POST", "/session")).toHaveLength(1);
    gateway.failures.clear();
    gateway.pass(40_000);
    await settle();
    expect(text("[type=submit]")).toBe(strings.login.submit);
    await logIn(TOKEN);
    expect(all(".row")).toHaveLength(3);
  });
});

describe("a gateway that does not answer", () => {
  it("is said so, and asked again", async () => {
    gateway.reachable = false;
    await open();
    expect(text("h1")).toBe(strings.unavailable.title);
    gateway.reachable = true;
    await click(button(strings.unavailable.retry));
    expect(all(".row")).toHaveLength(3);
  });

  it("is asked again by itself, and when the network returns", async () => {
    gateway.reachable = false;
    await open();
    gateway.pass(15_000);
    await settle();
    gateway.reachable = true;
    window.dispatchEvent(new Event("online"));
    await settle();
    expect(all(".row")).toHaveLength(3);
  });
});

describe("log-out", () => {
  it("forgets what was on screen", async () => {
    await open(hashOf(2));
    await click(button(strings.bar.logOut));
    expect(text(".door-lead")).toBe(strings.login.lead);
    expect(root.textContent).not.toContain("Question");
    expect(gateway.line.readyState).toBe(2);
  });

  it("that fails is said so", async () => {
    await open();
    gateway.fail("DELETE /session", 503);
    await click(button(strings.bar.logOut));
    expect(text(".note-bad")).toContain(strings.trouble.logOutFailed(strings.trouble.broken));
    expect(all(".row")).toHaveLength(3);
  });
});
