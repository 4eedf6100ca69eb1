/**
 * Better search on this device: an encoder that the visitor asked for, and what it says of each question.
 *
 * Decides: it is in memory while somebody looks, once the knowledge base is there, and leaves when nobody has looked for long.
 * The site's texts are encoded once, and kept beside the encoder; a question that is not encoded in time goes without, and so
 * does every question until all texts are. An encoder that is late again and again, or dies, is started once more at most.
 * Refuses to fetch anything unasked. That the encoder is here is what says that the visitor wants it: nothing else is
 * remembered.
 */
import { effect, type Signal, signal } from "@preact/signals";
import type { Encoder } from "../../engines/encoder/encoder.ts";
import { cosine } from "../../engines/encoder/pooling.ts";
import { EngineError } from "../../engines/engine.ts";
import type { KbText } from "../../engines/kb/protocol.ts";
import type { Kept, Weights } from "../../engines/weights/client.ts";
import { WeightsError } from "../../engines/weights/failure.ts";
import type { EncoderOffer } from "../config.ts";
import { IDLE_MS } from "../device/device.ts";
import { PaceMeter } from "../device/pace.ts";
import type { DeviceFailure, DeviceState } from "../device/state.ts";
import { orStopped, Transfer } from "../device/transfer.ts";
import type { PanelState } from "../state.ts";
import type { NearTo } from "./asking.ts";
import { readTexts } from "./reading.ts";
import type { KeptVectors } from "./vectors.ts";

/**
 * As a model's; `kept`: on the device and not in memory, why not where it is not going to be by itself (`knowledge`: the
 * knowledge base could not be had); `reading`: the site's texts are being encoded.
 */
export type MeaningState =
  | Exclude<DeviceState, { readonly step: "unfit" | "kept" }>
  | { readonly step: "kept"; readonly why?: "engine" | "knowledge" }
  | { readonly step: "reading"; readonly done: number; readonly total: number };

/** What of the knowledge base is encoded, and the release of its index. */
export interface Texts {
  readonly release: string;
  readonly texts: readonly KbText[];
}

export interface MeaningOptions {
  readonly state: Pick<PanelState, "visible" | "pack" | "connection">;
  readonly offer: EncoderOffer;
  readonly site: string;
  readonly weights: Pick<Weights, "fetch" | "here" | "open">;
  /** The encoder in memory. */
  readonly start: (archive: Blob, signal: AbortSignal) => Promise<Encoder>;
  readonly texts: () => Promise<Texts>;
  readonly vectors: KeptVectors;
  /** Stores what the encoder needs without a network; rejects where it cannot be had. */
  readonly storeEngine: () => Promise<void>;
  readonly drop: () => Promise<void>;
  /** Drops what is kept of what the site offers no more. */
  readonly dropOthers: () => Promise<void>;
}

/** A question waits no longer for its vector. */
export const QUESTION_MS = 600;
/** Questions in a row whose vectors came too late: it helps nobody, and takes the memory. */
export const MOST_MISSES = 3;
const MOST_RESTARTS = 1;
/** Entries whose cosines are told; of the others it is known that theirs are no larger. */
const MOST_TOLD = 512;

interface Ready {
  readonly encoder: Encoder;
  readonly ids: readonly string[];
  readonly vectors: Float32Array;
}

export class Meaning {
  readonly step: Signal<MeaningState> = signal({ step: "looking" });
  readonly #transfer = new Transfer();
  #ready: Ready | undefined;
  #encoder: Encoder | undefined;
  /** Of what is, or is going to be, in memory. */
  #life = new AbortController();
  #idle: ReturnType<typeof setTimeout> | undefined;
  #misses = 0;
  #restarts = 0;
  /** The visitor has said so: the knowledge base is loaded for it, data saver or not. */
  #asked = false;
  /** The network was gone since the knowledge base was asked for. */
  #cut = false;

