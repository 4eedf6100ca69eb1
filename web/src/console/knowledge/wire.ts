/**
 * What the gateway says about a site's knowledge, read with suspicion.
 *
 * Decides: which fields a view may rely on, and what stands in for one that is missing.
 * Refuses: an entry without its id, its language or its question, and a site without its key
 * ({@link WireError}); the rest is tolerated.
 */

import { count, type Fields, list, object, oneOf, required, share, text, texts } from "../fields";
import type { EntryKey } from "../navigation";

export const STEPS = ["reading", "calibrating", "learning", "writing", "loading"] as const;
export type Step = (typeof STEPS)[number];

export interface Building {
  readonly step: Step;
  /** Of this step, in [0, 1]. */
  readonly share: number;
}

export interface Site {
  readonly site: string;
  readonly name: string;
  readonly locales: readonly string[];
  readonly defaultLocale: string;
  readonly entries: number;
  readonly publishedAt: string | null;
  /** Entries whose draft differs from what visitors get. */
  readonly changes: number;
  /** An edit, a mark or the declared share came after what visitors get was made. */
  readonly unpublished: boolean;
  readonly threshold: number;
  readonly outOfScope: number;
  readonly marks: number;
  readonly building: Building | null;
  /** Why the last build did not go live. */
  readonly failed: string | null;
}

export interface Link {
  readonly title: string;
  readonly url: string;
}

/** What an operator writes. */
export interface Text {
  readonly question: string;
  readonly answer: string;
  readonly variants: readonly string[];
  readonly links: readonly Link[];
  readonly tags: readonly string[];
  readonly escalate: boolean;
  /** The first and the last day on which it holds, as 2026-12-24, or empty. */
  readonly valid_from: string;
  readonly valid_until: string;
}

export type EntryState = "live" | "changed" | "new" | "removed";

export interface Entry extends Text, EntryKey {
  readonly origin: "file" | "console";
  readonly state: EntryState;
  readonly author: string | null;
  readonly at: string | null;
  /** Another one after each edit; null where the gateway does not say. */
  readonly number: number | null;
}

export type Action = "edited" | "removed" | "restored" | "created";

export interface Change {
  readonly at: string;
  readonly author: string;
  readonly action: Action;
  /** What the edit wrote, where it wrote anything and the gateway says what. */
  readonly entry: Text | null;
}

/** An entry with what became of it. */
export interface Story {
  readonly entry: Entry;
  readonly history: readonly Change[];
  /** As the site's files have it, where they do. */
  readonly file: Text | null;
}

export interface EntryPage {
  readonly items: readonly Entry[];
  readonly next: string | null;
  readonly total: number;
}

export type Outcome = "answered" | "asked_back" | "handed_over";

export interface Candidate {
  readonly key: EntryKey;
  readonly question: string;
  readonly confidence: number;
  readonly reasons: readonly string[];
}

export interface Trial {
  readonly question: string;
  readonly outcome: Outcome;
  readonly confidence: number;
  readonly threshold: number;
  readonly answer: { readonly entry: EntryKey; readonly text: string } | null;
  readonly candidates: readonly Candidate[];
  /** False while the newest draft has not been looked at. */
  readonly built: boolean;
}

/** An entry as others speak of it. */
export interface Named extends EntryKey {
  readonly question: string;
}

export type Severity = "error" | "warning" | "advice";

export interface Finding {
  readonly kind: string;
  readonly severity: Severity;
  readonly entry: Named;
  readonly other: Named | null;
  readonly text: string;
  readonly remedy: string;
}

export interface Findings {
  readonly findings: readonly Finding[];
  readonly checkedAt: string | null;
  readonly running: boolean;
  /** Why the last check came to no end; what was found before it stays. */
  readonly failed: string | null;
}

export interface Unanswered {
  readonly question: string;
  readonly locale: string | null;
  readonly count: number;
  readonly lastAt: string | null;
  readonly similar: readonly string[];
  readonly nearest: (Named & { readonly confidence: number }) | null;
  readonly escalations: readonly string[];
}

export interface Mark {
  readonly id: string;
  readonly question: string;
  readonly entryId: string | null;
  readonly author: string;
  readonly at: string;
}

export interface Import {
  readonly id: string;
  readonly source: string;
  readonly added: readonly Named[];
  readonly changed: readonly Named[];
  readonly removed: readonly Named[];
  readonly unchanged: number;
  readonly problems: readonly string[];
}

export function readSites(value: unknown): readonly Site[] {
  return list(object(value, "sites").sites, readSite);
}

export function readSite(value: unknown): Site {
  const fields = object(value, "site");
  const locales = texts(fields.locales);
  const site = required(fields, "site");
  const changes = count(fields.changes);
  return {
    site,
    name: text(fields.name) ?? site,
    locales,
    defaultLocale: text(fields.default_locale) ?? locales[0] ?? "en",
    entries: count(fields.entries),
    publishedAt: text(fields.published_at),
    changes,
    unpublished: typeof fields.unpublished === "boolean" ? fields.unpublished : changes > 0,
    threshold: share(fields.threshold) ?? 0.55,
    outOfScope: share(fields.out_of_scope) ?? 0,
    marks: count(fields.marks),
    building: fields.building ? readBuilding(fields.building) : null,
    failed: text(fields.failed),
  };
}

function readBuilding(value: unknown): Building {
  const fields = object(value, "building");
  return { step: oneOf(fields.step, STEPS, "reading"), share: share(fields.share) ?? 0 };
}

