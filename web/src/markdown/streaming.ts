/**
 * Markdown that is still being written: hides marks whose other half has not arrived.
 *
 * Decides: how an unfinished last line reads meanwhile. Never used on a finished message.
 */

/** Drops the half of a link that is not closed, and closes strong, emphasis and code. */
export function settle(source: string): string {
  const start = source.lastIndexOf("\n") + 1;
  const fences = source.match(/^\s*(```|~~~)/gm)?.length ?? 0;
  if (fences % 2 === 1) return source;
  const line = source
    .slice(start)
    .replace(/!?\[([^\]]*)\]\([^)]*$/, "$1")
    .replace(/!?\[([^\]]*)$/, "$1");
  return source.slice(0, start) + closed(line);
}

function closed(line: string): string {
  const ticks = line.match(/`/g)?.length ?? 0;
  if (ticks % 2 === 1) return line.endsWith("`") ? line.slice(0, -1) : `${line}\``;
  const prose = line.replace(/`[^`]*`/g, "").replace(/^\s*[*+-]\s/, "");
  const strong = prose.match(/\*\*/g)?.length ?? 0;
  const single = (prose.replaceAll("**", "").match(/\*/g)?.length ?? 0) % 2 === 1;
  if (/\*+$/.test(line) && (single || strong % 2 === 1)) return line.replace(/\*+$/, "");
  return line + (single ? "*" : "") + (strong % 2 === 1 ? "**" : "");
}