  constructor(private readonly options: MeaningOptions) {
    effect(() => this.#follow());
    effect(() => this.#rest());
  }

  get offer(): EncoderOffer {
    return this.options.offer;
  }

  /** Finds out what is here, and makes use of an encoder that is. */
  async look(): Promise<void> {
    try {
      const kept = await this.options.weights.here(this.#wanted);
      if (this.step.value.step !== "looking") return;
      const whole = kept.total > 0 && kept.done === kept.total;
      if (whole) await this.#mayBegin();
      else this.step.value = kept.done > 0 ? { step: "paused", ...kept } : { step: "absent" };
    } catch (error) {
      this.#failed(error, { done: 0, total: 0 });
    }
  }

  /** The visitor wants it here, or goes on with it. */
  async fetch(): Promise<void> {
    if (this.#transfer.active) return;
    const { weights, storeEngine, dropOthers, offer } = this.options;
    this.#asked = true;
    const pace = new PaceMeter();
    let kept: Kept = { done: 0, total: offer.bytes };
    const told = (now: Kept) => {
      kept = now;
      this.step.value = { step: "fetching", ...now, ...pace.at(now.done, now.total) };
    };
    told(kept);
    try {
      const whole = await this.#transfer.run(storeEngine, (stop) =>
        weights.fetch(this.#wanted, (now) => void (stop.aborted || told(now)), stop),
      );
      // Whoever stopped it has said so.
      if (!whole) return;
      await dropOthers().catch(() => undefined);
      if (this.step.value.step === "fetching") await this.#mayBegin();
    } catch (error) {
      this.#failed(error, kept);
    }
  }

  /** What has come stays; nothing more comes. */
  pause(): void {
    const now = this.step.value;
    if (now.step !== "fetching") return;
    this.#transfer.stop();
    this.step.value = { step: "paused", done: now.done, total: now.total };
  }

  /** The visitor has it try once more what failed. */
  async again(): Promise<void> {
    if (this.step.value.step !== "kept") return this.fetch();
    this.#asked = true;
    await this.#mayBegin();
  }

  /** Nothing of it stays here. */
  async remove(): Promise<void> {
    this.#unload();
    this.step.value = { step: "absent" };
    await this.#transfer.clear(this.options.drop);
  }

  /** What was begun ends, and nothing of it stays. */
  async leave(): Promise<void> {
    if (!["looking", "absent"].includes(this.step.value.step)) await this.remove();
  }

  readonly near: NearTo = async (question, stop) => {
    const ready = this.#ready;
    const weights = ready?.encoder.facts?.weights;
    if (!ready || !weights) return undefined;
    const late = AbortSignal.timeout(QUESTION_MS);
    try {
      const either = AbortSignal.any([late, stop]);
      const [asked] = await ready.encoder.embed([question], "query", either);
      this.#misses = 0;
      return asked && { ...weights, cosines: cosinesOf(asked, ready) };
    } catch {
      // The knowledge base answers without, as it does before the encoder is here.
      if (ready === this.#ready && !stop.aborted) this.#missed(late.aborted);
      return undefined;
    }
  };

  get #wanted() {
    const { site, offer } = this.options;
    return { site, manifest: offer.manifest, sha256: offer.sha256 };
  }

  /** Whether it may be taken into memory: what answers first is not to wait for it. */
  get #free(): boolean {
    const { visible, pack } = this.options.state;
    const wanted = pack.value !== "absent" || this.#asked;
    return visible.value && pack.value !== "loading" && wanted;
  }

  async #mayBegin(): Promise<void> {
    this.step.value = { step: "kept" };
    if (this.#free) await this.#begin();
  }

  /** Takes it into memory when it may soon be asked, and tries again what a lost network cut short. */
  #follow(): void {
    const step = this.step.value;
    const gone = this.options.state.connection.value !== "online";
    if (gone) this.#cut = true;
    const mayGoOn = "why" in step ? step.why === "knowledge" && this.#cut && !gone : true;
    if (step.step !== "kept" || !mayGoOn || !this.#free) return;
    queueMicrotask(() => {
      if (this.step.value === step) void this.#begin();
    });
  }

  /** Counts how long nobody has looked. */
  #rest(): void {
    clearTimeout(this.#idle);
    if (this.options.state.visible.value) return;
    this.#idle = setTimeout(() => {
      if (!["starting", "reading", "ready"].includes(this.step.value.step)) return;
      this.#unload();
      this.step.value = { step: "kept" };
    }, IDLE_MS);
  }

  /** Takes it into memory, and encodes the texts that were not. Never rejects. */
  async #begin(): Promise<void> {
    this.#unload();
    const stop = this.#life.signal;
    this.#cut = false;
    this.step.value = { step: "starting" };
    const texts = await orStopped(this.options.texts(), stop).catch(() => undefined);
    if (stop.aborted) return;
    if (!texts) {
      this.step.value = { step: "kept", why: "knowledge" };
      return;
    }
    try {
      const ready = await this.#started(texts, stop);
      stop.throwIfAborted();
      this.#ready = ready;
      this.step.value = { step: "ready" };
    } catch (error) {
      if (stop.aborted) return;
      this.#unload();
      if (error instanceof WeightsError) this.#failed(error, { done: 0, total: 0 });
      else this.step.value = { step: "kept", why: "engine" };
    }
  }

