/**
 * Reads a site's texts by an encoder, and goes on where it was left.
 *
 * Decides: what was read is kept every `PIECE` texts, so that a visitor who goes to another page loses little; nothing is
 * read while nobody looks.
 */
import type { ReadonlySignal } from "@preact/signals";
import type { Encoder } from "../../engines/encoder/encoder.ts";
import type { KbText } from "../../engines/kb/protocol.ts";
import { orStopped } from "../device/transfer.ts";
import { type KeptVectors, PIECE } from "./vectors.ts";

/** Texts that are encoded in one call: progress is shown, and questions have their turn, between two. */
const AT_ONCE = 8;

export interface Reading {
  readonly encoder: Encoder;
  readonly release: string;
  readonly texts: readonly KbText[];
  readonly vectors: KeptVectors;
  readonly visible: ReadonlySignal<boolean>;
  readonly stop: AbortSignal;
  readonly told: (done: number, total: number) => void;
}

/** The vectors of all texts, one after another; rejects with an `EngineError`, or the signal's reason. */
export async function readTexts(reading: Reading): Promise<Float32Array<ArrayBuffer>> {
  const { encoder, release, texts, vectors, told } = reading;
  const { dimensions } = encoder;
  const all = new Float32Array(texts.length * dimensions);
  const pieces = await vectors.read(release, texts.length, dimensions);
  let done = 0;
  for (const piece of pieces) {
    all.set(piece, done * dimensions);
    done += piece.length / dimensions;
  }
  while (done < texts.length) {
    const [from, to] = [done, Math.min(done + PIECE, texts.length)];
    for (; done < to; done = Math.min(done + AT_ONCE, to)) {
      told(done, texts.length);
      const found = await read(reading, texts.slice(done, Math.min(done + AT_ONCE, to)));
      for (const [next, vector] of found.entries()) all.set(vector, (done + next) * dimensions);
    }
    const piece = all.slice(from * dimensions, to * dimensions);
    // Where there is no room it is read again the next time.
    await vectors.keep(release, from / PIECE, piece).catch(() => undefined);
  }
  return all;
}

async function read({ encoder, visible, stop }: Reading, texts: readonly KbText[]) {
  await seen(visible, stop);
  const plain = texts.map(([, , text]) => text);
  return encoder.embed(plain, "passage", stop);
}

/** Resolves once somebody looks; rejects with the signal's reason. */
async function seen(visible: ReadonlySignal<boolean>, stop: AbortSignal): Promise<void> {
  stop.throwIfAborted();
  if (visible.value) return;
  let unfollow: (() => void) | undefined;
  const shown = new Promise<void>((resolve) => {
    unfollow = visible.subscribe((now) => now && resolve());
  });
  await orStopped(shown, stop).finally(unfollow);
}
