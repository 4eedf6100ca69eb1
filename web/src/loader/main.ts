/**
 * The one script on the host page: puts the launcher there, and nothing else.
 *
 * The gateway writes its own public origin into this file as it serves it.
 */
import { Launcher } from "./launcher.ts";
import { readOptions } from "./options.ts";

const GATEWAY = "__FANLIGHT_GATEWAY__";

function start(tag: HTMLElement): void {
  const options = readOptions(tag, document.documentElement);
  // A page that includes the script twice gets one launcher.
  if (!options || document.querySelector("fanlight-launcher")) return;
  document.body.append(new Launcher(options, GATEWAY).host);
}

const tag = document.currentScript ?? document.querySelector<HTMLElement>("script[data-site]");
if (tag instanceof HTMLElement) {
  if (document.body) start(tag);
  else document.addEventListener("DOMContentLoaded", () => start(tag));
}
