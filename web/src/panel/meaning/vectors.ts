/**
 * The vectors of a site's texts in the browser's cache, beside the encoder that made them.
 *
 * Decides: they belong to one release of the index; those of another are dropped. What is not of the size that is wanted is
 * none.
 */

export class KeptVectors {
  constructor(
    private readonly caches: CacheStorage,
    private readonly name: string,
  ) {}

  /** The vectors of this release, `size` numbers; undefined where there are none. */
  async read(release: string, size: number): Promise<Float32Array<ArrayBuffer> | undefined> {
    if (!(await this.caches.has(this.name))) return undefined;
    const found = await (await this.caches.open(this.name)).match(address(release));
    const bytes = await found?.arrayBuffer();
    return bytes?.byteLength === 4 * size ? new Float32Array(bytes) : undefined;
  }

  async keep(release: string, vectors: Float32Array<ArrayBuffer>): Promise<void> {
    const cache = await this.caches.open(this.name);
    for (const { url } of await cache.keys()) {
      if (new URL(url).pathname.startsWith(FOLDER)) await cache.delete(url);
    }
    const headers = { "content-type": "application/octet-stream" };
    await cache.put(address(release), new Response(vectors, { headers }));
  }
}

/** Nothing is ever asked for there: caches want addresses. */
const FOLDER = "/m/kept/vectors/";

function address(release: string): string {
  return `${FOLDER}${encodeURIComponent(release)}`;
}
