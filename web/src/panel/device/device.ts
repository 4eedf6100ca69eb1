/**
 * A model on this device: fetched on the visitor's word, kept, taken into memory, asked, and let go.
 *
 * Decides: when it is taken into memory (where it is kept, and the network is gone or a model has answered before), and
 * that it leaves memory when nobody has looked for long. Refuses to fetch anything unasked, and to show what it wrote
 * where that is not sure enough.
 */
import { effect, type Signal, signal } from "@preact/signals";
import { type Engine, EngineError, type LocalModel } from "../../engines/engine.ts";
import type { Chosen } from "../../engines/table.ts";
import type { Kept, Weights } from "../../engines/weights/client.ts";
import { WeightsError } from "../../engines/weights/failure.ts";
import type { Answer } from "../conversation.ts";
import type { Question } from "../question.ts";
import type { PanelState } from "../state.ts";
import { PaceMeter } from "./pace.ts";
import type { DeviceFailure, DeviceState } from "./state.ts";
import { type Grounded, written } from "./writing.ts";

export interface DeviceOptions {
  readonly state: PanelState;
  readonly model: LocalModel;
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
  #fetching: AbortController | undefined;
  #engine: Engine | undefined;
  #starting: Promise<Engine> | undefined;
  #idle: ReturnType<typeof setTimeout> | undefined;
  #again = false;

  constructor(private readonly options: DeviceOptions) {
    effect(() => this.#follow());
    effect(() => this.#leave());
  }

  get model(): LocalModel {
    return this.options.model;
  }

  /** Finds out what is here. */
  async look(): Promise<void> {
    const { choose, model, weights } = this.options;
    try {
      const fit = await choose(model);
      if (!fit.ok) return this.#is({ step: "unfit", why: fit.why });
      const kept = await weights.here(this.#wanted);
      if (kept.total > 0 && kept.done === kept.total) this.#is({ step: "kept" });
      else if (kept.done > 0) this.#is({ step: "paused", ...kept });
      else this.#is({ step: "absent" });
    } catch (error) {
      this.#failed(error, { done: 0, total: 0 });
    }
  }

  /** The visitor wants it here, or goes on with it. */
  async fetch(): Promise<void> {
    if (this.#fetching) return;
    const { weights, model, storeEngine, remember, drop } = this.options;
    const stop = new AbortController();
    this.#fetching = stop;
    this.#again = false;
    remember(model.id);
    const pace = new PaceMeter();
    let kept: Kept = { done: 0, total: model.bytes };
    const told = (now: Kept) => {
      kept = now;
      const { done, total } = now;
      if (!stop.signal.aborted)
        this.#is({ step: "fetching", done, total, ...pace.at(done, total) });
    };
    this.#is({ step: "fetching", ...kept, rate: undefined, left: undefined });
    try {
      await storeEngine();
      await weights.fetch(this.#wanted, told, stop.signal);
      await drop(model.sha256);
      this.#is({ step: "kept" });
    } catch (error) {
      if (!stop.signal.aborted) this.#failed(error, kept);
      else if (stop.signal.reason !== REMOVED) this.#is({ step: "paused", ...kept });
    } finally {
      this.#fetching = undefined;
    }
  }

  /** What has come stays; nothing more comes. */
  pause(): void {
    this.#fetching?.abort();
  }

  /** Nothing of it stays here. */
  async remove(): Promise<void> {
    this.#fetching?.abort(REMOVED);
    clearTimeout(this.#idle);
    const engine = this.#engine;
    this.#engine = undefined;
    this.#is({ step: "absent" });
    this.options.remember(undefined);
    await engine?.unload().catch(() => undefined);
    await this.options.drop().catch(() => undefined);
  }

  /** Writes an answer to a question; undefined where there is none that is sure enough. */
  async answer(question: Question, onText: (text: string) => void): Promise<Answer | undefined> {
    const { state, grounded, model } = this.options;
    const ground = grounded();
    if (!ground) return undefined;
    try {
      const engine = await this.#ready(question.stop);
      state.engine.value = "busy";
      return await written({ engine, model, ground, question, onText, state });
    } catch (error) {
      if (question.stop.aborted) return undefined;
      // A model that got stuck has left memory; it may do better the next time.
      if (error instanceof EngineError) await this.#unload();
      return undefined;
    } finally {
      if (state.engine.value === "busy") state.engine.value = this.#engine ? "ready" : "kept";
      this.#rest();
    }
  }

  get #wanted() {
    const { manifest, sha256 } = this.model;
    return { site: this.options.state.config.site_key, manifest, sha256 };
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
    const { weights, choose, model } = this.options;
    this.#is({ step: "starting" });
    try {
      const blob = await weights.open(this.#wanted);
      const chosen = await choose(model);
      if (!chosen.ok) throw new EngineError("load", chosen.why);
      const engine = await chosen.open();
      await engine.load(model, blob);
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
      else if (error !== REMOVED) this.#is({ step: "kept", why: "engine" });
      throw error;
    }
  }

  async #here(): Promise<Kept> {
    return this.options.weights.here(this.#wanted).catch(() => ({ done: 0, total: 0 }));
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
    const { connection, entries, visible, pack } = this.options.state;
    const step = this.step.value;
    const gone = connection.value !== "online";
    const asked = entries.value.some(({ source }) => source === "cloud" || source === "local");
    // What answers first is not to wait for what answers next.
    const free = visible.value && pack.value !== "loading";
    if (step.step === "kept" && !step.why && free && (gone || asked)) {
      queueMicrotask(() => void this.#ready().catch(() => undefined));
    }
    if (gone) this.#again = true;
    else if (this.#again && step.step === "failed" && step.why === "network") {
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

function orStopped<T>(work: Promise<T>, stop: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(stop.reason);
    if (stop.aborted) abort();
    stop.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => stop.removeEventListener("abort", abort));
  });
}
