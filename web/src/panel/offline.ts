/**
 * Makes the panel work without a network, for a visitor who allowed it.
 *
 * Decides when: after consent, and after Python has come, so that the two do not compete for the first
 * answer's bytes. What a lost network cut short is tried again when the network is back; what the browser
 * refuses is left for the next visit.
 */
import { effect } from "@preact/signals";
import type { OfflineOutcome } from "../sw/register.ts";
import type { PanelState } from "./state.ts";

/** How far it is. `waiting`: for the network; `refused`: the browser stores nothing here. */
export type OfflineStep = "storing" | "ready" | "waiting" | "refused";

/** Stores what the page needs; rejects when the code that does so could not be fetched. */
type Store = () => Promise<OfflineOutcome>;

async function attempt(store: Store): Promise<OfflineStep> {
  try {
    const outcome = await store();
    if (outcome.ok) return "ready";
    return outcome.reason === "network" ? "waiting" : "refused";
  } catch {
    return "waiting";
  }
}

/**
 * Calls `store` when it is time, and `onStep` with every step; with `undefined` once the visitor takes the
 * consent back. Gives the function that ends it.
 */
export function keepOffline(
  { keeping, pack, connection }: Pick<PanelState, "keeping" | "pack" | "connection">,
  store: Store,
  onStep: (step: OfflineStep | undefined) => void,
): () => void {
  let step: OfflineStep | undefined;
  let online = true;
  /** How often the network came back; and the attempt whose end counts. */
  let returns = 0;
  let current = 0;

  const tell = (next: OfflineStep | undefined) => {
    step = next;
    onStep(next);
  };
  const begin = async (): Promise<void> => {
    current += 1;
    const [mine, seen] = [current, returns];
    tell("storing");
    const reached = await attempt(store);
    if (mine !== current) return;
    // It went and came back meanwhile: nobody will say so again.
    if (reached === "waiting" && returns !== seen) await begin();
    else tell(reached);
  };

  return effect(() => {
    const back = connection.value === "online" && !online;
    online = connection.value === "online";
    if (back) returns += 1;
    if (keeping.value !== "kept") {
      current += 1;
      if (step) tell(undefined);
    } else if (pack.value === "ready" && (!step || (step === "waiting" && back))) {
      void begin();
    }
  });
}
