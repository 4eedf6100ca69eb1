/** All that an entry says to visitors, to be read and not to be changed. */

import type { Text } from "../../knowledge/wire";
import { languageOf } from "../../words";
import { Prose } from "../text";

export function Wording({ text, locale }: { text: Text; locale: string }) {
  const { question, variants, answer, links } = text;
  return (
    <>
      <p class="history-question" dir="auto" lang={languageOf(question, locale)}>
        {question}
      </p>
      {variants.length > 0 && (
        <ul class="history-lines">
          {variants.map((variant) => (
            <li key={variant} dir="auto" lang={languageOf(variant, locale)}>
              {variant}
            </li>
          ))}
        </ul>
      )}
      <Prose text={answer} locale={locale} />
      {links.length > 0 && (
        <ul class="history-lines">
          {links.map(({ title, url }) => (
            <li key={url}>
              <span dir="auto">{title}</span> <span dir="ltr">{url}</span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
