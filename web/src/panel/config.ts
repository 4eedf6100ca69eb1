/**
 * What the gateway tells the panel about itself and the site, read once.
 *
 * Decides: defaults for what may be absent. Refuses: a document without the fields that nothing works
 * without, by an error that names the field.
 */

import type { Form, LocalModel } from "../engines/engine.ts";
import type { Opening } from "./attendance.ts";
import { parseTheme, type Theme } from "./look.ts";

/** A file whose address names it by its content. */
export interface Release {
  readonly url: string;
  readonly release: string;
  readonly bytes: number;
}

/** An encoder that a visitor may have on the device. */
export interface EncoderOffer extends Form {
  readonly id: string;
  readonly name: string;
  readonly licence: string;
}

export interface PanelConfig {
  readonly site_key: string;
  readonly mode: "panel" | "chat";
  /** In the builder's preview: nothing is kept, and nothing sent. */
  readonly preview: boolean;
  readonly gateway: string;
  readonly authority: string;
  readonly host_origins: readonly string[];
  readonly name: string;
  readonly accent: string;
  /** How it looks until the visitor chooses otherwise. */
  readonly theme: Theme;
  readonly locales: readonly string[];
  readonly default_locale: string;
  readonly confidence_threshold: number;
  /** How long a first word is waited for: as long as the gateway waits for its model. */
  readonly first_word_ms: number;
  /** Whose day it is that answers hold on. */
  readonly time_zone: string;
  /** When people are there in the days to come; null where the site has no hours. */
  readonly hours: readonly Opening[] | null;
  /** The index, and the embedding that it was built with: null where it knows words alone. */
  readonly kb: Release & { readonly embedding: Release | null };
  /** The models that a visitor may have on the device, the first choice first. */
  readonly local_models: readonly LocalModel[];
  /** What is high-stakes at this site beside what is everywhere: words by topic. */
  readonly risk_topics: Readonly<Record<string, readonly string[]>>;
  /** What searches by meaning on the device; null where the site has none. */
  readonly encoder?: EncoderOffer | null;
  readonly version: string;
  readonly build: string;
  /** The site's own first words, by language; the panel has its own where they are absent. */
  readonly greeting?: Readonly<Record<string, string>>;
  /** What was said beside the launcher, by its name and by language. */
  readonly greetings?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Visitors may speak, where their browser takes down speech. */
  readonly voice?: boolean;
  /** Questions to begin with, by language. */
  readonly starters?: Readonly<Record<string, readonly string[]>>;
}

const NEEDED = ["site_key", "gateway", "authority", "locales", "default_locale", "kb"] as const;
const DEFAULTS = {
  mode: "panel",
  preview: false,
  host_origins: [],
  name: "Fanlight",
  accent: "",
  confidence_threshold: 0.55,
  first_word_ms: 5000,
  time_zone: "UTC",
  hours: null,
  local_models: [],
  risk_topics: {},
  version: "",
  build: "",
} as const;

export function parseConfig(text: string | null | undefined): PanelConfig {
  const value = JSON.parse(text ?? "null") as Partial<PanelConfig> | null;
  for (const field of NEEDED) {
    if (value?.[field] === undefined) throw new TypeError(`fanlight-config lacks "${field}"`);
  }
  const kb = { embedding: null, ...value?.kb };
  return { ...DEFAULTS, ...value, kb, theme: parseTheme(value?.theme) } as PanelConfig;
}

export function readConfig(page: Document): PanelConfig {
  return parseConfig(page.getElementById("fanlight-config")?.textContent);
}
