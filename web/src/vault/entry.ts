/**
 * What one line of a conversation is, and whether something read from storage is one.
 *
 * Decides: the schema of the vault. Refuses: anything that does not fit it, so that a corrupt or a
 * tampered vault can never reach the screen or the gateway.
 */

export type Role = "user" | "assistant" | "person";
/** Who made a reply: the KB, a model in the browser, a model behind the gateway, or the safe default; or a question back. */
export type ReplySource = "kb" | "local" | "cloud" | "fallback" | "clarify";
export type EscalationStatus =
  | "unsent"
  | "queued"
  | "delivered"
  | "answered"
  | "resolved"
  | "refused";
export type EscalationReason =
  | "low_confidence"
  | "empty"
  | "requested"
  | "always"
  | "visitor_asked";

/** What the visitor thinks of an answer. */
export type Mark = "up" | "down";
/** Whether a person's answer helped; or that the visitor would not be asked. */
export type Verdict = "worked" | "failed" | "unsaid";
export type ContactStatus = "waiting" | "sent" | "refused";

export interface Citation {
  readonly title: string;
  readonly url: string;
}

export interface Suggestion {
  readonly entry_id: string;
  readonly question: string;
}

export interface Escalation {
  readonly status: EscalationStatus;
  readonly reason: EscalationReason;
  readonly id?: string | undefined;
  /** When people are back, where nobody was there as it was sent. */
  readonly back_at?: string | undefined;
  /** What became of a contact that the visitor left; the contact itself is not kept here. */
  readonly contact?: ContactStatus | undefined;
}

/** One line: a question, an answer, or a person's reply. Lines of one turn share `turn_id`. */
export interface Entry {
  readonly id: string;
  readonly turn_id: string;
  readonly role: Role;
  readonly content: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Grows with every change, so that two tabs agree on the newer one. */
  readonly rev: number;
  readonly source?: ReplySource | undefined;
  readonly confidence?: number | undefined;
  readonly citations?: readonly Citation[] | undefined;
  readonly suggestions?: readonly Suggestion[] | undefined;
  /** Where the sentence of the reply stands that speaks for the question. */
  readonly sentence?: readonly [number, number] | undefined;
  readonly disclaimers?: readonly string[] | undefined;
  readonly reasoning?: string | undefined;
  readonly author?: string | undefined;
  /** The answer's own language, where it is known. */
  readonly locale?: string | undefined;
  readonly escalation?: Escalation | undefined;
  readonly stopped?: boolean | undefined;
  readonly mark?: Mark | undefined;
  /** A person's reply that the visitor has not had before their eyes yet. */
  readonly unseen?: boolean | undefined;
  /** Of a person's answer to this question. */
  readonly verdict?: Verdict | undefined;
  /** Made on this device: the question was sent to nobody. */
  readonly here?: boolean | undefined;
  /** The question was kept from the language model: it read like an order to it, or asked for harm. */
  readonly guarded?: boolean | undefined;
}

const ROLES: readonly unknown[] = ["user", "assistant", "person"];
const SOURCES: readonly unknown[] = [undefined, "kb", "local", "cloud", "fallback", "clarify"];
const REASONS: readonly unknown[] = [
  "low_confidence",
  "empty",
  "requested",
  "always",
  "visitor_asked",
];
const STATUSES: readonly unknown[] = [
  "unsent",
  "queued",
  "delivered",
  "answered",
  "resolved",
  "refused",
];
const MARKS: readonly unknown[] = [undefined, "up", "down"];
const VERDICTS: readonly unknown[] = [undefined, "worked", "failed", "unsaid"];
const CONTACTS: readonly unknown[] = [undefined, "waiting", "sent", "refused"];
const LONGEST = 20_000;

type Fields = Record<string, unknown>;

export function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= LONGEST;
}

function isListOf(value: unknown, ...keys: readonly string[]): boolean {
  if (value === undefined) return true;
  return (
    Array.isArray(value) &&
    value.length <= 20 &&
    value.every((item) => isRecord(item) && keys.every((key) => isText(item[key])))
  );
}

/** Whether `value` is a place in a text: where it starts and ends. */
export function isSpan(value: unknown): value is readonly [number, number] {
  return Array.isArray(value) && value.length === 2 && value.every(Number.isInteger);
}

function isEscalation(value: unknown): boolean {
  if (value === undefined) return true;
  if (!isRecord(value)) return false;
  const named = [value.id, value.back_at].every((one) => one === undefined || isText(one));
  return (
    named &&
    STATUSES.includes(value.status) &&
    REASONS.includes(value.reason) &&
    CONTACTS.includes(value.contact)
  );
}

/** Whether a person is still to answer this. */
export function waitsForPerson({ escalation }: Entry): boolean {
  return ["unsent", "queued", "delivered"].includes(escalation?.status ?? "");
}

/** Whether `value` is an entry, every field checked. */
export function isEntry(value: unknown): value is Entry {
  if (!isRecord(value)) return false;
  return (
    isText(value.id) &&
    isText(value.turn_id) &&
    isText(value.content) &&
    ROLES.includes(value.role) &&
    SOURCES.includes(value.source) &&
    MARKS.includes(value.mark) &&
    VERDICTS.includes(value.verdict) &&
    Number.isFinite(value.at) &&
    Number.isInteger(value.rev) &&
    (value.confidence === undefined || Number.isFinite(value.confidence)) &&
    (value.author === undefined || isText(value.author)) &&
    (value.locale === undefined || isText(value.locale)) &&
    (value.reasoning === undefined || isText(value.reasoning)) &&
    (value.disclaimers === undefined ||
      (Array.isArray(value.disclaimers) && value.disclaimers.every(isText))) &&
    isListOf(value.citations, "title", "url") &&
    isListOf(value.suggestions, "entry_id", "question") &&
    (value.sentence === undefined || isSpan(value.sentence)) &&
    isEscalation(value.escalation)
  );
}
