/**
 * Better search on this device: an encoder that the visitor asked for, and what it says of each question.
 *
 * Decides: the site's texts are encoded once, and kept beside the encoder; a question that is not encoded in time goes without,
 * and so does every question until all texts are. Refuses to fetch anything unasked. That the encoder is here is what says that
 * the visitor wants it: nothing else is remembered.
 */
import { type Signal, signal } from "@preact/signals";
import type { Encoder } from "../../engines/encoder/encoder.ts";
import { cosine } from "../../engines/encoder/pooling.ts";
import type { KbNear, KbText } from "../../engines/kb/protocol.ts";
import type { Kept, Weights } from "../../engines/weights/client.ts";
import { WeightsError } from "../../engines/weights/failure.ts";
import type { EncoderOffer } from "../config.ts";
import { PaceMeter } from "../device/pace.ts";
import type { DeviceFailure, DeviceState } from "../device/state.ts";
import type { KeptVectors } from "./vectors.ts";

/** As a model's; `reading`: the site's texts are being encoded. */
export type MeaningState =
  | Exclude<DeviceState, { readonly step: "unfit" }>
  | { readonly step: "reading"; readonly done: number; readonly total: number };

export interface MeaningOptions {
  readonly offer: EncoderOffer;
  readonly site: string;
  readonly weights: Pick<Weights, "fetch" | "here" | "open">;
  /** The encoder in memory. */
  readonly start: (archive: Blob) => Promise<Encoder>;
  /** What of the knowledge base is encoded, and the release of its index. */
  readonly texts: () => Promise<{ readonly release: string; readonly texts: readonly KbText[] }>;
  readonly vectors: KeptVectors;
  /** Stores what the encoder needs without a network; rejects where it cannot be had. */
  readonly storeEngine: () => Promise<void>;
  readonly drop: () => Promise<void>;
}

/** A question waits no longer for its vector. */
export const QUESTION_MS = 600;
/** Texts that are encoded in one call: progress is shown, and questions have their turn, between two. */
const AT_ONCE = 8;
/** Entries whose cosines are told; of the others it is known that theirs are no larger. */
const MOST_TOLD = 512;

interface Ready {
  readonly encoder: Encoder;
  readonly ids: readonly string[];
  readonly vectors: Float32Array;
}

export class Meaning {
  readonly step: Signal<MeaningState> = signal({ step: "looking" });
  #fetching: AbortController | undefined;
  #ready: Ready | undefined;
  #encoder: Encoder | undefined;
  #stop = new AbortController();

  constructor(private readonly options: MeaningOptions) {}

  get offer(): EncoderOffer {
    return this.options.offer;
  }

  /** Finds out what is here, and makes use of an encoder that is. */
  async look(): Promise<void> {
    try {
      const kept = await this.options.weights.here(this.#wanted);
      const whole = kept.total > 0 && kept.done === kept.total;
      if (whole) await this.#begin();
      else this.step.value = kept.done > 0 ? { step: "paused", ...kept } : { step: "absent" };
    } catch (error) {
      this.#failed(error, { done: 0, total: 0 });
    }
  }

  /** The visitor wants it here, or goes on with it. */
  async fetch(): Promise<void> {
    if (this.#fetching) return;
    const { weights, storeEngine, offer } = this.options;
    const stop = new AbortController();
    this.#fetching = stop;
    const pace = new PaceMeter();
    let kept: Kept = { done: 0, total: offer.bytes };
    const told = (now: Kept) => {
      kept = now;
      if (stop.signal.aborted) return;
      this.step.value = { step: "fetching", ...now, ...pace.at(now.done, now.total) };
    };
    told(kept);
    try {
      await storeEngine();
      await weights.fetch(this.#wanted, told, stop.signal);
      await this.#begin();
    } catch (error) {
      if (!stop.signal.aborted) this.#failed(error, kept);
      else if (stop.signal.reason !== REMOVED) this.step.value = { step: "paused", ...kept };
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
    this.#stop.abort(REMOVED);
    this.#stop = new AbortController();
    this.#ready = undefined;
    this.#encoder?.unload();
    this.#encoder = undefined;
    this.step.value = { step: "absent" };
    await this.options.drop().catch(() => undefined);
  }

  /** What was begun ends, and nothing of it stays. */
  async leave(): Promise<void> {
    if (!["looking", "absent"].includes(this.step.value.step)) await this.remove();
  }

  /** What the encoder says of a question; undefined where it is not ready, or not in time. Never rejects. */
  readonly near = async (question: string): Promise<KbNear | undefined> => {
    const ready = this.#ready;
    if (!ready) return undefined;
    try {
      const [asked] = await ready.encoder.embed(
        [question],
        "query",
        AbortSignal.timeout(QUESTION_MS),
      );
      const weights = ready.encoder.facts?.weights;
      if (!asked || !weights) return undefined;
      return { ...weights, cosines: cosinesOf(asked, ready) };
    } catch {
      // The knowledge base answers without, as it does before the encoder is here.
      return undefined;
    }
  };

  get #wanted() {
    const { site, offer } = this.options;
    return { site, manifest: offer.manifest, sha256: offer.sha256 };
  }

  /** Takes it into memory, and encodes the texts that were not. */
  async #begin(): Promise<void> {
    const { weights, start, texts, vectors } = this.options;
    const stop = this.#stop.signal;
    this.step.value = { step: "starting" };
    try {
      const encoder = await start(await weights.open(this.#wanted, stop));
      if (stop.aborted) return encoder.unload();
      this.#encoder = encoder;
      const told = await texts();
      const known = encoder.facts?.weights?.languages ?? [];
      const own = told.texts.filter(([, spoken]) => !known.length || known.includes(spoken));
      const size = own.length * encoder.dimensions;
      const kept = await vectors.read(told.release, size);
      const all = kept ?? (await this.#encoded(encoder, own, stop));
      if (!kept) await vectors.keep(told.release, all).catch(() => undefined);
      stop.throwIfAborted();
      this.#ready = { encoder, ids: own.map(([id]) => id), vectors: all };
      this.step.value = { step: "ready" };
    } catch (error) {
      if (stop.aborted) return;
      this.#encoder?.unload();
      this.#encoder = undefined;
      if (error instanceof WeightsError) throw error;
      this.step.value = { step: "kept", why: "engine" };
    }
  }

  async #encoded(
    encoder: Encoder,
    texts: readonly KbText[],
    stop: AbortSignal,
  ): Promise<Float32Array<ArrayBuffer>> {
    const { dimensions } = encoder;
    const all = new Float32Array(texts.length * dimensions);
    for (let at = 0; at < texts.length; at += AT_ONCE) {
      this.step.value = { step: "reading", done: at, total: texts.length };
      const some = texts.slice(at, at + AT_ONCE).map(([, , text]) => text);
      const found = await encoder.embed(some, "passage", stop);
      for (const [next, vector] of found.entries()) all.set(vector, (at + next) * dimensions);
    }
    return all;
  }

  #failed(error: unknown, { done, total }: Kept): void {
    const why: DeviceFailure = error instanceof WeightsError ? error.reason : "code";
    this.step.value = { step: "failed", why, done, total };
  }
}

const REMOVED = new Error("the encoder was removed");

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
