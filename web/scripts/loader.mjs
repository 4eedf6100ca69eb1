/**
 * The loaders, under brotli as far as they are the same for every gateway.
 *
 * A gateway writes its own address into the loader and cannot run brotli. So `loader.js.br` holds what
 * stands before that place, flushed and left open; the gateway adds the rest unpacked (`gateway/loader.py`).
 */

import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";

const compress = promisify(brotliCompress);
const MARK = "__FANLIGHT_GATEWAY__";
/** In bytes, as sent. */
const MOST = 4096;
/** Of an address that is rather long, and of what ends the stream. */
const ROOM = 64;

/** Copies the loaders of earlier releases. @param {string} from @param {string} to */
export async function keepLoaders(from, to) {
  await mkdir(to, { recursive: true });
  for (const name of await readdir(from)) {
    if (name.endsWith(".js")) await writeFile(join(to, name), await readFile(join(from, name)));
  }
}

/**
 * Writes the open `.br` beside a loader.
 * @param {string} path
 * @returns {Promise<number>} how many bytes are sent at the most
 */
export async function packLoader(path) {
  const data = await readFile(path);
  const at = data.indexOf(MARK);
  if (at < 0 || at !== data.lastIndexOf(MARK)) {
    throw new Error(`${basename(path)}: the gateway's address belongs into it once`);
  }
  const head = await compress(data.subarray(0, at), {
    finishFlush: constants.BROTLI_OPERATION_FLUSH,
    params: { [constants.BROTLI_PARAM_SIZE_HINT]: at },
  });
  const sent = head.length + data.length - at - MARK.length + ROOM;
  if (sent > MOST) throw new Error(`${basename(path)}: ${sent} bytes under brotli, of ${MOST}`);
  await writeFile(`${path}.br`, head);
  return sent;
}
