/**
 * A model on this device: fetched on the visitor's word, kept, taken into memory, asked, and let go.
 *
 * Decides: when it is taken into memory (where it is kept, and the network is gone or a model has answered before), and
 * that it leaves memory when nobody has looked for long; that an engine that fails is followed by the next one, and one whose
 * graphics processor or worker was lost, or that got stuck, is first tried once more. Refuses to fetch anything unasked, and to show what it wrote where
 * that is not sure enough.
 */
import { effect, type Signal, signal } from "@preact/signals";
import { type Engine, EngineError, type Form, type LocalModel } from "../../engines/engine.ts";
import type { KbDevice } from "../../engines/kb/protocol.ts";
import type { Chosen, Way } from "../../engines/table.ts";
import type { Kept, Weights } from "../../engines/weights/client.ts";
import { WeightsError } from "../../engines/weights/failure.ts";
import type { Answer } from "../conversation.ts";
import type { Question } from "../question.ts";
import type { PanelState } from "../state.ts";
import { PaceMeter } from "./pace.ts";
import { LOW_BATTERY } from "./power.ts";
import type { DeviceFailure, DeviceState } from "./state.ts";
import { orStopped, Transfer } from "./transfer.ts";
import { type Grounded, written } from "./writing.ts";

export interface DeviceOptions {
  readonly state: PanelState;
  readonly model: LocalModel;
  /** All that the site offers; the visitor may turn to another. */
  readonly models?: readonly LocalModel[];
  readonly weights: Pick<Weights, "fetch" | "here" | "open">;
  readonly choose: (model: LocalModel) => Promise<Chosen>;
  readonly grounded: () => Grounded | undefined;
  /** Keeps, or forgets, that the visitor wants this model here. */
  readonly remember: (id: string | undefined) => void;
  /** Stores what the engine needs without a network; rejects where it cannot be had. */
  readonly storeEngine: () => Promise<void>;
  /** Drops what is kept of this site's models, save the one of this hash. */
  readonly drop: (but?: string) => Promise<void>;
}

/** A model that nobody looks at gives its memory back. */
export const IDLE_MS = 5 * 60_000;

export class Device {
  readonly step: Signal<DeviceState> = signal({ step: "looking" });
  readonly #transfer = new Transfer();
  #engine: Engine | undefined;
  #starting: Promise<Engine> | undefined;
  #idle: ReturnType<typeof setTimeout> | undefined;
  #again = false;
  readonly #model: Signal<LocalModel>;
  /** How the model is run, or would be. */
  readonly way: Signal<Way | undefined> = signal(undefined);
  /** What each model that can run here would bring, by its id: of the first way that is not struck. */
  readonly forms: Signal<ReadonlyMap<string, Form>> = signal(new Map());
  /** The engine that failed here, and why: another is taken. */
  readonly fell: Signal<EngineError | undefined> = signal(undefined);
  /** Engines that failed here, by their names; a page that is opened anew tries them again. */
  readonly #struck = new Set<string>();
  #losses = 0;
  #mending = false;

