/** What stands in a room's place while there is nothing to show in it. */

import type { Trouble } from "../api";
import { explain } from "../words";
import { useStrings } from "./context";

/** In which language it is told, where that is not the page's. */
interface Spoken {
  readonly lang?: string;
  readonly dir?: "ltr" | "rtl";
}

interface UnreachedProps extends Spoken {
  readonly title: string;
  readonly trouble: Trouble;
  readonly again: string;
  readonly onAgain: () => void;
}

/** The gateway did not give it: why, and a way to ask again. */
export function Unreached({ title, trouble, again, onAgain, ...spoken }: UnreachedProps) {
  return (
    <main class="blank blank-room" {...spoken}>
      <div role="alert">
        <p class="blank-title">{title}</p>
        <p>
          <Reason trouble={trouble} />
        </p>
      </div>
      <button type="button" class="button" onClick={onAgain}>
        {again}
      </button>
    </main>
  );
}

/** Why something failed. It is told in English, whatever language the room speaks. */
export function Reason({ trouble }: { readonly trouble: Trouble }) {
  return <bdi lang="en">{explain(trouble, useStrings())}</bdi>;
}

/** It is being fetched. */
export function Loading({ text, ...spoken }: Spoken & { readonly text: string }) {
  return (
    <main class="blank blank-room" {...spoken}>
      <p role="status">{text}</p>
    </main>
  );
}
