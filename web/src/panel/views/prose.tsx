/**
 * A message's text: Markdown by the allow-list, with a copy button on code.
 *
 * The parser is a third of the panel, and nothing is to be parsed on the first screen, so it is fetched with the
 * visitor's first letter. Until it has come, or when it cannot, the text stands as it was written.
 */
import { signal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect } from "preact/hooks";
import { directionOfText } from "../../i18n/direction.ts";
import { useCopy } from "./actions.tsx";
import { usePanel } from "./context.ts";

export interface ProseProps {
  readonly source: string;
  /** Still being written. */
  readonly growing?: boolean;
  readonly lang?: string | undefined;
  /** Where the sentence stands that is to catch the eye. */
  readonly marked?: readonly [number, number] | undefined;
}

const drawing = signal<typeof import("../../markdown/prose.ts") | undefined>(undefined);

/** Fetches the parser, when a text is about to be shown or the visitor begins to write. */
export async function loadProse(): Promise<void> {
  try {
    drawing.value ??= await import("../../markdown/prose.ts");
  } catch {
    // No network and no stored file: the next text tries again.
  }
}

export function Prose({ source, lang, marked, growing = false }: ProseProps): VNode {
  const drawn = drawing.value;
  useEffect(() => void loadProse(), []);
  return (
    <div class="prose" dir={directionOfText(source)} lang={lang}>
      {drawn ? (
        <drawn.Markdown
          source={growing ? drawn.settle(source) : source}
          code={drawCode}
          marked={marked}
        />
      ) : (
        <p>{source}</p>
      )}
    </div>
  );
}

function drawCode(text: string): VNode {
  return <CodeBlock text={text} />;
}

function CodeBlock({ text }: { readonly text: string }): VNode {
  const say = usePanel().state.say.value;
  const { copied, copy } = useCopy(text);
  return (
    <div class="code" dir="ltr">
      <button type="button" class="small-button" onClick={copy}>
        <span role="status">{say(copied ? "copied" : "copy")}</span>
      </button>
      <pre>
        <code>{text}</code>
      </pre>
    </div>
  );
}
