/** The card that says a person will answer, and how far the question has come. */
import type { VNode } from "preact";
import type { Escalation, EscalationStatus } from "../../vault/entry.ts";
import { useBack } from "./back.ts";
import { Contact } from "./contact.tsx";
import { usePanel } from "./context.ts";
import { Fanlight } from "./icons.tsx";

/** Each step of the way lights another pane of the window. */
const LIT: Readonly<Record<EscalationStatus, number>> = {
  unsent: 0,
  queued: 1,
  delivered: 2,
  answered: 4,
  resolved: 4,
  refused: 0,
};

interface HandoffProps {
  readonly turnId: string;
  readonly escalation: Escalation;
}

export function HandoffCard({ turnId, escalation }: HandoffProps): VNode {
  const { state } = usePanel();
  const say = state.say.value;
  const { status } = escalation;
  const back = useBack(escalation.back_at);
  const open = status === "unsent" || status === "queued" || status === "delivered";
  return (
    <section class={`handoff ${status}`} aria-label={say("card.title")}>
      <Fanlight lit={LIT[status]} />
      <div>
        {open && <h2>{say(back ? "card.closed" : "card.title")}</h2>}
        <p role="status">{back && open && status !== "unsent" ? back : say(`card.${status}`)}</p>
        {open && (
          <p class="small">{say(state.keeping.value === "kept" ? "card.return" : "card.stay")}</p>
        )}
        {open && <Contact turnId={turnId} escalation={escalation} />}
      </div>
    </section>
  );
}
