/** "A model on this device": what it is, what it costs, and the visitor's word over it at every step. */
import "../styles/device.css";
import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { usePanel } from "../views/context.ts";
import { Sheet } from "../views/sheet.tsx";
import type { Device } from "./device.ts";
import type { DeviceState } from "./state.ts";
import {
  type DeviceWords,
  duration,
  ENGLISH_DEVICE,
  loadDeviceWords,
  type SayDevice,
  sayDevice,
  size,
} from "./words.ts";

interface Network {
  readonly connection?: { readonly saveData?: boolean; readonly type?: string };
}

/** Whether the visitor may pay for what comes, as far as the browser says. */
function metered(): boolean {
  const { connection } = navigator as Network;
  return connection?.saveData === true || connection?.type === "cellular";
}

function useWords(): SayDevice {
  const locale = usePanel().state.locale.value;
  const [words, setWords] = useState<DeviceWords>(ENGLISH_DEVICE);
  useEffect(() => {
    loadDeviceWords(locale).then(setWords, () => undefined);
  }, [locale]);
  return sayDevice(words, locale);
}

export function DeviceSheet({ onClose }: { readonly onClose: () => void }): VNode {
  const { local } = usePanel();
  const say = useWords();
  const [device, setDevice] = useState<Device>();
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    local.device().then(setDevice, () => setFailed(true));
  }, []);
  return (
    <Sheet title={say("title")} onClose={onClose}>
      <div class="device">
        <p>{say("lead")}</p>
        <p>{say("often_wrong")}</p>
        {device && <Size device={device} say={say} />}
        {device && <Step device={device} say={say} onClose={onClose} />}
        {!device && <p role="status">{say(failed ? "why.code" : "looking")}</p>}
      </div>
    </Sheet>
  );
}

interface StepProps {
  readonly device: Device;
  readonly say: SayDevice;
}

function Size({ device, say }: StepProps): VNode {
  const locale = usePanel().state.locale.value;
  const { name, licence, bytes, memory } = device.model;
  const values = { name, size: size(bytes, locale), memory: size(memory, locale) };
  return (
    <p class="small">
      {say("size", values)} {say("licence", { licence })}
    </p>
  );
}

function Step(props: StepProps & { readonly onClose: () => void }): VNode {
  const { device, say } = props;
  const step = device.step.value;
  return (
    <>
      {step.step === "fetching" && <Progress step={step} say={say} />}
      <p role="status">{told(step, say, usePanel().state.locale.value)}</p>
      <Deeds {...props} />
    </>
  );
}

/** What the step is, in words; how far a download is stands beside its bar, and is not read out all the time. */
function told(step: DeviceState, say: SayDevice, locale: string): string {
  switch (step.step) {
    case "unfit":
      return say(`unfit.${step.why}`);
    case "failed":
      return say(`why.${step.why}`);
    case "paused": {
      const { done, total } = step;
      return say("paused", { done: size(done, locale), total: size(total, locale) });
    }
    case "kept":
      return step.why ? say(`why.${step.why}`) : say("kept");
    case "absent":
      return "";
    default:
      return say(step.step);
  }
}

interface ProgressProps {
  readonly step: DeviceState & { readonly step: "fetching" };
  readonly say: SayDevice;
}

function Progress({ step, say }: ProgressProps): VNode {
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

function Deeds({ device, say, onClose }: StepProps & { readonly onClose: () => void }): VNode {
  const step = device.step.value.step;
  const why = "why" in device.step.value ? device.step.value.why : undefined;
  const begun = ["fetching", "paused", "failed", "kept", "starting", "ready"].includes(step);
  return (
    <div class="choices">
      {step === "absent" && <Offer device={device} say={say} onClose={onClose} />}
      {step === "fetching" && (
        <button type="button" class="button" onClick={() => device.pause()}>
          {say("pause")}
        </button>
      )}
      {(step === "paused" || step === "failed") && why !== "gone" && (
        <button type="button" class="button strong" onClick={() => void device.fetch()}>
          {say(step === "paused" ? "resume" : "again")}
        </button>
      )}
      {begun && (
        <button type="button" class="button" onClick={() => void device.remove()}>
          {say("remove")}
        </button>
      )}
    </div>
  );
}

function Offer({ device, say, onClose }: StepProps & { readonly onClose: () => void }): VNode {
  const { state, memory } = usePanel();
  const bytes = size(device.model.bytes, state.locale.value);
  if (!state.consent.value?.memory) {
    const training = state.consent.value?.training ?? false;
    return (
      <>
        <p>{say("memory")}</p>
        <button type="button" class="button" onClick={() => void memory.accept(training)}>
          {say("remember")}
        </button>
      </>
    );
  }
  const costs = metered();
  return (
    <>
      {costs && <p>{say("metered")}</p>}
      <button type="button" class="button" onClick={onClose}>
        {say("decline")}
      </button>
      <button type="button" class="button strong" onClick={() => void device.fetch()}>
        {say(costs ? "fetch.anyway" : "fetch", { size: bytes })}
      </button>
    </>
  );
}
