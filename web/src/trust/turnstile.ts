/**
 * Cloudflare Turnstile in the panel: its script, its widget, and the token that it gives.
 *
 * Decides: when the script is fetched (when a challenge asks for it, and not before), and that the visitor
 * sees the widget only if something is to be done. Refuses: to wait without end. Whoever calls this has a
 * proof of work to fall back to, so that a blocked script locks nobody out.
 */
import { TURNSTILE_SCRIPT } from "../trusted_types.ts";

/** What the gateway has the token bound to. */
export interface Widget {
  readonly sitekey: string;
  readonly action: string;
  readonly cdata: string;
}

interface Options extends Widget {
  readonly appearance: "interaction-only";
  readonly callback: (token: string) => void;
  readonly "error-callback": (code?: string) => boolean;
  readonly "expired-callback": () => void;
  readonly "unsupported-callback": () => void;
}

interface Api {
  render(container: HTMLElement, options: Options): string | undefined;
  remove(id: string): void;
}

type Scope = { turnstile?: Api };

/** A visitor who is asked to do something has this long. */
const PATIENCE_MS = 20_000;

let script: Promise<Api> | undefined;

/** Fetches the script once; one that failed is fetched again at the next challenge. */
function api(page: Document): Promise<Api> {
  script ??= load(page).catch((error: unknown) => {
    script = undefined;
    throw error;
  });
  return script;
}

function load(page: Document): Promise<Api> {
  return new Promise((resolve, reject) => {
    const tag = page.createElement("script");
    tag.addEventListener("error", () => reject(new Error("Turnstile's script cannot be had")));
    tag.addEventListener("load", () => {
      const found = (globalThis as Scope).turnstile;
      if (found) resolve(found);
      else reject(new Error("Turnstile's script is not what it was"));
    });
    tag.src = TURNSTILE_SCRIPT;
    page.head.append(tag);
  });
}

/** A token for this widget; rejects when none comes. */
export async function turnstileToken(widget: Widget, page: Document = document): Promise<string> {
  const place = page.createElement("div");
  place.className = "turnstile";
  let timer: ReturnType<typeof setTimeout> | undefined;
  let remove: () => void = () => undefined;
  try {
    return await new Promise<string>((resolve, reject) => {
      const fail = (reason: string) => reject(new Error(`Turnstile: ${reason}`));
      timer = setTimeout(() => fail("too late"), PATIENCE_MS);
      api(page).then((turnstile) => {
        page.body.append(place);
        const id = turnstile.render(place, {
          ...widget,
          appearance: "interaction-only",
          callback: resolve,
          "error-callback": (code) => {
            fail(code ?? "an error");
            return true;
          },
          "expired-callback": () => fail("expired"),
          "unsupported-callback": () => fail("not in this browser"),
        });
        if (id !== undefined) remove = () => turnstile.remove(id);
      }, reject);
    });
  } finally {
    clearTimeout(timer);
    remove();
    place.remove();
  }
}
