/**
 * The one script on the host page: puts the launcher and `window.fanlight` there, and nothing else.
 *
 * The gateway writes its own public origin into this file as it serves it, and after it the sites that greet.
 */
import { install } from "./api.ts";
import { findTag, readOptions } from "./options.ts";

function start(written: string): void {
  const [gateway = "", ...greeting] = written.split(" ");
  const tag = findTag(document);
  const read = tag && readOptions(tag, document.documentElement);
  if (!read) return;
  const greets = read.greets || greeting.includes(read.site) || greeting[0] === "*";
  const options = { ...read, greets };
  if (document.body) install(options, gateway);
  else document.addEventListener("DOMContentLoaded", () => install(options, gateway));
}

// Last in the file: what comes before is packed once, for every gateway.
start("__FANLIGHT_GATEWAY__");
