/** The bubble: the site's words, which open the chat, and a cross that closes them. By DOM calls alone. */
import { directionOf, type Locale } from "../i18n/locale.ts";
import { CLOSE } from "./words.ts";

export interface BubbleDeeds {
  readonly open: () => void;
  readonly close: () => void;
}

const CROSS = "M6 6l12 12M18 6L6 18";

function cross(): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  line.setAttribute("d", CROSS);
  svg.append(line);
  return svg;
}

function button(className: string, deed: () => void, ...children: readonly (Node | string)[]) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = className;
  made.addEventListener("click", deed);
  made.append(...children);
  return made;
}

/** Where the words will stand: there before they come, so that a screen reader tells of them. */
export function place(page: Document): HTMLElement {
  const made = page.createElement("div");
  made.setAttribute("role", "status");
  const main = page.createElement("main");
  main.append(made);
  page.body.append(main);
  return made;
}

/** Says it; the focus stays where it is. Gives how tall it is, in pixels. */
export function say(at: HTMLElement, text: string, locale: Locale, deeds: BubbleDeeds): number {
  const root = at.ownerDocument.documentElement;
  root.lang = locale;
  root.dir = directionOf(locale);
  const close = button("close", deeds.close, cross());
  close.setAttribute("aria-label", CLOSE[locale]);
  at.replaceChildren(button("words", deeds.open, text));
  at.after(close);
  root.addEventListener("keydown", ({ key }) => {
    if (key === "Escape") deeds.close();
  });
  return Math.ceil(at.getBoundingClientRect().height);
}
