/** The margin: contact, language, and where else the question was passed on to. */

import type { ComponentChildren } from "preact";
import type { Attempt, Delivery, Escalation } from "../wire";
import { kind, language, outcome } from "../words";
import { useConsole, useStrings } from "./context";
import { How } from "./figures/how";
import { AlertIcon, CheckIcon, ClockIcon } from "./icons";
import { Time } from "./text";

/** Attempts shown at once; older ones are one click away. */
const SHOWN_ATTEMPTS = 3;

/** With nowhere to be passed on to, a question that waits is simply open. */
function standing({ deliveries, status }: Escalation): Escalation["status"] {
  return status === "queued" && deliveries.length === 0 ? "delivered" : status;
}

export function Facts({ item }: { item: Escalation }) {
  const strings = useStrings();
  const { facts } = strings;
  return (
    <aside class="facts" aria-label={facts.title}>
      <dl>
        <Fact name={facts.status}>{strings.status[standing(item)]}</Fact>
        <Fact name={facts.contact}>
          {item.contact === null ? facts.noContact : <Contact text={item.contact} />}
          {item.consent && (
            <p class="hint" dir="auto">
              {facts.agreed} <Time at={item.consent.at} style="ago" />: “{item.consent.wording}”
            </p>
          )}
        </Fact>
        {item.verdict && (
          <Fact name={facts.verdict}>
            {facts.verdicts[item.verdict.signal]},{" "}
            <Time at={item.verdict.createdAt} style="since" />
            {item.verdict.text && (
              <p class="hint" dir="auto">
                “{item.verdict.text}”
              </p>
            )}
          </Fact>
        )}
        {item.locale && <Fact name={facts.language}>{language(item.locale, strings)}</Fact>}
        {item.site && <Fact name={facts.site}>{item.site}</Fact>}
        <Fact name={facts.judged}>{facts.judges[item.provenance]}</Fact>
        <Fact name={facts.reference}>
          <code>{item.id}</code>
        </Fact>
      </dl>
      <How item={item} />
      <Deliveries item={item} />
    </aside>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** A link only for what can be nothing but an address: no scheme comes from the visitor. */
function Contact({ text }: { text: string }) {
  const isAddress = /^[^\s@<>"?&]+@[^\s@<>"?&]+\.[^\s@<>"?&]+$/.test(text);
  return isAddress ? <a href={`mailto:${text}`}>{text}</a> : <span dir="auto">{text}</span>;
}

function Deliveries({ item }: { item: Escalation }) {
  const { desk } = useConsole();
  const { delivery } = useStrings();
  const resending = desk.working.value.get(item.id) === "resending";
  return (
    <section class="deliveries" aria-labelledby="deliveries">
      <h3 id="deliveries">{delivery.title}</h3>
      {item.deliveries.length === 0 && <p class="hint">{delivery.none}</p>}
      {item.deliveries.map((one, place) => (
        <Target key={place} delivery={one} />
      ))}
      {item.deliveries.length > 0 && (
        <button
          type="button"
          class="button"
          aria-disabled={resending}
          onClick={() => void desk.resend(item.id)}
        >
          {resending ? delivery.resending : delivery.resend}
        </button>
      )}
    </section>
  );
}

function Target({ delivery: one }: { delivery: Delivery }) {
  const strings = useStrings();
  const { delivery } = strings;
  const recent = one.attempts.slice(-SHOWN_ATTEMPTS);
  const older = one.attempts.slice(0, -SHOWN_ATTEMPTS);
  return (
    <article class={`target target-${one.state}`}>
      <p class="target-name">{one.target || kind(one.kind, strings)}</p>
      <p class="target-state">
        <StateIcon state={one.state} />
        {delivery.states[one.state]}
        <span class="target-kind">{kind(one.kind, strings)}</span>
        {one.action !== "open" && <span class="target-kind">{delivery.tells[one.action]}</span>}
      </p>
      {older.length > 0 && (
        <details>
          <summary>{delivery.older(older.length)}</summary>
          <Attempts attempts={older} />
        </details>
      )}
      <Attempts attempts={recent} />
      {one.nextAt && (
        <p class="target-next">
          {delivery.next} <Time at={one.nextAt} style="ago" />
        </p>
      )}
    </article>
  );
}

function StateIcon({ state }: { state: Delivery["state"] }) {
  if (state === "delivered" || state === "skipped") return <CheckIcon />;
  return state === "pending" ? <ClockIcon /> : <AlertIcon />;
}

function Attempts({ attempts }: { attempts: readonly Attempt[] }) {
  const strings = useStrings();
  const { delivery } = strings;
  if (attempts.length === 0) return <p class="hint">{delivery.noAttempt}</p>;
  return (
    <ol class="timeline">
      {attempts.map((attempt, place) => (
        <li key={place}>
          <p>
            <span class="timeline-time">
              <Time at={attempt.at} style="clock" />
            </span>{" "}
            {outcome(attempt, strings)}
            {attempt.status !== null && (
              <span class="timeline-code"> {delivery.status(attempt.status)}</span>
            )}
          </p>
          {attempt.detail && <p class="timeline-detail">{attempt.detail}</p>}
        </li>
      ))}
    </ol>
  );
}
