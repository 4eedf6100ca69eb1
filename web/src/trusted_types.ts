/**
 * The one Trusted Types policy of our documents and workers: import it before anything else.
 *
 * It decides which strings may become script addresses: those of our own origin and Turnstile's, no other. It
 * makes no HTML and no script text, so any sink that takes either stays shut.
 */

interface PolicyFactory {
  createPolicy(name: string, rules: { createScriptURL(input: string): string | null }): unknown;
}

interface PolicyScope {
  readonly trustedTypes?: PolicyFactory;
  readonly location: { readonly href: string };
}

/**
 * The one script of another origin that a panel may load. Only a site's panel that uses Turnstile has a content
 * security policy that lets it in; everywhere else this address stays refused by that.
 */
export const TURNSTILE_SCRIPT =
  "https://challenges.cloudflare.com/turnstile/v0/api.js?render=explicit";

/** `input` when it names a script of the same origin as `base`, else null, which the browser refuses. */
export function sameOriginScript(input: string, base: string): string | null {
  try {
    const url = new URL(input, base);
    const own = new URL(base).origin;
    return /^https?:$/.test(url.protocol) && url.origin === own ? input : null;
  } catch {
    return null; // not an address at all
  }
}

/** Installs the `default` policy where the browser has Trusted Types; elsewhere does nothing. */
export function installScriptPolicy(scope: PolicyScope): void {
  scope.trustedTypes?.createPolicy("default", {
    createScriptURL: (input) =>
      input === TURNSTILE_SCRIPT ? input : sameOriginScript(input, scope.location.href),
  });
}

// Nothing may create a worker before the policy stands, so it is installed by the import itself.
if (typeof location !== "undefined") installScriptPolicy(globalThis as unknown as PolicyScope);
