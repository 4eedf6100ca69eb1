/**
 * Fetches what of a model is not here yet, and looks at every block before it is kept.
 *
 * Decides: what is missing is asked for by ranges; a cut is followed by another try from there, a little later each time.
 * Refuses a block that has not its hash: nothing of it is kept, and nothing more is fetched.
 */

import type { Blocks } from "./blocks.ts";
import { WeightsError } from "./failure.ts";
import { hex } from "./hash.ts";
import { type Manifest, placeOf, readManifest } from "./manifest.ts";

/** Which file, by the addresses and the hash that the page's configuration has. */
export interface Wanted {
  readonly site: string;
  /** The manifest's address. */
  readonly manifest: string;
  /** The manifest's hash. */
  readonly sha256: string;
}

export interface DownloadOptions {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly blocks: Blocks;
  readonly signal: AbortSignal;
  /** Bytes that are kept, and of how many. */
  readonly told: (done: number, total: number) => void;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Between one try and the next; after the last of them it is the visitor's turn. */
const PAUSES_MS = [500, 2_000, 8_000] as const;

/** The manifest, kept or fetched. */
export async function manifestOf(wanted: Wanted, options: DownloadOptions): Promise<Manifest> {
  const { blocks, signal } = options;
  const kept = await blocks.manifest();
  if (kept) {
    const manifest = await readManifest(kept, wanted.sha256).catch(() => undefined);
    if (manifest) return manifest;
  }
  const response = await asked(options, wanted.manifest, {});
  const bytes = new Uint8Array(await response.arrayBuffer().catch(cut(signal)));
  const manifest = await readManifest(bytes, wanted.sha256);
  signal.throwIfAborted();
  await blocks.keepManifest(bytes);
  return manifest;
}

/** Brings all of it here; gives the manifest. Rejects with a `WeightsError`, or the signal's reason. */
export async function download(wanted: Wanted, options: DownloadOptions): Promise<Manifest> {
  const { signal, told, blocks, wait } = options;
  let tries = 0;
  for (;;) {
    signal.throwIfAborted();
    let done = 0;
    try {
      const manifest = await manifestOf(wanted, options);
      const missing = await blocks.missing(manifest);
      done = bytesBut(manifest, missing);
      told(done, manifest.size);
      const [run] = runsOf(missing);
      if (!run) return manifest;
      await fetchRun(manifest, run, options, (block) => {
        done += block;
        tries = 0;
        told(done, manifest.size);
      });
    } catch (error) {
      const pause = PAUSES_MS[tries];
      const again = error instanceof WeightsError && error.reason === "network";
      if (!again || pause === undefined) throw error;
      tries += 1;
      await wait(pause, signal);
    }
  }
}

/** Neighbours together: the first and the last of each run. */
export function runsOf(places: readonly number[]): readonly (readonly [number, number])[] {
  const runs: [number, number][] = [];
  for (const place of places) {
    const last = runs.at(-1);
    if (last && last[1] === place - 1) last[1] = place;
    else runs.push([place, place]);
  }
  return runs;
}

function bytesBut(manifest: Manifest, missing: readonly number[]): number {
  const sizes = missing.map((index) => {
    const [start, end] = placeOf(manifest, index);
    return end - start;
  });
  return manifest.size - sizes.reduce((sum, size) => sum + size, 0);
}

async function fetchRun(
  manifest: Manifest,
  [first, last]: readonly [number, number],
  options: DownloadOptions,
  kept: (bytes: number) => void,
): Promise<void> {
  const { blocks, signal } = options;
  const [start] = placeOf(manifest, first);
  const [, end] = placeOf(manifest, last);
  const url = `/m/sha256/${manifest.sha256}`;
  const response = await asked(options, url, { range: `bytes=${start}-${end - 1}` });
  if (response.status !== 206 && start > 0) {
    await response.body?.cancel().catch(() => undefined);
    throw new WeightsError("network", "the server does not send a part alone");
  }
  let index = first;
  for await (const block of cutInto(response, manifest, first, signal)) {
    const found = await hex(block);
    if (found !== manifest.blocks[index]) {
      throw new WeightsError("tampered", `block ${index} has the hash ${found}`);
    }
    signal.throwIfAborted();
    await blocks.keep(index, block);
    kept(block.length);
    index += 1;
    if (index > last) return;
  }
  throw new WeightsError("network", "the file ended too early");
}

/** The body in whole blocks, from block `first` on. */
async function* cutInto(
  response: Response,
  manifest: Manifest,
  first: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const reader = response.body?.getReader();
  let index = first;
  let block = emptyBlock(manifest, index);
  let filled = 0;
  try {
    for (;;) {
      const part = await reader?.read().catch(cut(signal));
      if (!part || part.done) return;
      for (let at = 0; at < part.value.length; ) {
        const taken = part.value.subarray(at, at + block.length - filled);
        block.set(taken, filled);
        at += taken.length;
        filled += taken.length;
        if (filled < block.length) continue;
        yield block;
        index += 1;
        if (index >= manifest.blocks.length) return;
        block = emptyBlock(manifest, index);
        filled = 0;
      }
    }
  } finally {
    await reader?.cancel().catch(() => undefined);
  }
}

function emptyBlock(manifest: Manifest, index: number): Uint8Array<ArrayBuffer> {
  const [start, end] = placeOf(manifest, index);
  return new Uint8Array(end - start);
}

async function asked(
  { fetch, signal }: DownloadOptions,
  url: string,
  headers: Record<string, string>,
): Promise<Response> {
  // The browser's own cache would keep all of it a second time.
  const init = { headers, signal, cache: "no-store", credentials: "same-origin" } as const;
  const response = await fetch(url, init).catch(cut(signal));
  if (response.ok) return response;
  await response.body?.cancel().catch(() => undefined);
  const reason = [404, 410].includes(response.status) ? "gone" : "network";
  throw new WeightsError(reason, `${url} answered ${response.status}`);
}

/** Names what a fetch or a read throws: a cut, unless it was asked to stop. */
function cut(signal: AbortSignal): (error: unknown) => never {
  return (error) => {
    signal.throwIfAborted();
    const message = error instanceof Error ? error.message : String(error);
    throw new WeightsError("network", message, { cause: error });
  };
}
