/** How far a download is, beside its bar; it is not read out all the time. */
import type { VNode } from "preact";
import { usePanel } from "../views/context.ts";
import type { DeviceState } from "./state.ts";
import { duration, type SayDevice, size } from "./words.ts";

interface ProgressProps {
  readonly step: DeviceState & { readonly step: "fetching" };
  readonly say: SayDevice;
}

export function Progress({ step, say }: ProgressProps): VNode {
  const locale = usePanel().state.locale.value;
  const { done, total, rate, left } = step;
  const parts = [
    say("so_far", { done: size(done, locale), total: size(total, locale) }),
    rate && say("rate", { rate: size(rate, locale) }),
    left && say("left", { left: duration(left, locale) }),
  ];
  return (
    <>
      <progress max={total} value={done} aria-label={say("fetching")} />
      <p class="small">{parts.filter(Boolean).join(" · ")}</p>
      <p class="small">{say("checked")}</p>
    </>
  );
}
