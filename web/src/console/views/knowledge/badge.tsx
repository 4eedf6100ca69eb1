/** How an entry's draft stands to what visitors get: said only where the two differ. */

import type { EntryState } from "../../knowledge/wire";
import { useStrings } from "../context";

export function Badge({ state }: { state: EntryState }) {
  const { states } = useStrings().knowledge;
  if (state === "live") return null;
  return <span class={`badge badge-${state}`}>{states[state]}</span>;
}
