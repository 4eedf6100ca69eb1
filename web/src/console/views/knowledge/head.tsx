/** The room's head: which site, which page, and how things stand with publishing. */

import { address, PAGES, type Page } from "../../navigation";
import { useConsole, useStrings } from "../context";
import { Publishing } from "./publish";

export function Head() {
  const { knowledge: words } = useStrings();
  return (
    <div class="head">
      <nav class="tabs" aria-label={words.pages}>
        <SitePicker />
        {PAGES.map((page) => (
          <Tab key={page} page={page} />
        ))}
      </nav>
      <Publishing />
    </div>
  );
}

function Tab({ page }: { page: Page }) {
  const { knowledge } = useConsole();
  const { knowledge: words } = useStrings();
  const { value: place } = knowledge.place;
  const site = knowledge.site.value?.site ?? null;
  const number = useTally(page);
  const here = place.page === page;
  // The entry that was open stays so while another page is looked at.
  const entry = page === "entries" ? knowledge.editor.key.value : null;
  return (
    <a
      class="tab"
      href={address({ room: "knowledge", site, page, entry })}
      aria-current={here ? "page" : undefined}
    >
      {words.page[page]}
      {number > 0 && <span class="tab-number">{number}</span>}
    </a>
  );
}

/** How much waits on a page, as far as it was read. */
function useTally(page: Page): number {
  const { knowledge } = useConsole();
  if (page === "unanswered") return knowledge.unanswered.items.value?.length ?? 0;
  return page === "check" ? (knowledge.check.findings.value.value?.findings.length ?? 0) : 0;
}

function SitePicker() {
  const { knowledge } = useConsole();
  const { knowledge: words } = useStrings();
  const sites = knowledge.sites.value.value ?? [];
  if (sites.length < 2) return null;
  return (
    <label class="select">
      <span class="unseen">{words.site}</span>
      <select
        value={knowledge.site.value?.site ?? ""}
        onChange={(event) =>
          knowledge.visit({
            ...knowledge.place.value,
            site: event.currentTarget.value,
            entry: null,
          })
        }
      >
        {sites.map(({ site, name }) => (
          <option key={site} value={site}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
