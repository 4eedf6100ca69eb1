/**
 * The vectors of a site's texts in the browser's cache, beside the encoder that made them.
 *
 * Decides: they are kept in pieces, so that whoever goes on with reading begins where the last piece ended; they belong to one
 * release of the index, and those of another are dropped. A piece that is not of the size that is wanted is none. Refuses to
 * bring back a cache that was deleted: what is written late goes with it.
 */

/** Texts whose vectors are kept together. */
export const PIECE = 64;

export class KeptVectors {
  #cache: Cache | undefined;

  constructor(
    private readonly caches: CacheStorage,
    private readonly name: string,
  ) {}

  /**
   * The vectors of this release from the first text on, as many as are kept: a multiple of `dimensions` numbers, at most
   * those of `count` texts.
   */
  async read(
    release: string,
    count: number,
    dimensions: number,
  ): Promise<readonly Float32Array<ArrayBuffer>[]> {
    // Written through what was opened now: a cache that is deleted meanwhile is not made anew.
    this.#cache = (await this.caches.has(this.name))
      ? await this.caches.open(this.name)
      : undefined;
    await this.#forgetBut(release);
    const pieces: Float32Array<ArrayBuffer>[] = [];
    for (let at = 0; at < count; at += PIECE) {
      const found = await this.#cache?.match(address(release, at / PIECE));
      const bytes = await found?.arrayBuffer();
      if (bytes?.byteLength !== 4 * dimensions * Math.min(PIECE, count - at)) break;
      pieces.push(new Float32Array(bytes));
    }
    return pieces;
  }

  /** Keeps the vectors of one piece, which `read` was asked for before. */
  async keep(release: string, piece: number, vectors: Float32Array<ArrayBuffer>): Promise<void> {
    const headers = { "content-type": "application/octet-stream" };
    await this.#cache?.put(address(release, piece), new Response(vectors, { headers }));
  }

  async #forgetBut(release: string): Promise<void> {
    for (const { url } of (await this.#cache?.keys()) ?? []) {
      const { pathname } = new URL(url);
      if (pathname.startsWith(FOLDER) && !pathname.startsWith(folder(release)))
        await this.#cache?.delete(url);
    }
  }
}

/** Nothing is ever asked for there: caches want addresses. */
const FOLDER = "/m/kept/vectors/";

function folder(release: string): string {
  return `${FOLDER}${encodeURIComponent(release)}/`;
}

function address(release: string, piece: number): string {
  return `${folder(release)}${piece}`;
}
