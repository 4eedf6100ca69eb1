/** Makes the model on this device, of what the browser has; fetched when a visitor wants one, or has one. */
import { effect } from "@preact/signals";
import { choose, preferred } from "../../engines/table.ts";
import { dropModels } from "../../engines/weights/blocks.ts";
import { WeightsError } from "../../engines/weights/failure.ts";
import { weights } from "../../engines/weights/spawn.ts";
import { dropWithdrawn, enableOffline } from "../../sw/register.ts";
import type { PanelState } from "../state.ts";
import { Device } from "./device.ts";
import { followPower, type Powered } from "./power.ts";
import type { Grounded } from "./writing.ts";

/** The better search is fetched together with this: one room of the build is less to name on the first screen. */
export { openMeaning } from "../meaning/open.ts";

export interface Around {
  readonly state: PanelState;
  readonly grounded: () => Grounded | undefined;
  readonly remember: (id: string | undefined) => void;
}

/** The device, once it is known what is here; rejects where the site offers no model. */
export async function openDevice(around: Around): Promise<Device> {
  const { config } = around.state;
  const models = config.local_models;
  const wanted = models.find(({ id }) => id === around.state.model.value);
  const model = wanted ?? (await preferred(models));
  if (!model) throw new Error("this site offers no model");
  const device = new Device({
    ...around,
    model,
    models,
    weights: weights(),
    choose,
    storeEngine: async () => {
      // A browser that is asked so may keep what it would throw away first.
      await navigator.storage?.persist?.().catch(() => false);
      const outcome = await enableOffline({ ...config, engine: true });
      if (outcome.ok) return;
      const reason = outcome.reason === "unsupported" ? "storage" : outcome.reason;
      throw new WeightsError(reason, outcome.message);
    },
    drop: (but) => dropModels(caches, config.site_key, [but, config.encoder?.sha256]),
  });
  // The page says how far it is, for tests and for the curious.
  effect(() => {
    const { dataset } = document.documentElement;
    dataset.device = device.step.value.step;
    dataset.engine = device.way.value?.name ?? "";
    dataset.fell = device.fell.value?.message ?? "";
  });
  // A page that comes from the cache may be older than what is kept.
  if (around.state.connection.value === "online")
    await dropWithdrawn(config, caches).catch(() => undefined);
  void followPower((told) => {
    around.state.around.value = told;
  }, navigator as Powered);
  await device.look();
  return device;
}
