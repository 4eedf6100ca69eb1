/** "A model on this device": what it is, what it costs, and the visitor's word over it at every step. */
import "../styles/device.css";
import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import { SearchSection } from "../meaning/section.tsx";
import { usePanel } from "../views/context.ts";
import { Sheet } from "../views/sheet.tsx";
import { costly, type Device } from "./device.ts";
import { LOW_BATTERY, linkOf, type Powered } from "./power.ts";
import { Progress } from "./progress.tsx";
import type { DeviceState } from "./state.ts";
import {
  type DeviceWords,
  ENGLISH_DEVICE,
  loadDeviceWords,
  type SayDevice,
  sayDevice,
  size,
} from "./words.ts";

/** Codes of the route that say something of this device, in the order in which they are told. */
const TOLD = ["low_battery", "data_saver", "metered", "slow_network", "no_cloud_model"] as const;

function useWords(): SayDevice {
  const locale = usePanel().state.locale.value;
  const [words, setWords] = useState<DeviceWords>(ENGLISH_DEVICE);
  useEffect(() => {
    loadDeviceWords(locale).then(setWords, () => undefined);
  }, [locale]);
  return sayDevice(words, locale);
}

export function DeviceSheet({ onClose }: { readonly onClose: () => void }): VNode {
  const { config } = usePanel().state;
  const say = useWords();
  const writes = config.local_models.length > 0;
  return (
    <Sheet title={say(writes ? "title" : "search.title")} onClose={onClose}>
      <div class="device">
        {writes && <Writer say={say} onClose={onClose} />}
        {config.encoder && <SearchSection say={say} onClose={onClose} />}
      </div>
    </Sheet>
  );
}

function Writer({ say, onClose }: Omit<StepProps, "device"> & Closing): VNode {
  const { local } = usePanel();
  const [device, setDevice] = useState<Device>();
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let left = false;
    let opened: Device | undefined;
    const come = (found: Device) => {
      opened = found;
      if (!left) setDevice(found);
    };
    local.device().then(come, () => setFailed(true));
    return () => {
      left = true;
      void opened?.settle();
    };
  }, []);
  return (
    <>
      <p>{say("lead")}</p>
      <p>{say("often_wrong")}</p>
      {device && device.models.length > 1 && <Models device={device} say={say} />}
      {device && <Size device={device} say={say} />}
      {device && <Reasons device={device} say={say} />}
      {device && <Step device={device} say={say} onClose={onClose} />}
      {!device && <p role="status">{say(failed ? "why.code" : "looking")}</p>}
    </>
  );
}

interface Closing {
  readonly onClose: () => void;
}

interface StepProps {
  readonly device: Device;
  readonly say: SayDevice;
}

function Size({ device, say }: StepProps): VNode {
  const locale = usePanel().state.locale.value;
  const { name, licence } = device.model;
  const { form, name: engine, threads } = device.way.value ?? { form: device.model };
  const { bytes, memory } = form;
  const values = { name, size: size(bytes, locale), memory: size(memory, locale) };
  return (
    <p class="small">
      {say("size", values)} {say("licence", { licence })}{" "}
      {engine === "webllm" && say("engine.webllm")}
      {engine === "wllama" && say("engine.wllama", { count: threads ?? 1 })}
    </p>
  );
}

/** Which of the models that the site offers. */
function Models({ device, say }: StepProps): VNode {
  const locale = usePanel().state.locale.value;
  const moving = ["fetching", "starting", "looking"].includes(device.step.value.step);
  return (
    <fieldset class="models" disabled={moving}>
      <legend>{say("models")}</legend>
      {device.models.map(({ id, name, bytes }) => (
        <label key={id}>
          <input
            type="radio"
            name="model"
            checked={id === device.model.id}
            onChange={() => void device.turnTo(id)}
          />{" "}
          <bdi>{name}</bdi> · {size(device.forms.value.get(id)?.bytes ?? bytes, locale)}
        </label>
      ))}
    </fieldset>
  );
}

/** What speaks for or against the device now, and what became of an engine that failed. */
function Reasons({ device, say }: StepProps): VNode {
  const { state } = usePanel();
  const locale = state.locale.value;
  const { battery, data_saver, metered, network } = state.around.value;
  const share = new Intl.NumberFormat(locale, { style: "percent" }).format(battery ?? 1);
  const now: Readonly<Record<(typeof TOLD)[number], boolean>> = {
    low_battery: (battery ?? 1) < LOW_BATTERY,
    data_saver: data_saver === true,
    metered: metered === true,
    slow_network: network === "slow",
    no_cloud_model: state.routed.value.includes("no_cloud_model"),
  };
  const fell = device.fell.value;
  const why = fell?.reason === "library" || fell?.reason === "lost" ? fell.reason : "load";
  return (
    <>
      {TOLD.filter((code) => now[code]).map((code) => (
        <p key={code} class="small">
          {say(`route.${code}`, { share })}
        </p>
      ))}
      {fell && <p role="status">{say(`fell.${why}`)}</p>}
    </>
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
  const bytes = size((device.way.value?.form ?? device.model).bytes, state.locale.value);
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
  const costs = costly(state.around.value) || costly(linkOf(navigator as Powered));
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
