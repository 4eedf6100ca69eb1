/** Text of many origins: times, what a visitor wrote, what was answered. */

import { Markdown } from "../../markdown/render";
import { ago, brief, clock, exact } from "../time";
import { languageOf } from "../words";
import { useConsole, useStrings } from "./context";

const STYLES = { ago, brief, clock };

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

/** What was answered: Markdown, by the same allow-list as in the visitor's panel. */
export function Prose({ text, locale }: { text: string; locale: string | null }) {
  return (
    <div class="prose" dir="auto" lang={languageOf(text, locale)}>
      <Markdown source={text} />
    </div>
  );
}
