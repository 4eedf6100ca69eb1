/** Something to paste, with the button that copies it. */

import { useEffect, useRef, useState } from "preact/hooks";
import { useConsole, useStrings } from "../context";
import { CheckIcon, CopyIcon } from "../icons";

const SAID_MS = 2_500;

interface CodeProps {
  readonly label: string;
  readonly hint?: string;
  readonly code: string;
  /** Where what is around it says what it is. */
  readonly plain?: boolean;
}

export function Code({ label, hint, code, plain = false }: CodeProps) {
  const text = useRef<HTMLElement>(null);
  return (
    <figure class={plain ? "code code-plain" : "code"} aria-label={label}>
      {!plain && (
        <figcaption>
          <span class="code-label">{label}</span>
          {hint && <span class="hint">{hint}</span>}
        </figcaption>
      )}
      <div class="code-box">
        <pre dir="ltr" translate={false}>
          <code ref={text}>{code}</code>
        </pre>
        <Copy label={label} code={code} text={text} />
      </div>
    </figure>
  );
}

interface CopyProps {
  readonly label: string;
  readonly code: string;
  readonly text: { readonly current: HTMLElement | null };
}

function Copy({ label, code, text }: CopyProps) {
  const { ports } = useConsole();
  const { out: words } = useStrings().embed;
  const [state, setState] = useState<"" | "copied" | "refused">("");
  useEffect(() => {
    if (state !== "copied") return undefined;
    return ports.after(SAID_MS, () => setState(""));
  }, [ports, state]);
  const copy = async (): Promise<void> => {
    try {
      await ports.copy(code);
      setState("copied");
    } catch {
      // Not allowed, or no secure page: the operator's own keys can still do it.
      if (text.current) getSelection()?.selectAllChildren(text.current);
      setState("refused");
    }
  };
  return (
    <>
      <button
        type="button"
        class={state === "copied" ? "button code-copy code-copied" : "button code-copy"}
        onClick={() => void copy()}
      >
        {state === "copied" ? <CheckIcon /> : <CopyIcon />}
        {state === "copied" ? words.copied : words.copy}
        <span class="unseen"> {label}</span>
      </button>
      <p class={state === "refused" ? "error" : "unseen"} role="status">
        {state === "copied" && words.copiedWhat(label)}
        {state === "refused" && words.notCopied}
      </p>
    </>
  );
}

/** A sentence in which what is written between backticks is code. */
export function Marked({ text }: { text: string }) {
  return (
    <>
      {text
        .split("`")
        .map((part, place) => (place % 2 === 1 ? <code key={place}>{part}</code> : part))}
    </>
  );
}
