/** What can be chosen: one form, whose fields hold at once. */

import type { ComponentChildren } from "preact";
import { NONE, POSITIONS, THEMES } from "../../embed/choices";
import type { EmbedSite } from "../../embed/wire";
import { address } from "../../navigation";
import { language } from "../../words";
import { useConsole, useStrings } from "../context";
import { Colour } from "./colour";
import { Page } from "./page";

export function Chooser({ site }: { site: EmbedSite }) {
  const { embed } = useConsole();
  const { embed: words } = useStrings();
  const { value: place } = embed.place;
  const { choices } = place;
  const untouched = address({ ...place, choices: NONE }) === address(place);
  return (
    <form
      class="builder-form"
      aria-label={words.choices}
      onSubmit={(event) => event.preventDefault()}
    >
      <Sites />
      <Locale site={site} />
      <Segments
        name="position"
        label={words.position}
        options={POSITIONS.map((value) => [value, words.positions[value]] as const)}
        value={choices.position}
        onChoose={(position) => embed.choose({ position })}
      >
        <p class="hint">{words.positionHint}</p>
      </Segments>
      <Colour site={site} />
      <Segments
        name="theme"
        label={words.theme}
        options={THEMES.map((value) => [value, words.themes[value]] as const)}
        value={choices.theme || site.theme}
        onChoose={(theme) => embed.choose({ theme })}
      >
        <p class="hint" aria-live="polite">
          {words.themeHints[choices.theme || site.theme]}
        </p>
      </Segments>
      <Page site={site} />
      <button
        type="button"
        class="button"
        aria-disabled={untouched}
        onClick={() => embed.choose(NONE)}
      >
        {words.reset}
      </button>
    </form>
  );
}

function Sites() {
  const { embed } = useConsole();
  const { embed: words } = useStrings();
  const sites = embed.sites.value.value ?? [];
  if (sites.length < 2) return null;
  return (
    <div class="field">
      <label for="embed-site">{words.site}</label>
      <div class="select">
        <select
          id="embed-site"
          value={embed.site.value?.site}
          onChange={(event) => embed.chooseSite(event.currentTarget.value)}
        >
          {sites.map(({ site, name }) => (
            <option key={site} value={site}>
              {name} ({site})
            </option>
          ))}
        </select>
      </div>
    </div>
  );
}

function Locale({ site }: { site: EmbedSite }) {
  const { embed } = useConsole();
  const strings = useStrings();
  const { embed: words } = strings;
  return (
    <div class="field">
      <label for="embed-locale">{words.locale}</label>
      <div class="select">
        <select
          id="embed-locale"
          aria-describedby="embed-locale-hint"
          value={embed.place.value.choices.locale}
          onChange={(event) => embed.choose({ locale: event.currentTarget.value })}
        >
          <option value="">{words.localePage}</option>
          {site.locales.map((locale) => (
            <option key={locale} value={locale}>
              {language(locale, strings)}
            </option>
          ))}
        </select>
      </div>
      <p class="hint" id="embed-locale-hint">
        {words.localeHint}
      </p>
    </div>
  );
}

interface SegmentsProps<T extends string> {
  readonly name: string;
  readonly label: string;
  readonly options: readonly (readonly [T, string])[];
  readonly value: T;
  readonly onChoose: (value: T) => void;
  readonly children?: ComponentChildren;
}

export function Segments<T extends string>(props: SegmentsProps<T>) {
  const { name, label, options, value, onChoose, children } = props;
  return (
    <fieldset class="field">
      <legend>{label}</legend>
      <div class="segments">
        {options.map(([option, words]) => (
          <label key={option}>
            <input
              type="radio"
              name={`embed-${name}`}
              value={option}
              checked={option === value}
              onChange={() => onChoose(option)}
            />
            <span>{words}</span>
          </label>
        ))}
      </div>
      {children}
    </fieldset>
  );
}
