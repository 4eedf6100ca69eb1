/** What comes out: a guide for each kind of site, settings, the pinned tag, the policy. */

import { useRef } from "preact/hooks";
import type { Guide, Snippets } from "../../embed/wire";
import { explain } from "../../words";
import { useConsole, useStrings } from "../context";
import { Code, Marked } from "./code";

export function Output() {
  const { embed } = useConsole();
  const strings = useStrings();
  const { out: words } = strings.embed;
  const { value: made } = embed.snippets.value;
  const { value: trouble } = embed.snippets.trouble;
  return (
    <section class="output" aria-labelledby="embed-output">
      <h3 id="embed-output">{words.title}</h3>
      {trouble !== null && trouble.field !== "page" && (
        <p class="error" role="alert">
          {words.failed(explain(trouble, strings))}{" "}
          <button type="button" class="button-text" onClick={() => void embed.read()}>
            {words.again}
          </button>
        </p>
      )}
      {made === null && trouble === null && <p role="status">{words.loading}</p>}
      {made !== null && <Made made={made} />}
    </section>
  );
}

function Made({ made }: { made: Snippets }) {
  const { out: words } = useStrings().embed;
  return (
    <>
      <Guides guides={made.guides} />
      {made.settings !== "" && (
        <Code label={words.settings} hint={words.settingsHint} code={made.settings} />
      )}
      <Code label={words.pinned} hint={words.pinnedHint} code={made.pinned} />
      <Code label={words.csp} hint={words.cspHint} code={made.csp} />
    </>
  );
}

function Guides({ guides }: { guides: readonly Guide[] }) {
  const { embed } = useConsole();
  const { out: words } = useStrings().embed;
  const tabs = useRef<HTMLDivElement>(null);
  const [first] = guides;
  const { guide: wanted } = embed.place.value;
  const shown = guides.find(({ name }) => name === wanted) ?? first;
  if (shown === undefined || first === undefined) return null;
  const show = (guide: Guide): void => {
    const name = guide === first ? "" : guide.name;
    embed.visit({ ...embed.place.value, guide: name });
  };
  const move = (event: KeyboardEvent): void => {
    const to = moved(event.key, guides.indexOf(shown), guides.length, tabs.current);
    const guide = to === null ? undefined : guides[to];
    if (to === null || guide === undefined) return;
    event.preventDefault();
    show(guide);
    tabs.current?.querySelectorAll<HTMLElement>("[role=tab]")[to]?.focus();
  };
  return (
    <div class="guides">
      <div ref={tabs} class="guide-tabs" role="tablist" aria-label={words.guides} onKeyDown={move}>
        {guides.map((guide) => (
          <button
            key={guide.name}
            type="button"
            role="tab"
            class="tab"
            id={`guide-${guide.name}`}
            aria-selected={guide === shown}
            aria-controls="guide"
            tabIndex={guide === shown ? 0 : -1}
            onClick={() => show(guide)}
          >
            {guide.title}
          </button>
        ))}
      </div>
      <div id="guide" class="guide" role="tabpanel" aria-labelledby={`guide-${shown.name}`}>
        <ol>
          {shown.steps.map((step, place) => (
            <li key={step.text}>
              <p>
                <Marked text={step.text} />
              </p>
              {step.code !== "" && (
                <Code label={words.step(place + 1, shown.title)} code={step.code} plain />
              )}
            </li>
          ))}
        </ol>
      </div>
    </div>
  );
}

/** Where the arrow keys lead among tabs, round at the ends; mirrored where the page reads from the right. */
export function moved(
  key: string,
  at: number,
  count: number,
  within: HTMLElement | null,
): number | null {
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  const rtl = within !== null && getComputedStyle(within).direction === "rtl";
  const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
  return step === undefined ? null : (at + (rtl ? -step : step) + count) % count;
}
