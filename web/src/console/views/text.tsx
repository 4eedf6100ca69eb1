/** Text of many origins: times, what a visitor wrote, what was answered. */

import { Markdown } from "../../markdown/render";
import { ago, brief, clock, exact, since } from "../time";
import { languageOf } from "../words";
import { useConsole, useStrings } from "./context";

const STYLES = { ago, brief, clock, since };

/** A time as people say it, with the exact one on hover. */
export function Time({ at, style }: { at: string; style: keyof typeof STYLES }) {
  const { locale } = useStrings();
  const now = useConsole().now.value;
  return (
    <time dateTime={at} title={exact(at, locale)}>
      {STYLES[style](at, now, locale)}
    </time>
  );
}

/** What a visitor typed: shown as typed, each text in its own direction. */
export function Plain({ text, locale }: { text: string; locale: string | null }) {
  return (
    <p class="plain" dir="auto" lang={languageOf(text, locale)}>
      {text}
    </p>
  );
}

/** A sentence of the gateway's, with each text that it quotes in that text's own direction. */
export function Quoting({ text }: { text: string }) {
  const parts = text.split(/("[^"]*"|“[^”]*”)/);
  return (
    <>{parts.map((part, place) => (place % 2 === 1 ? <bdi key={place}>{part}</bdi> : part))}</>
  );
}

/** What was answered: Markdown, by the same allow-list as in the visitor's panel. */
export function Prose({ text, locale }: { text: string; locale: string | null }) {
  return (
    <div class="prose" dir="auto" lang={languageOf(text, locale)}>
      <Markdown source={text} />
    </div>
  );
}

/** Stands where a list will, while it is on its way; `label` says so to who cannot see it. */
export function WaitingList({ label }: { readonly label: string }) {
  return (
    <div class="list-body">
      <p class="unseen" role="status">
        {label}
      </p>
      <ol class="rows" aria-hidden="true">
        {[1, 2, 3, 4].map((row) => (
          <li key={row} class="row-ghost" />
        ))}
      </ol>
    </div>
  );
}