/** The answer to "publish": what it is doing now. */
export function readPublished(value: unknown): Building {
  return readBuilding(object(value, "building").building ?? {});
}

export function readEntry(value: unknown): Entry {
  const fields = object(value, "entry");
  return {
    ...readKey(fields),
    ...readText(fields),
    question: required(fields, "question"),
    origin: oneOf(fields.origin, ["file", "console"], "console"),
    state: oneOf(fields.state, ["live", "changed", "new", "removed"], "live"),
    author: text(fields.author),
    at: text(fields.at),
    number: typeof fields.number === "number" ? count(fields.number) : null,
  };
}

function readText(fields: Fields): Text {
  return {
    question: text(fields.question) ?? "",
    answer: text(fields.answer) ?? "",
    variants: texts(fields.variants),
    links: list(fields.links, readLink),
    tags: texts(fields.tags),
    escalate: fields.escalate === true,
    valid_from: text(fields.valid_from) ?? "",
    valid_until: text(fields.valid_until) ?? "",
  };
}

function readLink(value: unknown): Link {
  const fields = object(value, "links");
  return { title: text(fields.title) ?? "", url: text(fields.url) ?? "" };
}

export function readStory(value: unknown): Story {
  const fields = object(value, "entry");
  return {
    entry: readEntry(value),
    history: list(fields.history, readChange),
    file: fields.file ? readText(object(fields.file, "file")) : null,
  };
}

function readChange(value: unknown): Change {
  const fields = object(value, "history");
  return {
    at: text(fields.at) ?? "",
    author: text(fields.author) ?? "",
    action: oneOf(fields.action, ["edited", "removed", "restored", "created"], "edited"),
    entry: fields.entry ? readText(object(fields.entry, "entry")) : null,
  };
}

export function readEntryPage(value: unknown): EntryPage {
  const fields = object(value, "page");
  const items = list(fields.items, readEntry);
  return { items, next: text(fields.next), total: Math.max(items.length, count(fields.total)) };
}

export function readTrial(value: unknown): Trial {
  const fields = object(value, "trial");
  const answer = fields.answer ? object(fields.answer, "answer") : null;
  return {
    question: text(fields.question) ?? "",
    outcome: oneOf(fields.outcome, ["answered", "asked_back", "handed_over"], "handed_over"),
    confidence: share(fields.confidence) ?? 0,
    threshold: share(fields.threshold) ?? 0.55,
    answer: answer && { entry: entryKey(answer), text: text(answer.text) ?? "" },
    candidates: list(fields.candidates, readCandidate),
    built: fields.built !== false,
  };
}

function readCandidate(value: unknown): Candidate {
  const fields = object(value, "candidates");
  return {
    key: entryKey(fields),
    question: required(fields, "question"),
    confidence: share(fields.confidence) ?? 0,
    reasons: texts(fields.reasons),
  };
}

export function readFindings(value: unknown): Findings {
  const fields = object(value, "findings");
  return {
    findings: list(fields.findings, readFinding),
    checkedAt: text(fields.checked_at),
    running: fields.running === true,
    failed: text(fields.failed),
  };
}

function readFinding(value: unknown): Finding {
  const fields = object(value, "findings");
  return {
    kind: text(fields.kind) ?? "",
    severity: oneOf(fields.severity, ["error", "warning", "advice"], "warning"),
    entry: readNamed(fields),
    other: fields.other ? readNamed(fields.other) : null,
    text: text(fields.text) ?? "",
    remedy: text(fields.remedy) ?? "",
  };
}

export function readUnanswered(value: unknown): readonly Unanswered[] {
  return list(object(value, "unanswered").items, (item) => {
    const fields = object(item, "items");
    const nearest = fields.nearest ? object(fields.nearest, "nearest") : null;
    return {
      question: required(fields, "question"),
      locale: text(fields.locale),
      count: Math.max(1, count(fields.count)),
      lastAt: text(fields.last_at),
      similar: texts(fields.similar),
      nearest: nearest && { ...readNamed(nearest), confidence: share(nearest.confidence) ?? 0 },
      escalations: texts(fields.escalations),
    };
  });
}

export function readMark(value: unknown): Mark {
  const fields = object(value, "mark");
  return {
    id: required(fields, "id"),
    question: required(fields, "question"),
    entryId: text(fields.entry_id),
    author: text(fields.author) ?? "",
    at: text(fields.at) ?? "",
  };
}

export function readMarks(value: unknown): readonly Mark[] {
  return list(object(value, "marks").items, readMark);
}

export function readImport(value: unknown): Import {
  const fields = object(value, "import");
  return {
    id: required(fields, "import_id"),
    source: text(fields.source) ?? "",
    added: list(fields.added, readNamed),
    changed: list(fields.changed, readNamed),
    removed: list(fields.removed, readNamed),
    unchanged: count(fields.unchanged),
    problems: texts(fields.problems),
  };
}

export function readLeftOut(value: unknown): number {
  return list(object(value, "site").left_out, entryKeyOf).length;
}

function entryKeyOf(value: unknown): EntryKey {
  return entryKey(object(value, "entry"));
}

function readNamed(value: unknown): Named {
  const fields = object(value, "entry");
  const key = entryKey(fields);
  return { ...key, question: text(fields.question) ?? key.id };
}

/** An entry's own message calls it `id`; others that speak of it, `entry_id`. */
function entryKey(fields: Fields): EntryKey {
  return { id: required(fields, "entry_id"), locale: required(fields, "locale") };
}

function readKey(fields: Fields): EntryKey {
  return { id: required(fields, "id"), locale: required(fields, "locale") };
}
