/**
 * What a key press means.
 *
 * Decides: nothing but that. Refuses: single keys while the operator types, while a dialog is open,
 * or when they are turned off (WCAG 2.1.4); presses with a modifier, which belong to the browser.
 */

/** `leave` goes one step: out of a field, else out of the question, as `close` always does. */
export type Command =
  | "next"
  | "previous"
  | "reply"
  | "resolve"
  | "search"
  | "help"
  | "inbox"
  | "knowledge"
  | "embed"
  | "figures"
  | "personality"
  | "write"
  | "try"
  | "leave"
  | "close";

export interface Press {
  readonly key: string;
  /** The place on the keyboard, for layouts whose letters are not Latin. */
  readonly code: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
}

export interface Place {
  readonly typing: boolean;
  readonly inList: boolean;
  readonly inDialog: boolean;
  readonly shortcuts: boolean;
}

const SINGLE: Record<string, Command> = {
  j: "next",
  k: "previous",
  r: "reply",
  e: "resolve",
  "/": "search",
  "?": "help",
  "1": "inbox",
  "2": "knowledge",
  "3": "embed",
  "4": "figures",
  "5": "personality",
  n: "write",
  t: "try",
};
const ARROWS: Record<string, Command> = { ArrowDown: "next", ArrowUp: "previous" };

export function commandFor(press: Press, place: Place): Command | null {
  if (press.ctrlKey || press.metaKey || press.altKey || place.inDialog) return null;
  if (press.key === "Escape") return "leave";
  if (place.typing) return null;
  if (place.inList && press.key in ARROWS) return ARROWS[press.key] ?? null;
  return place.shortcuts ? (SINGLE[latin(press)] ?? null) : null;
}

/** Ctrl + Enter, or Cmd + Enter on a Mac. */
export function sends(press: Press): boolean {
  return press.key === "Enter" && (press.ctrlKey || press.metaKey);
}

/** Ctrl + S, or Cmd + S on a Mac. */
export function saves(press: Press): boolean {
  return latin(press).toLowerCase() === "s" && (press.ctrlKey || press.metaKey) && !press.altKey;
}

/** True where keys write text. */
export function isTyping(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null;
  if (element?.tagName === undefined) return false;
  if (element.isContentEditable || element.tagName === "TEXTAREA") return true;
  const type = element.getAttribute("type");
  return element.tagName === "INPUT" && type !== "radio" && type !== "checkbox";
}

function latin(press: Press): string {
  const letter = /^Key([A-Z])$/.exec(press.code)?.[1];
  return letter !== undefined && press.key.charCodeAt(0) > 0x7f ? letter.toLowerCase() : press.key;
}
