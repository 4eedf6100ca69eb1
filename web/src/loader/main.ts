/**
 * The one script on the host page: puts the launcher and `window.fanlight` there, and nothing else.
 *
 * Decides that the page goes on where the chat cannot be put there, and that the reason is said once, on the console.
 * The gateway writes its own public origin into this file as it serves it, and after it the sites that greet.
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

function start(written: string): void {
  const [gateway = "", ...greeting] = written.split(" ");
  const tag = findTag(document);
  const read = tag && readOptions(tag, document.documentElement);
  if (!read) throw Error("no data-site");
  const greets = read.greets || greeting.includes(read.site) || greeting[0] === "*";
  const put = () => install({ ...read, greets }, gateway);
  if (document.body) put();
  else document.addEventListener("DOMContentLoaded", () => attempt(put));
}

// Last in the file: what comes before is packed once, for every gateway.
attempt(() => start("__FANLIGHT_GATEWAY__"));
