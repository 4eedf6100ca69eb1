/**
 * The greeter's entry: a small frame beside the launcher, on the gateway's own origin.
 *
 * The host page tells where it is and how far it was seen, which stays in this frame, and is told what to show.
 * Decides: which messages are believed: those from the embedding window, from an origin that the gateway named.
 */
import "../trusted_types.ts";
import "./greeter.css";
import { applyAccent } from "../panel/color.ts";
import { place, say } from "./bubble.ts";
import { Greeter, type GreeterConfig } from "./greeter.ts";
import { readPage } from "./greeting.ts";
import { MarkStore } from "./marks.ts";

function readConfig(page: Document): GreeterConfig {
  return JSON.parse(page.getElementById("fanlight-config")?.textContent ?? "null");
}

function start(config: GreeterConfig): void {
  const tell = (message: object) => {
    // Nobody else may have this document in a frame, so that whoever has may hear: it is the site's own word.
    window.parent.postMessage({ fanlight: 1, ...message }, "*");
  };
  const marks = new MarkStore(
    config.site_key,
    () => localStorage,
    () => Date.now(),
  );
  const at = place(document);
  document.documentElement.dataset.theme = config.theme;
  const greeter: Greeter = new Greeter({
    config,
    marks,
    languages: navigator.languages,
    hidden: () => document.hidden,
    show: ({ name, text }, locale, { accent }) => {
      applyAccent(accent || config.accent, document.documentElement);
      const words = text[locale] ?? "";
      const deeds = { open: () => tell({ type: "open" }), close: () => greeter.close() };
      const height = say(at, words, locale, deeds);
      tell({ type: "greet", name, text: words, height });
    },
    hide: () => tell({ type: "greet" }),
  });
  window.addEventListener("message", ({ source, origin, data }: MessageEvent) => {
    if (source !== window.parent || !config.host_origins.includes(origin)) return;
    if (data?.fanlight === 1 && data.type === "page") greeter.tick(readPage(data, origin));
  });
  marks.arrive();
  tell({ type: "ready" });
}

const config = readConfig(document);
if (config.greetings.length > 0 && window.parent !== window) start(config);
