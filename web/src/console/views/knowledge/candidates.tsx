/** The nearest entries to a tried question, each with how sure and why. */

import type { Candidate, Trial } from "../../knowledge/wire";
import { reasons } from "../../knowledge/words";
import { address, type EntryKey } from "../../navigation";
import { languageOf, percent } from "../../words";
import { useConsole, useStrings } from "../context";
import { Scale } from "./scale";

export function Candidates({ found }: { found: Trial }) {
  const { trial: words } = useStrings().knowledge;
  return (
    <section class="candidates" aria-label={words.candidates}>
      <h3>{words.candidates}</h3>
      {found.candidates.length === 0 && <p class="hint">{words.noCandidates}</p>}
      <ol>
        {found.candidates.map((one) => (
          <One key={`${one.key.locale}/${one.key.id}`} candidate={one} />
        ))}
      </ol>
    </section>
  );
}

function One({ candidate }: { candidate: Candidate }) {
  const strings = useStrings();
  return (
    <li class="candidate">
      <EntryLink entry={candidate.key} question={candidate.question} />
      <span class="candidate-chance">
        {strings.knowledge.trial.chance(percent(candidate.confidence))}
      </span>
      <Scale value={candidate.confidence} threshold={null} />
      <span class="hint">{reasons(candidate.reasons, strings)}</span>
    </li>
  );
}

/** Leads to an entry of the site that is shown. */
export function EntryLink({ entry, question }: { entry: EntryKey; question: string }) {
  const { site } = useConsole().knowledge;
  const { id, locale } = entry;
  const place = {
    room: "knowledge",
    site: site.value?.site ?? null,
    page: "entries",
    entry: { id, locale },
  } as const;
  return (
    <a class="entry-link" href={address(place)} dir="auto" lang={languageOf(question, locale)}>
      {question}
    </a>
  );
}