  async #started({ release, texts }: Texts, stop: AbortSignal): Promise<Ready> {
    const { weights, start, vectors, state } = this.options;
    const archive = await this.#transfer.writes(weights.open(this.#wanted, stop));
    const encoder = await start(archive, stop);
    if (stop.aborted) encoder.unload();
    stop.throwIfAborted();
    this.#encoder = encoder;
    encoder.onLost = () => this.#encoder === encoder && this.#troubled();
    const weighed = encoder.facts?.weights;
    if (!weighed) throw new EngineError("load", "what it says cannot be weighed");
    const { languages } = weighed;
    const own = texts.filter(([, spoken]) => !languages.length || languages.includes(spoken));
    const read = await readTexts({
      encoder,
      release,
      texts: own,
      vectors,
      visible: state.visible,
      stop,
      told: (done, total) => {
        if (!stop.aborted) this.step.value = { step: "reading", done, total };
      },
    });
    return { encoder, ids: own.map(([id]) => id), vectors: read };
  }

  #unload(): void {
    this.#life.abort();
    this.#life = new AbortController();
    this.#ready = undefined;
    this.#encoder?.unload();
    this.#encoder = undefined;
  }

  #missed(late: boolean): void {
    this.#misses += 1;
    if (!late || this.#misses >= MOST_MISSES) this.#troubled();
  }

  /** It helps nobody as it is: once it is started anew, then it stays out of memory. */
  #troubled(): void {
    this.#unload();
    this.#misses = 0;
    this.#restarts += 1;
    this.step.value =
      this.#restarts > MOST_RESTARTS ? { step: "kept", why: "engine" } : { step: "kept" };
  }

  #failed(error: unknown, { done, total }: Kept): void {
    const why: DeviceFailure = error instanceof WeightsError ? error.reason : "code";
    this.step.value = { step: "failed", why, done, total };
  }
}

/** Of each entry the largest cosine of its texts, of the nearest entries. */
function cosinesOf(asked: Float32Array, { ids, vectors }: Ready): Readonly<Record<string, number>> {
  const best = new Map<string, number>();
  const size = asked.length;
  for (const [at, id] of ids.entries()) {
    const found = cosine(asked, vectors.subarray(at * size, (at + 1) * size));
    if (found > (best.get(id) ?? -1)) best.set(id, found);
  }
  const nearest = [...best].sort(([, one], [, other]) => other - one).slice(0, MOST_TOLD);
  // Rounding may lead past 1.
  return Object.fromEntries(nearest.map(([id, found]) => [id, Math.max(-1, Math.min(1, found))]));
}
