/** A message's text: Markdown by the allow-list, with a copy button on code. */
import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { directionOfText } from "../../i18n/direction.ts";
import { Markdown } from "../../markdown/render.tsx";
import { settle } from "../../markdown/streaming.ts";
import { usePanel } from "./context.ts";

export interface ProseProps {
  readonly source: string;
  /** Still being written. */
  readonly growing?: boolean;
  readonly lang?: string | undefined;
}

export function Prose({ source, lang, growing = false }: ProseProps): VNode {
  return (
    <div class="prose" dir={directionOfText(source)} lang={lang}>
      <Markdown source={growing ? settle(source) : source} code={drawCode} />
    </div>
  );
}

function drawCode(text: string): VNode {
  return <CodeBlock text={text} />;
}

const SHOWN_MS = 2000;

function CodeBlock({ text }: { readonly text: string }): VNode {
  const say = usePanel().state.say.value;
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      setTimeout(() => setCopied(false), SHOWN_MS);
    } catch {
      // The browser or the host page forbids it: the text can still be selected.
    }
  };
  return (
    <div class="code" dir="ltr">
      <button type="button" class="small-button" onClick={() => void copy()}>
        <span role="status">{say(copied ? "copied" : "copy")}</span>
      </button>
      <pre>
        <code>{text}</code>
      </pre>
    </div>
  );
}
