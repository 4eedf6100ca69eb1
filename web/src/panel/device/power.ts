/**
 * What the route is told of this device beside its model: the battery, and what the network costs.
 *
 * Decides what of the browser's words counts: a battery only while it is not charged, a metered network by its kind, a slow one
 * by the browser's own estimate. A browser that says nothing of it counts as on mains, and its network as free and fast.
 */
import type { KbDevice } from "../../engines/kb/protocol.ts";

/** Under it a model is not taken into memory while others can answer (`core.route.LOW_BATTERY`). */
export const LOW_BATTERY = 0.2;

/** https://www.w3.org/TR/battery-status/ */
interface Battery extends Pick<EventTarget, "addEventListener"> {
  readonly charging: boolean;
  /** The share that is left, from 0 to 1. */
  readonly level: number;
}

/** https://wicg.github.io/netinfo/ and https://wicg.github.io/savedata/ */
interface Link extends Partial<Pick<EventTarget, "addEventListener">> {
  readonly saveData?: boolean;
  readonly type?: string;
  readonly metered?: boolean;
  readonly effectiveType?: string;
}

export interface Powered {
  readonly getBattery?: () => Promise<Battery>;
  readonly connection?: Link;
}

/** What the browser says of its network. */
export function linkOf({ connection }: Powered): KbDevice {
  return {
    data_saver: connection?.saveData === true,
    metered: connection?.metered === true || connection?.type === "cellular",
    network: /(^|-)2g$/.test(connection?.effectiveType ?? "") ? "slow" : "online",
  };
}

/** The share of the battery that is left; null on mains. */
export function batteryOf({ charging, level }: Pick<Battery, "charging" | "level">): number | null {
  return charging || !(level >= 0 && level <= 1) ? null : level;
}

/** Tells `told` what holds, at once and with each change. */
export async function followPower(told: (around: KbDevice) => void, from: Powered): Promise<void> {
  let battery: number | null = null;
  const tell = () => told({ ...linkOf(from), battery });
  tell();
  from.connection?.addEventListener?.("change", tell);
  const found = await from.getBattery?.().catch(() => undefined);
  if (!found) return;
  const changed = () => {
    battery = batteryOf(found);
    tell();
  };
  found.addEventListener("levelchange", changed);
  found.addEventListener("chargingchange", changed);
  changed();
}
