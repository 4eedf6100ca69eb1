/**
 * How a visitor may be reached when a person answers later.
 *
 * Decides: what looks like an e-mail address or a telephone number, and under which question the visitor is asked for
 * one: once, under the newest that waits. Refuses: anything else, before it is sent.
 */
import { type Entry, waitsForPerson } from "../vault/entry.ts";

const ADDRESS = /^[^\s@<>"?&]+@[^\s@<>"?&]+\.[^\s@<>"?&]+$/;
const NUMBER = /^\+?[\d\s().\-/]{6,40}$/;
const DIGITS = 6;

/** The contact that was written; undefined where it is none. */
export function contactOf(written: string): string | undefined {
  const text = written.trim();
  if (ADDRESS.test(text)) return text;
  const digits = text.replace(/\D/g, "").length;
  return NUMBER.test(text) && digits >= DIGITS ? text : undefined;
}

/** The turn under which the visitor may leave a contact, if there is one and none was left. */
export function turnToOffer(entries: readonly Entry[]): string | undefined {
  const waiting = entries.filter(waitsForPerson);
  const left = waiting.some(({ escalation }) =>
    ["waiting", "sent"].includes(escalation?.contact ?? ""),
  );
  return left ? undefined : waiting.at(-1)?.turn_id;
}
