/** The console's entry: binds it to this document and this browser. */

import "../trusted_types";
import "./console.css";
import { render } from "preact";
import { Console } from "./console";
import { Navigation } from "./navigation";
import { strings } from "./strings";
import { App } from "./views/app";

function preferences(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null; // storage is refused here: choices last as long as the page
  }
}

const console = new Console({
  fetch: (input, init) => fetch(input, init),
  openLine: (url) => new EventSource(url),
  now: () => Date.now(),
  after: (ms, then) => {
    const timer = setTimeout(then, ms);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
  randomId: () => crypto.randomUUID(),
  isOnline: () => navigator.onLine,
  // Where a page is not secure there is no clipboard, and this rejects as well.
  copy: async (text) => navigator.clipboard.writeText(text),
  preferences: preferences(),
});

document.documentElement.lang = strings.locale;
const root = document.getElementById("app");
if (root !== null) {
  render(<App console={console} navigation={new Navigation(window)} />, root);
  console.start();
}
