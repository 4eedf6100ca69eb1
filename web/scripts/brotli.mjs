/**
 * A `.br` beside each file that is worth it, so that the gateway never compresses while it serves.
 *
 * Results are kept by content: the wasm takes many seconds and changes with Pyodide only.
 */

import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";
import { digest } from "./python_pack.mjs";

const compress = promisify(brotliCompress);
const SMALLEST = 1024;
const LARGE = 4 << 20;
const WINDOW_BITS = 22; // what every browser must take; larger windows need an extension

/** @param {Uint8Array} data @returns {Promise<Uint8Array>} */
function brotli(data) {
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN, BROTLI_PARAM_SIZE_HINT } = constants;
  return compress(data, {
    params: {
      // For the wasm, 11 takes twice the time of 10 (24 s against 14) and saves 2 % of its bytes.
      [BROTLI_PARAM_QUALITY]: data.length > LARGE ? 10 : 11,
      [BROTLI_PARAM_LGWIN]: WINDOW_BITS,
      [BROTLI_PARAM_SIZE_HINT]: data.length,
    },
  });
}

/**
 * @param {string} path
 * @param {string} cache
 * @param {(line: string) => void} say
 * @returns {Promise<number>} bytes of the compressed file, 0 when there is none
 */
async function compressOne(path, cache, say) {
  const data = await readFile(path);
  if (data.length <= SMALLEST) return 0;
  const kept = join(cache, `${digest(data)}.br`);
  let packed = await readFile(kept).catch(() => null);
  if (!packed) {
    if (data.length > 1 << 20)
      say(`brotli: ${basename(path)}, ${data.length >> 10} KiB; once only`);
    packed = Buffer.from(await brotli(data));
    await writeFile(`${kept}.part`, packed);
    await rename(`${kept}.part`, kept);
  }
  if (packed.length >= data.length) return 0;
  await writeFile(`${path}.br`, packed);
  return packed.length;
}

/**
 * @param {readonly string[]} paths
 * @param {string} cache
 * @param {(line: string) => void} say
 * @returns {Promise<Map<string, number>>} compressed bytes by path
 */
export async function compressAll(paths, cache, say) {
  await mkdir(cache, { recursive: true });
  /** @type {Map<string, number>} */
  const sizes = new Map();
  const queue = [...paths];
  const lane = async () => {
    for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
      sizes.set(path, await compressOne(path, cache, say));
    }
  };
  await Promise.all(cpus().map(lane));
  return sizes;
}
