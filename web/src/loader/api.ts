/**
 * `window.fanlight`: what the host page can ask of the chat, and what it hears from it.
 *
 * Decides: that there is one chat a page, and that calls which came before the script are made now, in
 * order. Refuses: a second chat while one stands, and an identity that is no function: a JWT is bound to a
 * key that the page learns only when it is asked.
 */
import type {
  Fanlight,
  FanlightCall,
  FanlightEvent,
  FanlightEvents,
} from "../../packages/widget/src/types.ts";
import { Launcher } from "./launcher.ts";
import type { LoaderOptions } from "./options.ts";

/** Puts the chat on the page. */
export function install(options: LoaderOptions, gateway: string): void {
  const before = window.fanlight;
  // A page that includes the script twice gets one chat.
  if (document.querySelector("fanlight-launcher")) return;
  // One whose launcher is gone: the page took it away with what was around it.
  if (before && "destroy" in before) before.destroy();
  const bus = new EventTarget();
  const launcher = new Launcher(options, gateway, (name, detail) =>
    bus.dispatchEvent(new CustomEvent(name, { detail })),
  );
  const api = expose(launcher, bus);
  window.fanlight = api;
  // Beside the body: pages that put another body in its place keep their chat.
  document.documentElement.append(launcher.host);
  // An element with this id answers to this name, too.
  if (Array.isArray(before)) before.forEach(api.push);
}

function expose(launcher: Launcher, bus: EventTarget): Fanlight {
  const api: Fanlight = {
    open: () => launcher.toggle(true),
    close: () => launcher.toggle(false),
    ask: (text) => launcher.ask(text),
    on<Name extends FanlightEvent>(
      event: Name,
      listener: (detail: FanlightEvents[Name]) => void,
    ): () => void {
      const hear = (told: Event) => listener((told as CustomEvent).detail);
      bus.addEventListener(event, hear);
      return () => bus.removeEventListener(event, hear);
    },
    identify(source) {
      if (source !== null && typeof source !== "function") {
        throw new TypeError("identify() takes a function or null");
      }
      launcher.identify(source);
    },
    setLocale: (locale) => launcher.setLocale(locale),
    destroy() {
      launcher.end();
      if (window.fanlight === api) delete window.fanlight;
    },
    // Each on its own: one that fails keeps no other from being made.
    push: (call: FanlightCall) => queueMicrotask(() => call(api)),
  };
  return api;
}
