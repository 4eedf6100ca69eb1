/**
 * A model's blocks in the browser's cache, each under an address of its own.
 *
 * Decides: a block counts as kept when it is there and has its hash; it is looked at again each time that the model is
 * opened. Refuses to give a file of which one block is missing or damaged: that block is dropped, so that it is fetched
 * again. What an engine gets are the very bytes that were looked at.
 */

import { storageError, WeightsError } from "./failure.ts";
import { hex } from "./hash.ts";
import type { Manifest } from "./manifest.ts";

/** The cache of one site's model: what belongs to one site is no other's. */
export function cacheOf(site: string, sha256: string): string {
  return `${modelsOf(site)}${sha256}`;
}

/** Begins the names of a site's caches of models. */
export function modelsOf(site: string): string {
  return `fanlight-${site}-model-`;
}

const SOUGHT = { ignoreSearch: false, ignoreVary: true } as const;

export class Blocks {
  #opened: Promise<Cache> | undefined;

  constructor(
    private readonly caches: CacheStorage,
    private readonly name: string,
  ) {}

  /** The manifest as it was kept; undefined where none is. */
  async manifest(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#try(async () => {
      if (!(await this.caches.has(this.name))) return undefined;
      const found = await (await this.#cache()).match(this.#address("manifest"), SOUGHT);
      return found && new Uint8Array(await found.arrayBuffer());
    });
  }

  async keepManifest(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#keep("manifest", bytes);
  }

  /** The places of the blocks that are not here. */
  async missing(manifest: Manifest): Promise<readonly number[]> {
    return this.#try(async () => {
      const kept = await (await this.#cache()).keys();
      const here = new Set(kept.map(({ url }) => new URL(url).pathname));
      return manifest.blocks.flatMap((_, index) => (here.has(this.#address(index)) ? [] : [index]));
    });
  }

  /** Keeps a block whose hash the caller has looked at. */
  async keep(index: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#keep(index, bytes);
  }

  /** The whole file, every block of it looked at now. */
  async open(manifest: Manifest, told?: (done: number) => void): Promise<Blob> {
    const parts: Blob[] = [];
    const bad: number[] = [];
    const cache = await this.#try(() => this.#cache());
    for (const [index, hash] of manifest.blocks.entries()) {
      const part = await this.#try(async () =>
        (await cache.match(this.#address(index), SOUGHT))?.blob(),
      );
      if (part && (await hex(await part.arrayBuffer())) === hash) parts.push(part);
      else bad.push(index);
      told?.(index + 1);
    }
    if (bad.length > 0) {
      await Promise.all(bad.map((index) => cache.delete(this.#address(index), SOUGHT)));
      throw new WeightsError("storage", `${bad.length} blocks are missing or damaged`);
    }
    return new Blob(parts);
  }

  async remove(): Promise<void> {
    await this.#try(() => this.caches.delete(this.name));
  }

  #keep(what: number | "manifest", bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#try(async () => {
      const headers = { "content-type": "application/octet-stream" };
      await (await this.#cache()).put(this.#address(what), new Response(bytes, { headers }));
    });
  }

  /** Nothing is ever asked for there: caches want addresses. */
  #address(what: number | "manifest"): string {
    return `/m/kept/${what}`;
  }

  /** Opened once: what is written after a cache was deleted goes with it, and does not make it anew. */
  #cache(): Promise<Cache> {
    this.#opened ??= this.caches.open(this.name);
    return this.#opened;
  }

  async #try<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw storageError(error);
    }
  }
}

/** Drops the models that are kept for a site, save those whose manifests have the hashes `but`. */
export async function dropModels(
  caches: CacheStorage,
  site: string,
  but: readonly (string | undefined)[] = [],
): Promise<void> {
  const kept = but.map((sha256) => sha256 && cacheOf(site, sha256));
  const names = (await caches.keys()).filter((name) => name.startsWith(modelsOf(site)));
  await Promise.all(
    names.filter((name) => !kept.includes(name)).map((name) => caches.delete(name)),
  );
}
