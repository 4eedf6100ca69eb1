/** What the check found, worst first, each leading to the entry that it is about. */

import type { Finding, Findings, Severity } from "../../knowledge/wire";
import { findingKind } from "../../knowledge/words";
import { explain } from "../../words";
import { useConsole, useStrings } from "../context";
import { AlertIcon } from "../icons";
import { Quoting, Time } from "../text";
import { EntryLink } from "./candidates";

const SEVERITIES: readonly Severity[] = ["error", "warning", "advice"];

export function Check() {
  const { check } = useConsole().knowledge;
  const { check: words } = useStrings().knowledge;
  const { value: found } = check.findings.value;
  return (
    <main class="page" aria-label={words.title}>
      <div class="page-head">
        <div>
          <h2>{words.title}</h2>
          <p class="page-lead">{words.lead}</p>
        </div>
        {found && (
          <button
            type="button"
            class={found.checkedAt === null ? "button button-primary" : "button"}
            aria-disabled={found.running}
            onClick={() => void check.run()}
          >
            {found.checkedAt === null ? words.first : words.run}
          </button>
        )}
      </div>
      <p class="page-state" role="status">
        {found && <State found={found} />}
      </p>
      <Broken />
      <Body />
    </main>
  );
}

function State({ found }: { found: Findings }) {
  const { check: words } = useStrings().knowledge;
  if (found.running) return <span class="busy">{words.running}</span>;
  if (found.checkedAt === null) return <>{words.never}</>;
  return (
    <>
      {words.at} <Time at={found.checkedAt} style="since" />
      {found.findings.length > 0 && `: ${words.tally(found.findings.length)}`}
    </>
  );
}

/** Above what an earlier check found, which stays. */
function Broken() {
  const { check } = useConsole().knowledge;
  const { check: words, again } = useStrings().knowledge;
  const { value: found } = check.findings.value;
  const failed = found?.running === false ? found.failed : null;
  return (
    <div class="page-broken" role="alert">
      {failed !== null && (
        <>
          <AlertIcon />
          <p>{words.broken(failed)}</p>
          <button type="button" class="button-text" onClick={() => void check.run()}>
            {again}
          </button>
        </>
      )}
    </div>
  );
}

function Body() {
  const { check } = useConsole().knowledge;
  const strings = useStrings();
  const { check: words, again } = strings.knowledge;
  const { value: found } = check.findings.value;
  const { value: trouble } = check.findings.trouble;
  if (trouble !== null) {
    return (
      <div class="blank" role="alert">
        <p class="blank-title">{words.failed}</p>
        <p>{explain(trouble, strings)}</p>
        <button type="button" class="button" onClick={() => void check.load()}>
          {again}
        </button>
      </div>
    );
  }
  if (found === null) return <p class="blank">{words.loading}</p>;
  if (found.findings.length === 0) {
    if (found.checkedAt === null || found.running || found.failed !== null) return null;
    return (
      <div class="blank">
        <p class="blank-title">{words.clean}</p>
        <p>{words.cleanBody}</p>
      </div>
    );
  }
  return (
    <>
      {SEVERITIES.map((severity) => (
        <Group
          key={severity}
          severity={severity}
          findings={found.findings.filter((one) => one.severity === severity)}
        />
      ))}
    </>
  );
}

function Group(props: { readonly severity: Severity; readonly findings: readonly Finding[] }) {
  const { check: words } = useStrings().knowledge;
  if (props.findings.length === 0) return null;
  const id = `severity-${props.severity}`;
  return (
    <section class={`findings findings-${props.severity}`} aria-labelledby={id}>
      <h3 id={id}>
        {words.severities[props.severity]} <span class="tab-number">{props.findings.length}</span>
      </h3>
      <ul class="cards">
        {props.findings.map((finding, place) => (
          <One key={place} finding={finding} />
        ))}
      </ul>
    </section>
  );
}

function One({ finding }: { finding: Finding }) {
  const strings = useStrings();
  const { entry, other } = finding;
  return (
    <li class="card">
      <p class="finding-entry">
        <EntryLink entry={entry} question={entry.question} />
        {other && (
          <>
            {" "}
            <span class="hint">{strings.knowledge.check.with}</span>{" "}
            <EntryLink entry={other} question={other.question} />
          </>
        )}
        <span class="badge">{findingKind(finding.kind, strings)}</span>
      </p>
      <p>
        <Quoting text={finding.text} />
      </p>
      <p class="finding-remedy">
        <Quoting text={finding.remedy} />
      </p>
    </li>
  );
}
