/**
 * What the gateway says about how sites speak, read with suspicion.
 *
 * Refuses: a site without its key, and a personality without its name ({@link WireError}); the rest is tolerated.
 */

import { type FieldFlaw, readFlaw } from "../api";
import { count, type Fields, list, object, oneOf, required, share, text, texts } from "../fields";
import type { Document, Limits } from "./form";

export type Origin = "console" | "folder" | "fanlight";

/** What an operator chose. */
export interface Chosen {
  /** Null: the chat speaks as its model does. */
  readonly name: string | null;
  readonly author: string;
  readonly at: string;
}

export interface Choice {
  /** What fanlight.toml names. */
  readonly configured: string | null;
  /** Null where nobody chose here. */
  readonly chosen: Chosen | null;
  readonly inUse: string | null;
}

export interface SpeakingSite extends Choice {
  readonly site: string;
  readonly name: string;
  readonly locales: readonly string[];
  readonly defaultLocale: string;
  /** Whether there is a model that could speak. */
  readonly models: boolean;
}

export interface Item {
  readonly name: string;
  readonly origin: Origin;
  /** Null where its file cannot be used. */
  readonly personality: Document | null;
  readonly flaws: readonly FieldFlaw[];
  readonly author: string | null;
  readonly at: string | null;
  readonly number: number;
  /** Whether it is there without its newest edit too. */
  readonly undoable: boolean;
}

export interface Shown {
  readonly site: SpeakingSite;
  readonly limits: Limits;
  readonly mostTexts: number;
  readonly items: readonly Item[];
}

/** What a model would be told, by language. */
export type Told = Readonly<Record<string, string>>;

export interface Tried {
  readonly reply: string;
  readonly source: string;
  readonly model: string | null;
  readonly confidence: number;
  readonly threshold: number;
  /** What a visitor would be shown in the reply's place; null where the reply is trusted. */
  readonly fallback: string | null;
}

export function readSites(value: unknown): readonly SpeakingSite[] {
  return list(object(value, "sites").sites, (item) => readSite(object(item, "site")));
}

export function readShown(value: unknown): Shown {
  const fields = object(value, "site");
  const limits = Object.entries(object(fields.limits, "limits"));
  return {
    site: readSite(fields),
    limits: Object.fromEntries(limits.map(([name, most]) => [name, count(most)])),
    mostTexts: count(fields.most_texts),
    items: list(fields.items, readItem),
  };
}

function readSite(fields: Fields): SpeakingSite {
  const site = required(fields, "site");
  const locales = texts(fields.locales);
  return {
    site,
    name: text(fields.name) ?? site,
    locales,
    defaultLocale: text(fields.default_locale) ?? locales[0] ?? "en",
    models: fields.models !== false,
    ...readChoice(fields),
  };
}

export function readChoice(value: unknown): Choice {
  const fields = object(value, "choice");
  const chosen = fields.chosen ? object(fields.chosen, "chosen") : null;
  return {
    configured: text(fields.configured),
    chosen: chosen && {
      name: text(chosen.name),
      author: text(chosen.author) ?? "",
      at: text(chosen.at) ?? "",
    },
    inUse: text(fields.in_use),
  };
}

export function readItem(value: unknown): Item {
  const fields = object(value, "item");
  return {
    name: required(fields, "name"),
    origin: oneOf(fields.origin, ["console", "folder", "fanlight"], "fanlight"),
    personality: fields.personality ? object(fields.personality, "personality") : null,
    flaws: list(fields.flaws, readFlaw),
    author: text(fields.author),
    at: text(fields.at),
    number: count(fields.number),
    undoable: fields.undoable === true,
  };
}

export function readTold(value: unknown): Told {
  const told = Object.entries(object(object(value, "told").told, "told"));
  return Object.fromEntries(told.map(([locale, said]) => [locale, text(said) ?? ""]));
}

export function readTried(value: unknown): Tried {
  const fields = object(value, "tried");
  return {
    reply: text(fields.reply) ?? "",
    source: text(fields.source) ?? "",
    model: text(fields.model),
    confidence: share(fields.confidence) ?? 0,
    threshold: share(fields.threshold) ?? 0.55,
    fallback: text(fields.fallback),
  };
}
