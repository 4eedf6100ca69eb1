/**
 * The one script on the host page: puts the launcher and `window.fanlight` there, and nothing else.
 *
 * The gateway writes its own public origin into this file as it serves it.
 */
import { install } from "./api.ts";
import { findTag, readOptions } from "./options.ts";

function start(gateway: string): void {
  const tag = findTag(document);
  const options = tag && readOptions(tag, document.documentElement);
  if (!options) return;
  if (document.body) install(options, gateway);
  else document.addEventListener("DOMContentLoaded", () => install(options, gateway));
}

// Last in the file: what comes before is packed once, for every gateway.
start("__FANLIGHT_GATEWAY__");
