/**
 * Codes of the knowledge base, in plain words.
 *
 * Refuses: to hide what it does not know; an unknown code is shown, made readable.
 */

import type { Strings } from "../strings";
import { percent, readable } from "../words";
import type { Trial } from "./wire";

/** Why an entry was found: "word for word; shares “track” and “order”". */
export function reasons(codes: readonly string[], strings: Strings): string {
  const { reasons: words } = strings.knowledge.trial;
  const shared = codes.filter((code) => code.startsWith("word:")).map((code) => code.slice(5));
  const said = codes
    .filter((code) => !code.startsWith("word:"))
    .map((code) => reason(code, strings));
  if (shared.length > 0) said.push(words.words(listed(shared, strings)));
  return said.join("; ");
}

function reason(code: string, strings: Strings): string {
  const { reasons: words } = strings.knowledge.trial;
  switch (code) {
    case "exact":
    case "question":
    case "chars":
    case "meaning":
    case "passage":
    case "other_locale":
      return words[code];
    default:
      return code.startsWith("variant:") ? words.variant : readable(code).toLowerCase();
  }
}

export function sureness(trial: Pick<Trial, "confidence" | "threshold">, strings: Strings): string {
  return strings.knowledge.trial.sure(percent(trial.confidence), percent(trial.threshold));
}

export function findingKind(code: string, strings: Strings): string {
  return strings.knowledge.check.kinds[code] ?? readable(code);
}

function listed(texts: readonly string[], strings: Strings): string {
  const quoted = texts.map((text) => `“${text}”`);
  return new Intl.ListFormat(strings.locale, { type: "conjunction" }).format(quoted);
}
