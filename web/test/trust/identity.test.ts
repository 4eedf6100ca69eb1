import { readFileSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { SignedCalls } from "../../src/trust/calls.ts";
import { CorrectedClock } from "../../src/trust/clock.ts";
import { Identity, subjectOf } from "../../src/trust/identity.ts";
import { makeKey } from "../../src/trust/key.ts";
import { GATEWAY, TestGateway } from "./gateway.ts";

function jwtFor(claims: object): string {
  const payload = Buffer.from(JSON.stringify(claims)).toString("base64url");
  return `e30.${payload}.c2ln`;
}

const ANNA = jwtFor({ iss: "https://shop.example", sub: "anna" });
const BEN = jwtFor({ iss: "https://shop.example", sub: "בן" });

/** A host page whose visitor can change, or which can fail. */
function host(first: string | Error) {
  const page = { says: first, asked: [] as string[], changes: 0 };
  const ask = async (thumbprint: string) => {
    page.asked.push(thumbprint);
    if (page.says instanceof Error) throw page.says;
    return page.says;
  };
  const learn = () => Identity.learn(ask, "first", () => (page.changes += 1));
  return { page, learn };
}

const GOLDEN = JSON.parse(
  readFileSync(new URL("../../../tests/wire/identity.json", import.meta.url), "utf8"),
) as { token: string; subject: string };

describe("the subject of a JWT", () => {
  it("is what the gateway makes of the golden one", () => {
    expect(subjectOf(GOLDEN.token)).toBe(GOLDEN.subject);
  });

  it("is the gateway's, in any script", () => {
    expect(subjectOf(ANNA)).toBe("user:https://shop.example|anna");
    expect(subjectOf(BEN)).toBe("user:https://shop.example|בן");
    expect(subjectOf("")).toBe("");
  });

  it.each(["x", "a.b.c", "a.!.c", jwtFor({ iss: "x" }), jwtFor({ sub: 5, iss: "x" }), jwtFor([])])(
    "is refused of %s",
    (text) => expect(() => subjectOf(text)).toThrow(),
  );
});

describe("an identity", () => {
  it("gives each visitor a storage of their own, whose name tells nobody who it is", async () => {
    const names = await Promise.all(
      [ANNA, BEN, ""].map(async (jwt) => (await host(jwt).learn()).storeName("site_demo")),
    );
    expect(new Set(names).size).toBe(3);
    expect(names[2]).toBe("site_demo");
    expect(names[0]).toMatch(/^site_demo\.[\w-]{22}$/);
    expect(names[0]).not.toContain("anna");
  });

  it("asks for a new JWT for each session's key", async () => {
    const { page, learn } = host(ANNA);
    const identity = await learn();
    expect(await identity.jwt("second")).toBe(ANNA);
    expect(page.asked).toEqual(["first", "second"]);
  });

  it.each([
    ["another", ANNA, BEN],
    ["nobody", ANNA, ""],
    ["somebody", "", ANNA],
  ])("starts over when %s is there, and gives no session", async (_, before, after) => {
    const { page, learn } = host(before);
    const identity = await learn();
    page.says = after;
    await expect(identity.jwt("second")).rejects.toThrow("changed");
    expect(page.changes).toBe(1);
  });

  it.each([
    ["the same visitor", ANNA, ANNA, true],
    ["another", ANNA, BEN, false],
    ["nobody any more", ANNA, "", false],
    ["nobody still", "", "", true],
    ["nothing that can be read", ANNA, "x", true],
    ["nothing, for it failed", ANNA, new Error("no"), true],
  ])("says whether the page names %s", async (_, before, after, same) => {
    const { page, learn } = host(before);
    const identity = await learn();
    page.says = after;
    expect(await identity.isSame()).toBe(same);
    expect(page.changes).toBe(0);
  });

  it("asks the page one thing at a time", async () => {
    let open = 0;
    const ask = async () => {
      open += 1;
      expect(open).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 1));
      open -= 1;
      return ANNA;
    };
    const identity = await Identity.learn(ask, "first", () => undefined);
    expect(await Promise.all([identity.isSame(), identity.jwt("second")])).toEqual([true, ANNA]);
  });

  it("is nobody's where the page cannot say, and stays so", async () => {
    const { page, learn } = host(new Error("down"));
    const identity = await learn();
    expect(identity.subject).toBe("");
    expect(await identity.jwt("second")).toBeUndefined();
    page.says = "no jwt at all";
    expect(await identity.jwt("third")).toBeUndefined();
    expect(page.changes).toBe(0);
  });

  it("does not become anonymous when the page fails later", async () => {
    const { page, learn } = host(ANNA);
    const identity = await learn();
    page.says = new Error("down");
    await expect(identity.jwt("second")).rejects.toThrow("down");
    expect(page.changes).toBe(0);
  });
});

describe("a session", () => {
  async function opened(identity?: (thumbprint: string) => Promise<string | undefined>) {
    const gateway = new TestGateway();
    gateway.answers.set("/v1/ping", () => Response.json({ ok: true }));
    const key = await makeKey();
    const calls = new SignedCalls({
      fetch: gateway.fetch,
      clock: new CorrectedClock(),
      gateway: GATEWAY,
      authority: "chat.example",
      siteKey: "site_demo",
      key: async () => key,
      locale: () => "en",
      consent: () => ({ memory: false, training: false }),
      identity,
    });
    const sent = calls.send({ method: "POST", path: "/v1/ping", body: "{}" });
    return { gateway, key, sent };
  }

  it("is opened with the site's word for this key", async () => {
    const identity = vi.fn(async () => ANNA);
    const { gateway, key, sent } = await opened(identity);
    await sent;
    expect(identity).toHaveBeenCalledWith(key.thumbprint);
    expect(gateway.calls("/v1/sessions")[0]?.body.identity_jwt).toBe(ANNA);
  });

  it.each([undefined, async () => undefined])("is anonymous without one", async (identity) => {
    const { gateway, sent } = await opened(identity);
    await sent;
    expect(gateway.calls("/v1/sessions")[0]?.body).not.toHaveProperty("identity_jwt");
  });

  it("is not opened for another visitor", async () => {
    const { gateway, sent } = await opened(async () => {
      throw new Error("the visitor has changed");
    });
    await expect(sent).rejects.toThrow("changed");
    expect(gateway.sessions).toBe(0);
  });
});
