/**
 * The loader's script tag, made by a script.
 *
 * Decides: its address; one with a hash has the hash in it. A page under Trusted Types admits a script's
 * address from a policy only: ours is called `fanlight`.
 */
import type { FanlightOptions } from "./load.ts";

interface Policy {
  createScriptURL(url: string): unknown;
}

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): Policy;
}

let policy: Policy | undefined;

/** The address as the page wants it; where it allows no policy of ours, as it is. */
function trusted(url: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  try {
    policy ??= trustedTypes?.createPolicy("fanlight", { createScriptURL: (own) => own });
  } catch {
    return url;
  }
  return (policy ? policy.createScriptURL(url) : url) as string;
}

/** The gateway names a loader by the first eight bytes of its hash. */
export function loaderAddress(gateway: string, integrity: string | undefined): string {
  const origin = gateway.replace(/\/+$/, "");
  if (!integrity) return `${origin}/loader.js`;
  const digest = atob(integrity.replace(/^sha384-/, ""));
  const hex = [...digest.slice(0, 8)].map((byte) => byte.charCodeAt(0).toString(16));
  return `${origin}/loader.${hex.map((byte) => byte.padStart(2, "0")).join("")}.js`;
}

export function makeTag(options: FanlightOptions): HTMLScriptElement {
  const { gateway, site, locale, position, accent, identity, integrity, nonce } = options;
  const tag = document.createElement("script");
  const address = typeof identity === "string" ? identity : undefined;
  const written = { site, locale, position, accent, identity: address };
  for (const [name, value] of Object.entries(written)) {
    if (value) tag.dataset[name] = value;
  }
  if (options.greetings) tag.dataset.greetings = "";
  if (options.voice) tag.dataset.voice = "";
  if (integrity) {
    tag.integrity = integrity;
    tag.crossOrigin = "anonymous";
  }
  if (nonce) tag.nonce = nonce;
  tag.src = trusted(loaderAddress(gateway, integrity));
  return tag;
}
