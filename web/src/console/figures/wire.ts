/**
 * What the gateway counted of turns, read with suspicion.
 *
 * Refuses: figures without their pieces of time ({@link WireError}); a number that is missing is none.
 */

import { count, type Fields, list, object, required, share, text } from "../fields";

/** Milliseconds; null where there was nothing to time. */
export interface Times {
  readonly median: number | null;
  readonly p95: number | null;
}

export interface TierSums {
  /** Null where the settings have no tiers. */
  readonly tier: string | null;
  readonly turns: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Millionths of a US dollar. */
  readonly micros: number;
}

export interface ModelSums extends TierSums {
  readonly model: string;
}

export interface Summary {
  readonly turns: number;
  readonly escalated: number;
  /** Turns without a person, by who answered them. */
  readonly answered: Readonly<Record<string, number>>;
  readonly tiers: readonly TierSums[];
  readonly micros: number;
  readonly total: Times;
  readonly firstToken: Times;
}

/** An hour or a day. */
export interface Span extends Summary {
  readonly from: string;
  readonly to: string;
}

/** Turns whose confidence was from `from` on and below `to`. */
export interface ConfidenceBin {
  readonly from: number;
  readonly to: number;
  readonly turns: number;
  /** Their mean confidence. */
  readonly mean: number | null;
  /** How many of them somebody judged later, and how many of those to be good. */
  readonly judged: number;
  readonly good: number;
}

export interface Reason {
  readonly reason: string;
  readonly turns: number;
}

export interface Figures {
  readonly site: string | null;
  readonly sites: readonly { readonly site: string; readonly name: string }[];
  readonly by: "hour" | "day";
  /** When they were counted. */
  readonly at: string;
  readonly total: Summary;
  readonly spans: readonly Span[];
  readonly models: readonly ModelSums[];
  readonly confidence: readonly ConfidenceBin[];
  readonly reasons: readonly Reason[];
  readonly choices: readonly Reason[];
}

/** How one turn was answered. */
export interface Answered {
  readonly turnId: string;
  readonly createdAt: string;
  readonly source: string;
  readonly taskType: string | null;
  readonly complexity: number | null;
  readonly tier: string | null;
  readonly model: string | null;
  readonly reason: string | null;
  readonly reasons: readonly string[];
  readonly confidence: number | null;
  readonly micros: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly totalMs: number | null;
  readonly firstTokenMs: number | null;
  readonly scores: Readonly<Record<string, number>>;
}

export function readFigures(value: unknown): Figures {
  const fields = object(value, "figures");
  return {
    site: text(fields.site),
    sites: list(fields.sites, (item) => {
      const site = required(object(item, "sites"), "site");
      return { site, name: text(object(item, "sites").name) ?? site };
    }),
    by: fields.by === "hour" ? "hour" : "day",
    at: required(fields, "at"),
    total: readSummary(object(fields.total, "total")),
    spans: list(fields.spans, (item) => {
      const span = object(item, "spans");
      return { from: required(span, "from"), to: required(span, "to"), ...readSummary(span) };
    }),
    models: list(fields.models, (item) => {
      const model = object(item, "models");
      return { model: required(model, "model"), ...readSums(model) };
    }),
    confidence: list(fields.confidence, readBin),
    reasons: list(fields.reasons, readReason),
    choices: list(fields.choices, readReason),
  };
}

export function readAnswered(value: unknown): readonly Answered[] {
  return list(object(value, "answered").items, (item) => {
    const fields = object(item, "answered");
    return {
      turnId: required(fields, "turn_id"),
      createdAt: text(fields.created_at) ?? "",
      source: text(fields.source) ?? "",
      taskType: text(fields.task_type),
      complexity: share(fields.complexity),
      tier: text(fields.tier),
      model: text(fields.model),
      reason: text(fields.reason),
      reasons: list(fields.reasons, text).filter((reason) => reason !== null),
      confidence: share(fields.confidence),
      micros: count(fields.cost_micros),
      promptTokens: count(fields.prompt_tokens),
      completionTokens: count(fields.completion_tokens),
      totalMs: milliseconds(fields.total_ms),
      firstTokenMs: milliseconds(fields.first_token_ms),
      scores: numbers(fields.scores, share),
    };
  });
}

function readSummary(fields: Fields): Summary {
  return {
    turns: count(fields.turns),
    escalated: count(fields.escalated),
    answered: numbers(fields.answered, count),
    tiers: list(fields.tiers, (item) => readSums(object(item, "tiers"))),
    micros: count(fields.cost_micros),
    total: readTimes(fields.total_ms),
    firstToken: readTimes(fields.first_token_ms),
  };
}

function readSums(fields: Fields): TierSums {
  return {
    tier: text(fields.tier),
    turns: count(fields.turns),
    promptTokens: count(fields.prompt_tokens),
    completionTokens: count(fields.completion_tokens),
    micros: count(fields.cost_micros),
  };
}

function readTimes(value: unknown): Times {
  const fields = object(value ?? {}, "times");
  return { median: milliseconds(fields.median), p95: milliseconds(fields.p95) };
}

function readBin(value: unknown): ConfidenceBin {
  const fields = object(value, "confidence");
  return {
    from: share(fields.from) ?? 0,
    to: share(fields.to) ?? 1,
    turns: count(fields.turns),
    mean: share(fields.mean),
    judged: count(fields.judged),
    good: count(fields.good),
  };
}

function readReason(value: unknown): Reason {
  const fields = object(value, "reasons");
  return { reason: required(fields, "reason"), turns: count(fields.turns) };
}

function milliseconds(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? Math.max(0, value) : null;
}

/** The numbers of a record, by name. */
function numbers(value: unknown, read: (item: unknown) => number | null): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [name, item] of Object.entries(object(value ?? {}, "numbers"))) {
    const number = read(item);
    if (number !== null) found[name] = number;
  }
  return found;
}
