/**
 * The files of a model of several, which travel as one: an uncompressed archive (POSIX.1-1988 ustar), as
 * `fanlight models publish` writes it for WebLLM and for encoders.
 *
 * Refuses an archive that ends too early, and one whose header has not its own sum.
 */

const BLOCK = 512;
const NAME_END = 100;
const SIZE_AT = 124;
const SUM_AT = 148;
const SUM_END = 156;

/** The files by their names; none of them is read yet. */
export async function filesOf(archive: Blob): Promise<ReadonlyMap<string, Blob>> {
  const files = new Map<string, Blob>();
  for (let at = 0; at + BLOCK <= archive.size; ) {
    const header = new Uint8Array(await archive.slice(at, at + BLOCK).arrayBuffer());
    // Two empty blocks are the end.
    if (header.every((byte) => byte === 0)) break;
    if (summed(header) !== octal(header, SUM_AT, SUM_END)) throw new Error("a header is damaged");
    const size = octal(header, SIZE_AT, SIZE_AT + 12);
    const start = at + BLOCK;
    if (start + size > archive.size) throw new Error("the archive ends too early");
    files.set(text(header, 0, NAME_END), archive.slice(start, start + size));
    at = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}

function text(header: Uint8Array, from: number, to: number): string {
  const [found = ""] = new TextDecoder().decode(header.subarray(from, to)).split("\0");
  return found.trim();
}

function octal(header: Uint8Array, from: number, to: number): number {
  return Number.parseInt(text(header, from, to) || "0", 8);
}

/** The sum of all bytes, its own field read as spaces. */
function summed(header: Uint8Array): number {
  return header.reduce((sum, byte, at) => sum + (at >= SUM_AT && at < SUM_END ? 32 : byte), 0);
}
