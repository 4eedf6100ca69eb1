/** What a model is told of the open personality, in each language of the site; and a question to try. */

import { NONE } from "../../personality/place";
import type { Tried } from "../../personality/wire";
import { direction, language, percent } from "../../words";
import { Reason } from "../absent";
import { useConsole, useStrings } from "../context";
import { AlertIcon, CheckIcon } from "../icons";
import { Prose } from "../text";
import { usePersonalityWords } from "./context";

export function Preview() {
  const { personality } = useConsole();
  const words = usePersonalityWords();
  if (personality.name.value === NONE || personality.form.value === null) return null;
  return (
    <aside class="manner-beside" aria-label={words.preview.title}>
      <Told />
      <Trial />
    </aside>
  );
}

function Told() {
  const { personality } = useConsole();
  const { preview: words } = usePersonalityWords();
  const { value: told } = personality.told.value;
  const { value: trouble } = personality.told.trouble;
  const locale = personality.localeShown();
  const said = told?.[locale] ?? "";
  return (
    <section class="manner-told" aria-labelledby="manner-told">
      <h3 id="manner-told">{words.title}</h3>
      <p class="hint">{words.lead}</p>
      <Languages />
      {trouble !== null && (
        <p class="error" role="alert">
          {words.failed} <Reason trouble={trouble} />
        </p>
      )}
      {told === null && trouble === null && (
        <p class="hint" role="status">
          {words.loading}
        </p>
      )}
      {told !== null && (
        <div class="manner-lines" lang={locale} dir={direction(said)}>
          {said.split("\n").map((line, place) => (
            <p key={place} dir="auto">
              {line}
            </p>
          ))}
        </div>
      )}
    </section>
  );
}

function Languages() {
  const { personality } = useConsole();
  const words = usePersonalityWords();
  const strings = useStrings();
  const locales = personality.site.value?.locales ?? [];
  const shown = personality.localeShown();
  if (locales.length < 2) return null;
  return (
    <fieldset class="field">
      <legend class="unseen">{words.preview.language}</legend>
      <div class="segments manner-segments">
        {locales.map((locale) => (
          <label key={locale}>
            <input
              type="radio"
              name="manner-locale"
              value={locale}
              checked={locale === shown}
              onChange={() => {
                personality.locale.value = locale;
              }}
            />
            <span>{language(locale, { ...strings, locale: words.locale })}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function Trial() {
  const { personality } = useConsole();
  const { trial: words } = usePersonalityWords();
  const { value: tried } = personality.tried.value;
  const { value: trouble } = personality.tried.trouble;
  const { value: asking } = personality.tried.loading;
  return (
    <form
      class="manner-trial"
      aria-labelledby="manner-trial"
      onSubmit={(event) => {
        event.preventDefault();
        void personality.attempt();
      }}
    >
      <h3 id="manner-trial">{words.title}</h3>
      <div class="line">
        <input
          id="manner-question"
          class="input"
          dir={personality.question.value === "" ? undefined : "auto"}
          autocomplete="off"
          aria-label={words.field}
          aria-describedby="manner-trial-hint"
          placeholder={words.placeholder}
          value={personality.question.value}
          onInput={(event) => {
            personality.question.value = event.currentTarget.value;
          }}
        />
        <button type="submit" class="button" aria-disabled={asking}>
          {asking ? words.asking : words.ask}
        </button>
      </div>
      <p class="hint" id="manner-trial-hint">
        {words.hint}
      </p>
      <p class="error" role="alert">
        {trouble !== null && <Reason trouble={trouble} />}
      </p>
      <div role="status">{tried !== null && <Answered tried={tried} />}</div>
    </form>
  );
}

function Answered({ tried }: { tried: Tried }) {
  const { personality } = useConsole();
  const { trial: words } = usePersonalityWords();
  const locale = personality.localeShown();
  const trusted = tried.fallback === null;
  return (
    <div class="manner-answer">
      <p class={trusted ? "manner-verdict" : "manner-verdict manner-unsure"}>
        {trusted ? <CheckIcon /> : <AlertIcon />}
        {trusted ? words.shown : words.notShown(percent(tried.confidence))}
      </p>
      {tried.reply !== "" && <Prose text={tried.reply} locale={locale} />}
      {tried.reply === "" && <p class="hint">{words.noReply}</p>}
      <p class="hint">
        {tried.source === "kb" && words.byKnowledge}
        {tried.source !== "kb" && tried.model !== null && words.byModel(tried.model)}
      </p>
      {tried.fallback !== null && (
        <blockquote class="manner-fallback">
          <Prose text={tried.fallback} locale={locale} />
        </blockquote>
      )}
    </div>
  );
}
