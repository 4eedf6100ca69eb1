/**
 * Codes and numbers of the wire, in plain words.
 *
 * Decides: what an operator is told about a reason, a confidence, an outcome or a failed call.
 * Refuses: to hide what it does not know; an unknown code is shown, made readable.
 */

import type { Trouble } from "./api";
import type { Strings } from "./strings";
import type { Attempt, Message } from "./wire";

const REASONS = ["low_confidence", "empty", "requested", "always", "visitor_asked"] as const;
type Reason = (typeof REASONS)[number] | "other";

/** Upper bounds of the five levels of `strings.why.levels`; 0.55 is the default threshold. */
const LEVELS = [0.2, 0.4, 0.55, 0.8];

export function why(reason: string, strings: Strings): string {
  return strings.why[known(reason)];
}

export function whyShort(reason: string, strings: Strings): string {
  return strings.why.short[known(reason)];
}

/** What a probability means for someone about to answer. */
export function likelihood(confidence: number, strings: Strings): string {
  const level = LEVELS.findIndex((bound) => confidence < bound);
  return strings.why.levels.at(level)?.(percent(confidence)) ?? "";
}

/** Where a text begins reading: by its first letter, as `dir="auto"` does. */
export function direction(text: string): "ltr" | "rtl" {
  const first = /\p{L}/u.exec(text)?.[0] ?? "";
  return /[\p{Script=Hebrew}\p{Script=Arabic}]/u.test(first) ? "rtl" : "ltr";
}

/** Whole percent; what is not certain never reads as 0 % or 100 %. */
export function percent(confidence: number): number {
  const rounded = Math.round(confidence * 100);
  if (confidence > 0 && rounded === 0) return 1;
  return confidence < 1 && rounded === 100 ? 99 : rounded;
}

export function outcome(attempt: Attempt, strings: Strings): string {
  return strings.delivery.outcomes[attempt.outcome] ?? readable(attempt.outcome);
}

export function kind(code: string, strings: Strings): string {
  return strings.delivery.kinds[code] ?? readable(code);
}

export function speaker(message: Message, strings: Strings): string {
  if (message.role === "user") return strings.talk.visitor;
  return message.role === "assistant" ? strings.talk.assistant : strings.talk.person;
}

/** One or two sentences: what happened, and what the gateway says would help. */
export function explain(trouble: Trouble, strings: Strings): string {
  const own = strings.trouble[trouble.kind];
  const fromGateway = trouble.kind === "refused" ? [trouble.detail, trouble.remedy] : [];
  const said = fromGateway.filter((part) => part !== "").map(sentence);
  return said.length > 0 ? said.join(" ") : own;
}

/** "Spanish" for "es"; the tag itself where the browser has no name for it. */
export function language(tag: string, strings: Strings): string {
  try {
    return new Intl.DisplayNames([strings.locale], { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag; // not a language tag
  }
}

/**
 * The `lang` of a text, as far as its script and the visitor's locale tell; undefined beats a
 * guess, because a screen reader would read the text in the wrong voice.
 */
export function languageOf(text: string, locale: string | null): string | undefined {
  const hebrew = /\p{Script=Hebrew}/u.test(text);
  if (hebrew) return "he";
  const latin = /\p{Script=Latin}/u.test(text);
  const base = locale?.split("-")[0] ?? "";
  return latin && ["en", "es", "fr", "de", "it", "pt", "nl"].includes(base) ? base : undefined;
}

function known(reason: string): Reason {
  return REASONS.find((name) => name === reason) ?? "other";
}

/** A code with its words apart. */
export function readable(code: string): string {
  const spaced = code.replaceAll(/[_-]+/g, " ").trim();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

function sentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}