  constructor(private readonly options: DeviceOptions) {
    this.#model = signal(options.model);
    effect(() => this.#follow());
    effect(() => this.#leave());
  }

  get model(): LocalModel {
    return this.#model.value;
  }

  get models(): readonly LocalModel[] {
    return this.options.models ?? [this.options.model];
  }

  /** Finds out what is here: of the ways to run the model the first that is kept, else the first that was begun. */
  async look(): Promise<void> {
    const { choose, weights } = this.options;
    try {
      await this.#weigh();
      const fit = await choose(this.model);
      const ways = fit.ok ? fit.ways.filter(({ name }) => !this.#struck.has(name)) : [];
      const [first] = ways;
      if (!first) return this.#is({ step: "unfit", why: fit.ok ? "adapter" : fit.why });
      let begun: Kept = { done: 0, total: 0 };
      this.way.value = first;
      for (const way of ways) {
        const kept = await weights.here(this.#wantedFor(way.form));
        const whole = kept.total > 0 && kept.done === kept.total;
        if (!whole && (kept.done === 0 || begun.done > 0)) continue;
        this.way.value = way;
        if (whole) return this.#is({ step: "kept" });
        begun = kept;
      }
      if (begun.done > 0) this.#is({ step: "paused", ...begun });
      else this.#is({ step: "absent" });
    } catch (error) {
      this.#failed(error, { done: 0, total: 0 });
    }
  }

  /** Finds out which form of each model would be taken; without a choice between models nobody asks. */
  async #weigh(): Promise<void> {
    if (this.models.length < 2) return;
    const found = new Map<string, Form>();
    for (const model of this.models) {
      const fit = await this.options.choose(model);
      const way = fit.ok && fit.ways.find(({ name }) => !this.#struck.has(name));
      if (way) found.set(model.id, way.form);
    }
    this.forms.value = found;
  }

  /** The visitor looks at another model; what is kept stays until that one is here. */
  async turnTo(id: string): Promise<void> {
    const model = this.models.find((one) => one.id === id);
    const moving = ["fetching", "starting"].includes(this.step.value.step);
    if (!model || moving || model.id === this.model.id) return;
    await this.#unload();
    this.fell.value = undefined;
    this.#struck.clear();
    this.#losses = 0;
    this.#model.value = model;
    await this.look();
  }

  /** The visitor looks away without having taken another: the model that is wanted answers again. */
  async settle(): Promise<void> {
    const wanted = this.options.state.model.value;
    if (wanted && this.step.value.step !== "fetching") await this.turnTo(wanted);
  }

  /** The visitor wants it here, or goes on with it. */
  async fetch(): Promise<void> {
    const form = this.way.value?.form;
    if (this.#transfer.active || !form) return;
    const { weights, storeEngine, remember, drop } = this.options;
    this.#again = false;
    remember(this.model.id);
    const pace = new PaceMeter();
    let kept: Kept = { done: 0, total: form.bytes };
    const told = (now: Kept) => {
      kept = now;
      const { done, total } = now;
      this.#is({ step: "fetching", done, total, ...pace.at(done, total) });
    };
    this.#is({ step: "fetching", ...kept, rate: undefined, left: undefined });
    try {
      const whole = await this.#transfer.run(storeEngine, async (stop) => {
        const heard = (now: Kept) => void (stop.aborted || told(now));
        await weights.fetch(this.#wantedFor(form), heard, stop);
        if (!stop.aborted) await drop(form.sha256);
      });
      // Whoever stopped it has said so.
      if (!whole) return;
      this.#is({ step: "kept" });
      // Whether a graphics processor really runs it is known only now: the visitor is still looking.
      if (this.way.value?.name === "webllm") queueMicrotask(() => void this.#try());
    } catch (error) {
      this.#failed(error, kept);
    }
  }

  /** What has come stays; nothing more comes. */
  pause(): void {
    const now = this.step.value;
    if (now.step !== "fetching") return;
    this.#transfer.stop();
    this.#is({ step: "paused", done: now.done, total: now.total });
  }

  /** Nothing of it stays here. */
  async remove(): Promise<void> {
    const dropped = this.#transfer.clear(() => this.options.drop());
    clearTimeout(this.#idle);
    const engine = this.#engine;
    this.#engine = undefined;
    this.#is({ step: "absent" });
    this.options.remember(undefined);
    await engine?.unload().catch(() => undefined);
    await dropped;
  }

  /** Writes an answer to a question; undefined where there is none that is sure enough. */
  async answer(question: Question, onText: (text: string) => void): Promise<Answer | undefined> {
    const { state, grounded } = this.options;
    const ground = grounded();
    if (!ground) return undefined;
    try {
      const engine = await this.#ready(question.stop);
      state.engine.value = "busy";
      const { model } = this;
      return await written({ engine, model, ground, question, onText, state });
    } catch (error) {
      if (question.stop.aborted) return undefined;
      if (!(error instanceof EngineError)) return undefined;
      const again = await this.#mended(error);
      // Only what was lost is asked once more at once; a model that got stuck may do better the next time.
      if (error.reason !== "lost" || !again) return undefined;
    } finally {
      if (state.engine.value === "busy") state.engine.value = this.#engine ? "ready" : "kept";
      this.#rest();
    }
    // What the lost one had begun to write is not to stand there twice.
    if (state.live.value) state.live.value = { ...state.live.value, text: "" };
    return this.answer(question, onText);
  }

  #wantedFor({ manifest, sha256 }: Form) {
    return { site: this.options.state.config.site_key, manifest, sha256 };
  }

  /** Nothing is taken into memory by itself until it is known which engine is next. */
  async #mended(error: EngineError): Promise<boolean> {
    this.#mending = true;
    try {
      await this.#unload();
      // A prompt that is too long says nothing of the engine.
      return error.reason !== "context" && (await this.#mayGoOn(error, true));
    } finally {
      this.#mending = false;
    }
  }

  /** After a failure: whether there is another try with what is kept. What may be chance is forgiven once. */
  async #mayGoOn(error: EngineError, chance: boolean): Promise<boolean> {
    if (chance) {
      this.#losses += 1;
      if (this.#losses === 1) return true;
    }
    const name = this.way.value?.name ?? "";
    const found = await this.options.choose(this.model);
    const next =
      found.ok && found.ways.find((way) => way.name !== name && !this.#struck.has(way.name));
    if (!next) return false;
    this.#struck.add(name);
    this.fell.value = error;
    await this.look();
    return this.step.value.step === "kept";
  }

  async #try(): Promise<void> {
    await this.#ready().catch(() => undefined);
  }

  /** The engine with the model in memory. */
  #ready(stop?: AbortSignal): Promise<Engine> {
    if (this.#engine) return Promise.resolve(this.#engine);
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined;
    });
    return stop ? orStopped(this.#starting, stop) : this.#starting;
  }

  async #start(): Promise<Engine> {
    const { weights } = this.options;
    const { model } = this;
    const way = this.way.value;
    this.#is({ step: "starting" });
    try {
      if (!way) throw new EngineError("load", "nothing here runs it");
      const blob = await weights.open(this.#wantedFor(way.form));
      const engine = await way.open();
      await engine.load({ ...model, ...way.form }, blob);
      if (this.step.value.step !== "starting") {
        await engine.unload();
        throw REMOVED;
      }
      this.#engine = engine;
      this.#is({ step: "ready" });
      this.#rest();
      return engine;
    } catch (error) {
      // A model of which something is missing or damaged is fetched again, on the visitor's word.
      if (error instanceof WeightsError) this.#failed(error, await this.#here());
      else if (
        error instanceof EngineError &&
        (await this.#mayGoOn(error, error.reason === "lost"))
      ) {
        return this.#start();
      } else if (error !== REMOVED && this.step.value.step === "starting") {
        this.#is({ step: "kept", why: "engine" });
      }
      throw error;
    }
  }

  async #here(): Promise<Kept> {
    const form = this.way.value?.form ?? this.model;
    return this.options.weights.here(this.#wantedFor(form)).catch(() => ({ done: 0, total: 0 }));
  }

  async #unload(): Promise<void> {
    clearTimeout(this.#idle);
    const engine = this.#engine;
    this.#engine = undefined;
    await engine?.unload().catch(() => undefined);
    if (engine) this.#is({ step: "kept" });
  }

  /** Counts from now on how long nobody has asked. */
  #rest(): void {
    clearTimeout(this.#idle);
    if (!this.#engine) return;
    this.#idle = setTimeout(() => {
      const { visible, live } = this.options.state;
      if (visible.value || live.value) this.#rest();
      else void this.#unload();
    }, IDLE_MS);
  }

  /** Takes the model into memory when it may soon be asked, and goes on with what a lost network cut short. */
  #follow(): void {
    const { connection, entries, visible, pack, around } = this.options.state;
    const step = this.step.value;
    const gone = connection.value !== "online";
    const asked = entries.value.some(({ source }) => source === "cloud" || source === "local");
    // What answers first is not to wait for what answers next.
    const free = visible.value && pack.value !== "loading" && !this.#mending;
    const low = (around.value.battery ?? 1) < LOW_BATTERY;
    if (step.step === "kept" && !step.why && free && (gone || (asked && !low))) {
      queueMicrotask(() => void this.#ready().catch(() => undefined));
    }
    if (gone) this.#again = true;
    else if (this.#again && !costly(around.value) && lostNetwork(step)) {
      queueMicrotask(() => void this.fetch());
    }
  }

  /** Whoever takes back what was agreed to has no model here either. */
  #leave(): void {
    const wanted = this.options.state.model.value !== undefined;
    const begun = !["looking", "absent", "unfit"].includes(this.step.value.step);
    if (begun && !wanted) queueMicrotask(() => void this.remove());
  }

  #failed(error: unknown, { done, total }: Kept): void {
    const why: DeviceFailure = error instanceof WeightsError ? error.reason : "code";
    this.#is({ step: "failed", why, done, total });
  }

  #is(next: DeviceState): void {
    this.step.value = next;
    this.options.state.engine.value = SEEN[next.step];
  }
}

function lostNetwork(step: DeviceState): boolean {
  return step.step === "failed" && step.why === "network";
}

/** Whether nothing comes by itself: the visitor saves data, or may pay for it. */
export function costly({ data_saver, metered }: KbDevice): boolean {
  return data_saver === true || metered === true;
}

const REMOVED = new Error("the model was removed");

/** What the route is told of each step. */
const SEEN = {
  looking: "absent",
  unfit: "none",
  absent: "absent",
  fetching: "loading",
  paused: "absent",
  failed: "failed",
  kept: "kept",
  starting: "kept",
  ready: "ready",
} as const;
