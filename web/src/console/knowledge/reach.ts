/** What every store of the knowledge room may reach, and the word it may say after a deed. */

import type { ReadonlySignal } from "@preact/signals";
import { Trouble } from "../api";
import type { KnowledgeApi } from "./api";

export type About =
  | "saved"
  | "undone"
  | "removed"
  | "restored"
  | "dropped"
  | "put_aside"
  | "variant"
  | "variant_written"
  | "entry_removed"
  | "marked_right"
  | "marked_none"
  | "imported"
  | "importedButLeft"
  | "published"
  | "failed";

/** What the button beside the word does. */
export interface Offer {
  readonly does: "undo" | "again" | "see";
  readonly run: () => void;
}

/** `trouble` is null when it went well. */
export interface Note {
  readonly about: About;
  readonly trouble: Trouble | null;
  readonly offer: Offer | null;
}

export interface Reach {
  readonly api: KnowledgeApi;
  /** The key of the site that is shown. */
  readonly site: ReadonlySignal<string | null>;
  readonly after: (ms: number, then: () => void) => () => void;
  readonly onTrouble: (trouble: Trouble) => void;
  readonly say: (note: Note) => void;
  /** The draft, or what confidence learns from, is another now: what was derived from it is read again. `all`: more than one entry. */
  readonly draftChanged: (extent: "entry" | "all") => void;
}

/**
 * Does one thing to the site that is shown. A failure is said, with a button that tries again
 * unless another site is shown by then.
 *
 * @returns what `act` gave; undefined where it failed or there is no site.
 */
export async function doing<T>(
  reach: Reach,
  act: (site: string) => Promise<T>,
  again: () => void,
): Promise<T | undefined> {
  const site = reach.site.value;
  if (site === null) return undefined;
  try {
    return await act(site);
  } catch (trouble) {
    if (!(trouble instanceof Trouble)) throw trouble;
    const offer: Offer = { does: "again", run: again };
    reach.say({ about: "failed", trouble, offer: reach.site.value === site ? offer : null });
    reach.onTrouble(trouble);
    return undefined;
  }
}
