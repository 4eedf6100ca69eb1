/** Makes the better search of what the browser has; fetched when a visitor wants it, or has it. */
import { effect } from "@preact/signals";
import { encoder } from "../../engines/encoder/spawn.ts";
import { cacheOf } from "../../engines/weights/blocks.ts";
import { WeightsError } from "../../engines/weights/failure.ts";
import { weights } from "../../engines/weights/spawn.ts";
import { dropWithdrawn, enableOffline } from "../../sw/register.ts";
import type { Knowledge } from "../knowledge.ts";
import type { PanelState } from "../state.ts";
import { askWith } from "./asking.ts";
import { Meaning } from "./meaning.ts";
import { KeptVectors } from "./vectors.ts";

/** The better search, once it is known what is here; rejects where the site offers none. */
export async function openMeaning(state: PanelState, wanted: () => Knowledge): Promise<Meaning> {
  const { config } = state;
  const { encoder: offer, site_key: site, kb } = config;
  if (!offer) throw new Error("this site offers no encoder");
  const cache = cacheOf(site, offer.sha256);
  const keeper = weights();
  const dropOthers = () => dropWithdrawn(config, caches);
  let asking = false;
  const meaning = new Meaning({
    state,
    offer,
    site,
    weights: {
      fetch: (...call) => keeper.fetch(...call),
      open: (...call) => keeper.open(...call),
      // No worker is started to find nothing.
      here: async (asked) =>
        (await caches.has(cache)) ? keeper.here(asked) : { done: 0, total: 0 },
    },
    start: async (archive, signal) => {
      const made = encoder();
      await made.load(archive, signal);
      return made;
    },
    texts: async () => {
      const knowledge = wanted();
      await knowledge.load();
      if (!asking) askWith(knowledge, meaning.near);
      asking = true;
      return { release: kb.release, texts: await knowledge.texts() };
    },
    vectors: new KeptVectors(caches, cache),
    storeEngine: async () => {
      await navigator.storage?.persist?.().catch(() => false);
      const outcome = await enableOffline({ ...config, meaning: true });
      if (outcome.ok) return;
      const reason = outcome.reason === "unsupported" ? "storage" : outcome.reason;
      throw new WeightsError(reason, outcome.message);
    },
    drop: async () => void (await caches.delete(cache)),
    dropOthers,
  });
  // Whoever takes back what was agreed to has no encoder here either.
  effect(() => {
    if (!state.consent.value?.memory) queueMicrotask(() => void meaning.leave());
  });
  // The page says how far it is, for tests and for the curious.
  effect(() => {
    document.documentElement.dataset.meaning = meaning.step.value.step;
  });
  // A page that comes from the cache may be older than what is kept.
  if (state.connection.value === "online") void dropOthers().catch(() => undefined);
  // Whoever only points at the launcher has no worker started.
  const unfollow = state.visible.subscribe((seen) => {
    if (!seen) return;
    queueMicrotask(() => {
      unfollow();
      void meaning.look();
    });
  });
  return meaning;
}
