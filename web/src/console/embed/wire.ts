/**
 * What the gateway says about embedding, read with suspicion.
 *
 * Refuses: a site without its key or its preview, and snippets without the tag ({@link WireError}); the rest is
 * tolerated.
 */

import { list, object, oneOf, required, text, texts } from "../fields";
import { fullColor, THEMES, type Theme } from "./choices";

export interface EmbedSite {
  readonly site: string;
  readonly name: string;
  readonly locales: readonly string[];
  readonly defaultLocale: string;
  readonly accent: string;
  readonly theme: Theme;
  readonly origins: readonly string[];
  /** The address of the page that shows it. */
  readonly preview: string;
}

export interface Step {
  readonly text: string;
  readonly code: string;
}

export interface Guide {
  readonly name: string;
  readonly title: string;
  readonly steps: readonly Step[];
}

export interface Snippets {
  readonly snippet: string;
  readonly pinned: string;
  /** Lines of a policy. */
  readonly csp: string;
  /** Lines of fanlight.toml; empty where none change. */
  readonly settings: string;
  readonly origins: readonly string[];
  /** Whether the page that was named may have it; null where none was. */
  readonly pageAllowed: boolean | null;
  readonly guides: readonly Guide[];
}

const ACCENT = "#1f5fbf";

export function readSites(value: unknown): readonly EmbedSite[] {
  return list(object(value, "sites").sites, (item) => {
    const fields = object(item, "site");
    const site = required(fields, "site");
    const locales = texts(fields.locales);
    return {
      site,
      name: text(fields.name) ?? site,
      locales,
      defaultLocale: text(fields.default_locale) ?? locales[0] ?? "en",
      accent: fullColor(text(fields.accent) ?? "") ?? ACCENT,
      theme: oneOf(fields.theme, THEMES, "auto"),
      origins: texts(fields.origins),
      preview: required(fields, "preview"),
    };
  });
}

export function readSnippets(value: unknown): Snippets {
  const fields = object(value, "snippets");
  const csp = object(fields.csp, "csp");
  return {
    snippet: required(fields, "snippet"),
    pinned: required(fields, "pinned"),
    csp: Object.entries(csp)
      .map(([directive, source]) => `${directive} ${source}`)
      .join("\n"),
    settings: text(fields.settings) ?? "",
    origins: texts(fields.origins),
    pageAllowed: typeof fields.page_allowed === "boolean" ? fields.page_allowed : null,
    guides: list(fields.guides, readGuide),
  };
}

function readGuide(value: unknown): Guide {
  const fields = object(value, "guide");
  return {
    name: required(fields, "name"),
    title: required(fields, "title"),
    steps: list(fields.steps, (item) => {
      const step = object(item, "step");
      return { text: text(step.text) ?? "", code: text(step.code) ?? "" };
    }),
  };
}
