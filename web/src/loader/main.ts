/**
 * The one script on the host page: puts the launcher and `window.fanlight` there, and nothing else.
 *
 * Decides that the page goes on where the chat cannot be put there, and that the reason is said once, on the console.
 * The gateway writes its own public origin into this file as it serves it.
 */
import { install } from "./api.ts";
import { findTag, readOptions } from "./options.ts";

function attempt(work: () => void): void {
  try {
    work();
  } catch (error) {
    // biome-ignore lint/suspicious/noConsole: the one word to a site owner whose page keeps the chat away.
    console.warn("Fanlight: no chat here.", error);
  }
}

function start(gateway: string): void {
  const tag = findTag(document);
  const options = tag && readOptions(tag, document.documentElement);
  if (!options) throw Error('no <script data-site="site_…"> in the document');
  const put = () => install(options, gateway);
  if (document.body) put();
  else document.addEventListener("DOMContentLoaded", () => attempt(put));
}

// Last in the file: what comes before is packed once, for every gateway.
attempt(() => start("__FANLIGHT_GATEWAY__"));
