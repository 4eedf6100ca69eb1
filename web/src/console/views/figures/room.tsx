/** The figures: which time and site, and the charts of it. */

import { useEffect, useMemo, useRef } from "preact/hooks";
import { csv } from "../../figures/csv";
import { FIGURES, type FiguresPlace, RANGES } from "../../figures/place";
import type { Figures } from "../../figures/wire";
import { LANGUAGES, type Language } from "../../figures/words";
import { address, type Navigation } from "../../navigation";
import { clock } from "../../time";
import { explain } from "../../words";
import { everywhere, useKeys } from "../commands";
import { useConsole, useStrings } from "../context";
import { AlertIcon } from "../icons";
import { Body } from "./body";
import { Budgets } from "./budgets";
import { useFigureWords } from "./context";

export function FiguresRoom({ navigation }: { navigation: Navigation }) {
  const console = useConsole();
  const words = useFigureWords();
  useKeys(useMemo(() => everywhere(console, navigation), [console, navigation]));
  const { figures } = console.figures;
  useEffect(() => () => console.figures.leave(), [console]);
  const { value: shown } = figures.value;
  return (
    <main
      class="page page-figures"
      lang={words.locale.slice(0, 2)}
      dir={words.dir}
      aria-busy={figures.loading.value}
    >
      <div class="page-head">
        <div>
          <h2 tabIndex={-1}>{words.title}</h2>
          <p class="page-lead">{words.lead}</p>
        </div>
      </div>
      <Choices navigation={navigation} shown={shown} />
      <Stale />
      <Content shown={shown} />
      <Foot />
    </main>
  );
}

function Choices({ navigation, shown }: { navigation: Navigation; shown: Figures | null }) {
  const { figures } = useConsole();
  const words = useFigureWords();
  const { value: place } = figures.place;
  const sites = useSites(shown);
  const go = (change: Partial<FiguresPlace>): void => navigation.go({ ...place, ...change });
  return (
    <div class="figures-choices">
      <fieldset class="segments">
        <legend class="unseen">{words.range}</legend>
        {RANGES.map((range) => (
          <label key={range}>
            <input
              type="radio"
              name="range"
              value={range}
              checked={place.range === range}
              onChange={() => go({ range })}
            />
            <span>{words.ranges[range]}</span>
          </label>
        ))}
      </fieldset>
      {sites.length > 1 && (
        <label class="select">
          <span class="unseen">{words.site}</span>
          <select
            value={place.site ?? ""}
            onChange={(event) => go({ site: event.currentTarget.value || null })}
          >
            <option value="">{words.allSites}</option>
            {sites.map(({ site, name }) => (
              <option key={site} value={site}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
      <span class="bar-space" />
      {shown !== null && shown.total.turns > 0 && (
        <button
          type="button"
          class="button"
          onClick={() => download(words.file(place.range), csv(shown))}
        >
          {words.download}
        </button>
      )}
    </div>
  );
}

/** The sites as they were told last, so that they can still be chosen while others are counted. */
function useSites(shown: Figures | null): Figures["sites"] {
  const last = useRef<Figures["sites"]>([]);
  if (shown !== null) last.current = shown.sites;
  return last.current;
}

/** What is on screen could not be read again. */
function Stale() {
  const { figures } = useConsole().figures;
  const words = useFigureWords();
  const strings = useStrings();
  const { value: trouble } = figures.trouble;
  const stale = trouble !== null && figures.value.value !== null;
  return (
    <div class="page-broken" role="alert">
      {stale && (
        <>
          <AlertIcon />
          <p>{words.stale(explain(trouble, strings))}</p>
          <Again />
        </>
      )}
    </div>
  );
}

function Again() {
  const { figures } = useConsole();
  const words = useFigureWords();
  return (
    <button type="button" class="button" onClick={() => void figures.load()}>
      {words.again}
    </button>
  );
}

function Content({ shown }: { shown: Figures | null }) {
  const { figures } = useConsole();
  const words = useFigureWords();
  const strings = useStrings();
  const { value: trouble } = figures.figures.trouble;
  if (shown !== null && shown.total.turns > 0) return <Body figures={shown} />;
  if (shown !== null) {
    return (
      <>
        <Nothing />
        <Budgets />
      </>
    );
  }
  if (trouble === null || figures.figures.loading.value) return <Waiting text={words.loading} />;
  if (trouble.status === 404) {
    return (
      <div class="blank" role="alert">
        <p class="blank-title">{words.unknownSite}</p>
        <p>{words.unknownSiteBody}</p>
        <a class="button" href={address(FIGURES)}>
          {words.allSites}
        </a>
      </div>
    );
  }
  return (
    <div class="blank" role="alert">
      <p class="blank-title">{words.failed}</p>
      <p>{explain(trouble, strings)}</p>
      <Again />
    </div>
  );
}

function Nothing() {
  const words = useFigureWords();
  const { range } = useConsole().figures.place.value;
  return (
    <div class="blank">
      <svg class="blank-bars" width="72" height="48" viewBox="0 0 72 48" aria-hidden="true">
        <path d="M0 47.5h72" />
        {[14, 26, 20, 34, 28].map((height, place) => (
          <rect key={height} x={place * 14 + 2} y={46 - height} width="10" height={height} rx="2" />
        ))}
      </svg>
      <p class="blank-title">{words.empty}</p>
      <p>{words.emptyBody}</p>
      {range !== "90d" && <p class="hint">{words.emptyRange}</p>}
    </div>
  );
}

function Waiting({ text }: { text: string }) {
  return (
    <>
      <p class="unseen" role="status">
        {text}
      </p>
      <div class="figures" aria-hidden="true">
        <div class="figure-ghost figure-wide" />
        <div class="figure-ghost" />
        <div class="figure-ghost" />
      </div>
    </>
  );
}

/** What is counted, when it was, and in which language all this is told. */
function Foot() {
  const { figures, now } = useConsole();
  const words = useFigureWords();
  const { value: shown } = figures.figures.value;
  return (
    <div class="figures-foot">
      <p class="hint">
        {words.counted}{" "}
        {shown !== null && words.countedAt(clock(shown.at, now.value, words.locale))}
      </p>
      <label class="select">
        <span class="unseen">{words.language}</span>
        <select
          value={figures.language.value}
          onChange={(event) => figures.speak(event.currentTarget.value as Language)}
        >
          {Object.entries(LANGUAGES).map(([code, { own }]) => (
            <option key={code} value={code} lang={code}>
              {own}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

function download(name: string, text: string): void {
  // A mark at the beginning tells spreadsheets that it is UTF-8.
  const url = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
