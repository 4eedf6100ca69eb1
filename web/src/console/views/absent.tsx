/** What stands in a room's place while there is nothing to show in it. */

import type { Trouble } from "../api";
import { explain } from "../words";
import { useStrings } from "./context";

interface UnreachedProps {
  readonly title: string;
  readonly trouble: Trouble;
  readonly again: string;
  readonly onAgain: () => void;
}

/** The gateway did not give it: why, and a way to ask again. */
export function Unreached({ title, trouble, again, onAgain }: UnreachedProps) {
  return (
    <main class="blank blank-room">
      <div role="alert">
        <p class="blank-title">{title}</p>
        <p>{explain(trouble, useStrings())}</p>
      </div>
      <button type="button" class="button" onClick={onAgain}>
        {again}
      </button>
    </main>
  );
}

/** It is being fetched. */
export function Loading({ text }: { readonly text: string }) {
  return (
    <main class="blank blank-room">
      <p role="status">{text}</p>
    </main>
  );
}
