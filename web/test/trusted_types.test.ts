import { expect, test } from "vitest";
import { installScriptPolicy, sameOriginScript, TURNSTILE_SCRIPT } from "../src/trusted_types.ts";

const PAGE = "https://chat.example/panel/site_demo";

test.each([
  ["/assets/worker.js", true],
  ["assets/worker.js", true],
  ["https://chat.example/sw.js?site=site_demo", true],
  ["https://chat.example:444/sw.js", false],
  ["http://chat.example/sw.js", false],
  ["//evil.example/x.js", false],
  ["https://chat.example@evil.example/x.js", false],
  ["data:text/javascript,alert(1)", false],
  ["blob:https://chat.example/0e1f", false],
  ["javascript:alert(1)", false],
  ["https://", false],
])("a script at %s is admitted: %s", (address, admitted) => {
  expect(sameOriginScript(address, PAGE)).toBe(admitted ? address : null);
});

test("the policy is the default one, and makes nothing but script addresses", () => {
  const made: [string, Record<string, (input: string) => string | null>][] = [];
  const trustedTypes = { createPolicy: (...policy: (typeof made)[number]) => made.push(policy) };
  installScriptPolicy({ trustedTypes: trustedTypes as never, location: { href: PAGE } });
  const [[name, rules] = ["", {}]] = made;
  expect(name).toBe("default");
  expect(Object.keys(rules)).toEqual(["createScriptURL"]);
  expect(rules.createScriptURL?.("//evil.example/x.js")).toBeNull();
  expect(rules.createScriptURL?.(TURNSTILE_SCRIPT)).toBe(TURNSTILE_SCRIPT);
  expect(rules.createScriptURL?.(`${TURNSTILE_SCRIPT}x`)).toBeNull();
});

test("a browser without Trusted Types is left as it is", () => {
  expect(() => installScriptPolicy({ location: { href: PAGE } })).not.toThrow();
});
