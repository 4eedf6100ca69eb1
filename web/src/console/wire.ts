/**
 * What the gateway says to the console, read with suspicion.
 *
 * Decides: which fields a view may rely on, and what stands in for one that is missing.
 * Refuses: a message without its identity or its question ({@link WireError}); the rest is
 * tolerated, because a console that shows most of an escalation beats one that shows none.
 */

import { list, object, oneOf, required, share, text, WireError } from "./fields";

export { WireError };

export type Status = "queued" | "delivered" | "resolved" | "failed";
export type Filter = "open" | "resolved" | "all";
/** `skipped`: resolved before the target had taken it. */
export type DeliveryState = "pending" | "delivered" | "failed" | "disabled" | "skipped";

export type DeliveryAction = "open" | "added" | "contact" | "reply" | "resolve" | "unseen";

const ACTIONS: readonly DeliveryAction[] = [
  "open",
  "added",
  "contact",
  "reply",
  "resolve",
  "unseen",
];

const STATES: readonly DeliveryState[] = ["pending", "delivered", "failed", "disabled", "skipped"];

export interface Message {
  readonly role: string;
  readonly content: string;
}

export interface Attempt {
  readonly at: string;
  readonly outcome: string;
  readonly status: number | null;
  readonly detail: string | null;
}

export interface Delivery {
  readonly target: string;
  readonly kind: string;
  readonly state: DeliveryState;
  readonly attempts: readonly Attempt[];
  readonly nextAt: string | null;
  /**
   * What the target is told: of the escalation itself, of a later turn, a contact, a reply, its end, or
   * that it has none yet, although it was closed there.
   */
  readonly action: DeliveryAction;
}

export interface Reply {
  readonly id: string;
  readonly author: string;
  readonly content: string;
  readonly createdAt: string;
}

export interface Consent {
  readonly wording: string;
  readonly at: string;
}

/** A later turn of the conversation, added while the question was open. */
export interface Added {
  readonly id: string;
  readonly question: string;
  readonly fallbackText: string | null;
  readonly createdAt: string;
}

/** What the visitor said of a person's answer. */
export interface Verdict {
  readonly signal: "worked" | "failed" | "partial";
  readonly text: string | null;
  readonly createdAt: string;
}

export interface Escalation {
  readonly id: string;
  readonly site: string;
  readonly conversationId: string;
  readonly turnId: string;
  readonly question: string;
  readonly fallbackText: string | null;
  readonly reason: string;
  /** Probability that the answer shown was right, or null where none was estimated. */
  readonly confidence: number | null;
  /** Whose word question, reason and confidence are: this gateway's, or the browser's alone. */
  readonly provenance: "server" | "client";
  readonly tail: readonly Message[];
  readonly locale: string | null;
  readonly contact: string | null;
  /** What the visitor agreed to as it was left; null of what an older gateway took. */
  readonly consent: Consent | null;
  readonly status: Status;
  readonly createdAt: string;
  readonly deliveries: readonly Delivery[];
  readonly replies: readonly Reply[];
  readonly added: readonly Added[];
  /** Null until the visitor has said anything. */
  readonly verdict: Verdict | null;
}

/** What the gateway made of a reply. */
export interface Replied {
  readonly reply: Reply;
  /** Whether the question is resolved now; not where the visitor asked more meanwhile. */
  readonly resolved: boolean;
}

/** How many of the visitor's turns are before whoever reads it. */
export function turnsOf(item: Escalation): number {
  return 1 + item.added.length;
}

export interface Page {
  readonly items: readonly Escalation[];
  /** Pass as `before` to read on; null at the end. */
  readonly next: string | null;
}

export interface Session {
  readonly operator: string;
  readonly csrf: string;
}

export function readSession(value: unknown): Session {
  const fields = object(value, "session");
  return { operator: required(fields, "operator"), csrf: required(fields, "csrf") };
}

export function readPage(value: unknown): Page {
  const fields = object(value, "page");
  if (!Array.isArray(fields.items)) throw new WireError("items");
  return { items: fields.items.map(readEscalation), next: text(fields.next) };
}

export function readEscalation(value: unknown): Escalation {
  const fields = object(value, "escalation");
  return {
    id: required(fields, "id"),
    site: text(fields.site) ?? "",
    conversationId: text(fields.conversation_id) ?? "",
    turnId: text(fields.turn_id) ?? "",
    question: required(fields, "question"),
    fallbackText: text(fields.fallback_text),
    reason: text(fields.reason) ?? "",
    confidence: share(fields.confidence),
    provenance: oneOf(fields.provenance, ["server", "client"], "client"),
    tail: list(fields.tail, readMessage),
    locale: text(fields.locale),
    contact: readContact(fields.contact),
    consent: readConsent(fields.contact_consent),
    status: oneOf(fields.status, ["queued", "delivered", "resolved", "failed"], "queued"),
    createdAt: required(fields, "created_at"),
    deliveries: list(fields.deliveries, readDelivery),
    replies: list(fields.replies, readReply),
    added: list(fields.added, readAdded),
    verdict: readVerdict(fields.verdict),
  };
}

function readAdded(value: unknown): Added {
  const fields = object(value, "added");
  return {
    id: required(fields, "id"),
    question: required(fields, "question"),
    fallbackText: text(fields.fallback_text),
    createdAt: required(fields, "created_at"),
  };
}

export function readReply(value: unknown): Reply {
  const fields = object(value, "reply");
  return {
    id: required(fields, "id"),
    author: text(fields.author) ?? "",
    content: required(fields, "content"),
    createdAt: required(fields, "created_at"),
  };
}

export function readReplied(value: unknown): Replied {
  return { reply: readReply(value), resolved: object(value, "reply").resolved === true };
}

function readMessage(value: unknown): Message {
  const fields = object(value, "tail");
  return { role: text(fields.role) ?? "", content: text(fields.content) ?? "" };
}

function readDelivery(value: unknown): Delivery {
  const fields = object(value, "deliveries");
  return {
    target: text(fields.target) ?? "",
    kind: text(fields.kind) ?? "",
    state: oneOf(fields.state, STATES, "pending"),
    attempts: list(fields.attempts, readAttempt),
    nextAt: text(fields.next_at),
    action: oneOf(fields.action, ACTIONS, "open"),
  };
}

function readAttempt(value: unknown): Attempt {
  const fields = object(value, "attempts");
  return {
    at: text(fields.at) ?? "",
    outcome: text(fields.outcome) ?? "",
    status: typeof fields.status === "number" ? fields.status : null,
    detail: text(fields.detail),
  };
}

function readConsent(value: unknown): Consent | null {
  if (typeof value !== "object" || value === null) return null;
  const fields = object(value, "contact_consent");
  return { wording: required(fields, "wording"), at: required(fields, "at") };
}

function readVerdict(value: unknown): Verdict | null {
  if (typeof value !== "object" || value === null) return null;
  const fields = object(value, "verdict");
  return {
    signal: oneOf(fields.signal, ["worked", "failed", "partial"], "partial"),
    text: text(fields.text),
    createdAt: required(fields, "created_at"),
  };
}

/** A contact is one line of text; a site that sends a record gets its values side by side. */
function readContact(value: unknown): string | null {
  if (typeof value !== "object" || value === null) return text(value);
  const values = Object.values(value).filter((part): part is string => text(part) !== null);
  return text(values.join(", "));
}
