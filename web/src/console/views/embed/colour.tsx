/** The accent: picked or written, with a word on whether text in it can be read. */

import { type Legible, legible } from "../../embed/legible";
import type { EmbedSite } from "../../embed/wire";
import { useConsole, useStrings } from "../context";
import { AlertIcon, CheckIcon } from "../icons";

export function Colour({ site }: { site: EmbedSite }) {
  const { embed } = useConsole();
  const { embed: words } = useStrings();
  const { accent } = embed.place.value.choices;
  const { value: draft } = embed.draft;
  const color = accent || site.accent;
  return (
    <div class="field">
      <label for="embed-accent">{words.accent}</label>
      <div class="line colour">
        <input
          type="color"
          class="swatch"
          aria-label={words.accentPick}
          value={color}
          onInput={(event) => embed.writeAccent(event.currentTarget.value)}
        />
        <input
          id="embed-accent"
          class="input"
          dir="ltr"
          autocomplete="off"
          spellcheck={false}
          maxLength={9}
          value={draft ?? color}
          aria-invalid={draft === null ? undefined : "true"}
          aria-describedby="embed-accent-said"
          onInput={(event) => embed.writeAccent(event.currentTarget.value)}
        />
        {accent !== "" && (
          <button
            type="button"
            class="button-text"
            title={words.accentOwn(site.accent)}
            onClick={() => {
              embed.writeAccent("");
              document.getElementById("embed-accent")?.focus();
            }}
          >
            {words.accentReset}
          </button>
        )}
      </div>
      <div id="embed-accent-said" aria-live="polite">
        {draft === null ? <Verdicts color={color} site={site} /> : <Wrong />}
      </div>
    </div>
  );
}

function Wrong() {
  return <p class="error">{useStrings().embed.accentWrong}</p>;
}

function Verdicts({ color, site }: { color: string; site: EmbedSite }) {
  const { embed } = useConsole();
  const found = legible(color, embed.place.value.choices.theme || site.theme);
  return (
    <ul class="legible">
      {found.map((one, place) =>
        place > 0 && !one.passes ? (
          <Also key={one.scheme} found={one} />
        ) : (
          <Verdict key={one.scheme} found={one} />
        ),
      )}
    </ul>
  );
}

/** No colour reads on a light and on a dark panel: where both are shown, one of them is always mended. */
function Also({ found }: { found: Legible }) {
  const { legible: words } = useStrings().embed;
  return (
    <li class="legible-good">
      <CheckIcon />
      <p>{words.also(words.scheme[found.scheme], found.nearest)}</p>
    </li>
  );
}

function Verdict({ found }: { found: Legible }) {
  const { embed } = useConsole();
  const { legible: words } = useStrings().embed;
  const { scheme, ratio, needed, passes, nearest } = found;
  const panel = words.scheme[scheme];
  // Cut off rather than rounded: 4.49 is not 4.5.
  const shown = (Math.floor(ratio * 10) / 10).toFixed(1);
  return (
    <li class={passes ? "legible-good" : "legible-bad"}>
      {passes ? <CheckIcon /> : <AlertIcon />}
      <div>
        <p>{passes ? words.good(panel, shown) : words.bad(panel, shown, String(needed))}</p>
        {!passes && (
          <p>
            {words.instead(nearest)}{" "}
            <button
              type="button"
              class="button-inline"
              onClick={() => {
                embed.writeAccent(nearest);
                document.getElementById("embed-accent")?.focus();
              }}
            >
              {words.use(nearest)}
            </button>
          </p>
        )}
      </div>
    </li>
  );
}
