/**
 * The one script on the host page: puts the launcher and `window.fanlight` there, and nothing else.
 *
 * Decides that the page goes on where the chat cannot be put there, and that the reason is said once, on the console.
 * The gateway writes its own public origin into this file as it serves it, and after it the sites that greet.
 */
import { install } from "./api.ts";
import { findTag, readOptions } from "./options.ts";

async function start(written: string): Promise<void> {
  try {
    const [gateway = "", ...greeting] = written.split(" ");
    const tag = findTag(document);
    const read = tag && readOptions(tag, document.documentElement);
    if (!read) throw "no data-site";
    const greets = read.greets || greeting.includes(read.site) || greeting[0] === "*";
    if (!document.body)
      await new Promise((go) => document.addEventListener("DOMContentLoaded", go));
    install({ ...read, greets }, gateway);
  } catch (error) {
    // biome-ignore lint/suspicious/noConsole: the one word to a site owner whose page keeps the chat away.
    console.warn("Fanlight:", error);
  }
}

// Last in the file: what comes before is packed once, for every gateway.
void start("__FANLIGHT_GATEWAY__");
