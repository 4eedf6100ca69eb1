/** Which page shall have the chat, and whether it may. */

import type { EmbedSite } from "../../embed/wire";
import { useConsole, useStrings } from "../context";

export function Page({ site }: { site: EmbedSite }) {
  const { embed } = useConsole();
  const { embed: words } = useStrings();
  const refused = embed.snippets.trouble.value?.field === "page";
  return (
    <div class="field">
      <label for="embed-page">{words.page}</label>
      <input
        id="embed-page"
        class="input"
        type="url"
        inputMode="url"
        dir="ltr"
        autocomplete="off"
        placeholder={words.pagePlaceholder}
        value={embed.place.value.choices.page}
        aria-invalid={refused ? "true" : undefined}
        aria-describedby="embed-page-said"
        onInput={(event) => embed.choose({ page: event.currentTarget.value })}
      />
      <div id="embed-page-said" aria-live="polite">
        <Said site={site} />
      </div>
    </div>
  );
}

function Said({ site }: { site: EmbedSite }) {
  const { embed } = useConsole();
  const { embed: words } = useStrings();
  const { value: trouble } = embed.snippets.trouble;
  if (trouble?.field === "page") {
    return (
      <p class="error">
        {trouble.detail} {trouble.remedy}
      </p>
    );
  }
  const allowed = embed.snippets.value.value?.pageAllowed ?? null;
  if (embed.place.value.choices.page.trim() !== "" && allowed !== null) {
    return <p class={allowed ? "hint" : "error"}>{allowed ? words.pageYes : words.pageNo}</p>;
  }
  const { origins } = site;
  return (
    <p class="hint">{origins.length === 0 ? words.pageNone : words.pageHint(origins.join(", "))}</p>
  );
}
