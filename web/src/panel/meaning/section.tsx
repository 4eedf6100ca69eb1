/** "Better search on this device": what it is, what it costs, and the visitor's word over it at every step. */
import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { costly } from "../device/device.ts";
import { linkOf, type Powered } from "../device/power.ts";
import { Progress } from "../device/progress.tsx";
import { type SayDevice, size } from "../device/words.ts";
import { usePanel } from "../views/context.ts";
import type { Meaning, MeaningState } from "./meaning.ts";

interface Props {
  readonly say: SayDevice;
  readonly onClose: () => void;
}

export function SearchSection(props: Props): VNode {
  const { local, state } = usePanel();
  const { say } = props;
  const [meaning, setMeaning] = useState<Meaning>();
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    local.meaning().then(setMeaning, () => setFailed(true));
  }, []);
  const alone = state.config.local_models.length === 0;
  return (
    <>
      {!alone && <h3>{say("search.title")}</h3>}
      <p>{say("search.lead")}</p>
      {meaning ? (
        <Known meaning={meaning} {...props} />
      ) : (
        <p role="status">{say(failed ? "why.code" : "looking")}</p>
      )}
    </>
  );
}

function Known({ meaning, say, onClose }: Props & { readonly meaning: Meaning }): VNode {
  const locale = usePanel().state.locale.value;
  const { name, licence, bytes, memory } = meaning.offer;
  const step = meaning.step.value;
  const values = { name, size: size(bytes, locale), memory: size(memory, locale) };
  return (
    <>
      <p class="small">
        {say("search.size", values)} {say("licence", { licence })}
      </p>
      {step.step === "fetching" && <Progress step={step} say={say} />}
      {/* Not said aloud with each few texts. */}
      {step.step === "reading" && (
        <p>{say("search.reading", { done: step.done, total: step.total })}</p>
      )}
      <p role="status">{told(step, say, locale)}</p>
      <Deeds meaning={meaning} say={say} onClose={onClose} />
    </>
  );
}

function told(step: MeaningState, say: SayDevice, locale: string): string {
  switch (step.step) {
    case "failed":
      return say(`why.${step.why}`);
    case "paused": {
      const { done, total } = step;
      return say("paused", { done: size(done, locale), total: size(total, locale) });
    }
    case "kept":
      return say(step.why ? `search.${step.why}` : "search.kept");
    case "reading":
      return say("search.once");
    case "ready":
      return say("search.ready");
    case "absent":
      return "";
    default:
      return say(step.step);
  }
}

function Deeds({ meaning, say, onClose }: Props & { readonly meaning: Meaning }): VNode {
  const now = meaning.step.value;
  const { step } = now;
  const gone = now.step === "failed" && now.why === "gone";
  const unread = now.step === "kept" && now.why === "knowledge";
  const again = unread || ((step === "paused" || step === "failed") && !gone);
  return (
    <div class="choices">
      {step === "absent" && <Offer meaning={meaning} say={say} onClose={onClose} />}
      {step === "fetching" && (
        <button type="button" class="button" onClick={() => meaning.pause()}>
          {say("pause")}
        </button>
      )}
      {again && (
        <button type="button" class="button strong" onClick={() => void meaning.again()}>
          {say(step === "paused" ? "resume" : "again")}
        </button>
      )}
      {!["looking", "absent"].includes(step) && (
        <button type="button" class="button" onClick={() => void meaning.remove()}>
          {say("remove")}
        </button>
      )}
    </div>
  );
}

function Offer({ meaning, say, onClose }: Props & { readonly meaning: Meaning }): VNode {
  const { state, memory } = usePanel();
  if (!state.consent.value?.memory) {
    const training = state.consent.value?.training ?? false;
    return (
      <>
        <p>{say("memory")}</p>
        <button type="button" class="button" onClick={() => void memory.accept(training)}>
          {say("remember")}
        </button>
      </>
    );
  }
  const costs = costly(linkOf(navigator as Powered));
  const bytes = size(meaning.offer.bytes, state.locale.value);
  return (
    <>
      {costs && <p>{say("metered")}</p>}
      <button type="button" class="button" onClick={onClose}>
        {say("decline")}
      </button>
      <button type="button" class="button strong" onClick={() => void meaning.fetch()}>
        {say(costs ? "fetch.anyway" : "fetch", { size: bytes })}
      </button>
    </>
  );
}
