/** The open escalation: the question, why it came, the conversation, the reply, the details. */

import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Escalation } from "../wire";
import { explain, languageOf, likelihood, why } from "../words";
import { useFocusWhenWanted } from "./commands";
import { Composer } from "./composer";
import { useConsole, useStrings } from "./context";
import { Facts } from "./facts";
import { BackIcon, CheckIcon, Mark } from "./icons";
import { Time } from "./text";
import { Transcript } from "./transcript";

export interface DetailProps {
  readonly onBack: () => void;
  /** Resolves, or first asks about an unsent reply. */
  readonly onResolve: () => void;
  readonly composerRef: RefObject<HTMLTextAreaElement | null>;
}

export function Detail(props: DetailProps) {
  const { inbox } = useConsole();
  const { detail } = useStrings();
  const item = inbox.open.value;
  return (
    <main class="detail" id="detail" aria-label={detail.region}>
      {item === null ? <Absent {...props} /> : <Present key={item.id} item={item} {...props} />}
    </main>
  );
}

function Absent({ onBack }: DetailProps) {
  const { inbox } = useConsole();
  const strings = useStrings();
  const trouble = inbox.openTrouble.value;
  if (inbox.openId.value === null) return <NoneOpen />;
  return (
    <>
      <div class="detail-bar">
        <BackButton onBack={onBack} />
      </div>
      {trouble === null ? (
        <p class="blank" role="status">
          {strings.detail.loading}
        </p>
      ) : (
        <div class="blank" role="alert">
          <p class="blank-title">{strings.detail.goneTitle}</p>
          <p>{trouble.status === 404 ? strings.detail.gone : explain(trouble, strings)}</p>
        </div>
      )}
    </>
  );
}

function NoneOpen() {
  const console = useConsole();
  const { detail } = useStrings();
  return (
    <div class="blank blank-wide">
      <Mark size={56} />
      {console.inbox.shown.value.length > 0 && <p>{detail.none}</p>}
      {console.shortcuts.value && <p class="hint">{detail.noneHint("?")}</p>}
    </div>
  );
}

function BackButton({ onBack }: { onBack: () => void }) {
  const { detail } = useStrings();
  return (
    <button type="button" class="button-text detail-back" aria-label={detail.back} onClick={onBack}>
      <BackIcon />
    </button>
  );
}

function Present({ item, onBack, onResolve, composerRef }: DetailProps & { item: Escalation }) {
  const strings = useStrings();
  const heading = useRef<HTMLHeadingElement>(null);
  useFocusWhenWanted(heading, "question", item.id);
  return (
    <>
      <div class="detail-bar">
        <BackButton onBack={onBack} />
        <p class="detail-asked">
          {strings.detail.asked} <Time at={item.createdAt} style="ago" />
        </p>
        <ResolveButton item={item} onResolve={onResolve} />
      </div>
      <div class="detail-columns">
        <div class="detail-talk">
          <h2
            ref={heading}
            class="detail-question"
            tabIndex={-1}
            dir="auto"
            lang={languageOf(item.question, item.locale)}
          >
            {item.question}
          </h2>
          <Why item={item} />
          <Transcript item={item} />
          <Answer item={item} composerRef={composerRef} />
        </div>
        <Facts item={item} />
      </div>
    </>
  );
}

function ResolveButton({ item, onResolve }: { item: Escalation; onResolve: () => void }) {
  const { desk } = useConsole();
  const { detail } = useStrings();
  const resolving = desk.working.value.get(item.id) === "resolving";
  if (item.status === "resolved") {
    return (
      <p class="detail-done" role="status">
        <CheckIcon /> {resolving ? detail.resolving : detail.resolved}
      </p>
    );
  }
  return (
    <button type="button" class="button" onClick={onResolve}>
      {detail.resolve}
    </button>
  );
}

function Why({ item }: { item: Escalation }) {
  const strings = useStrings();
  return (
    <section class="why" aria-label={strings.why.title}>
      <p>{why(item.reason, strings)}</p>
      {item.confidence !== null && <Confidence value={item.confidence} />}
    </section>
  );
}

function Confidence({ value }: { value: number }) {
  const strings = useStrings();
  return (
    <p class="confidence">
      <svg class="scale" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
        <rect class="scale-all" width="100" height="8" rx="4" />
        <rect class="scale-part" width={Math.max(3, value * 100)} height="8" rx="4" />
      </svg>
      <span>{likelihood(value, strings)}</span>
    </p>
  );
}

/** The reply's place. What is resolved says so first, and can still be answered. */
function Answer({
  item,
  composerRef,
}: {
  item: Escalation;
  composerRef: RefObject<HTMLTextAreaElement | null>;
}) {
  const { desk } = useConsole();
  const { detail } = useStrings();
  const [wanted, setWanted] = useState(false);
  const resolved = item.status === "resolved";
  const written = desk.drafts.value.has(item.id);
  useEffect(() => {
    if (!resolved) setWanted(false);
  }, [resolved]);
  useEffect(() => {
    if (wanted) composerRef.current?.focus();
  }, [wanted, composerRef]);
  if (!resolved || wanted || written) return <Composer item={item} inputRef={composerRef} />;
  return (
    <div class="resolved-note">
      <p>{detail.resolvedNote}</p>
      <button type="button" class="button-text" onClick={() => setWanted(true)}>
        {detail.replyAnyway}
      </button>
    </div>
  );
}
