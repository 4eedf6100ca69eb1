/**
 * What the Markdown parser is built with, in place of its own: which constructs there are, and which
 * entity names. Both tables, and the reasons, are in src/markdown; here is only how they get in.
 */

import { fileURLToPath } from "node:url";

const ENTITIES = fileURLToPath(new URL("../src/markdown/entities.ts", import.meta.url));
const CONSTRUCTS = fileURLToPath(new URL("../src/markdown/constructs.ts", import.meta.url));

/** @returns {import("vite").Plugin} */
export function markdownParts() {
  return {
    name: "fanlight-markdown-parts",
    enforce: "pre",
    resolveId(id, importer) {
      if (id === "decode-named-character-reference") return ENTITIES;
      const own = id === "./constructs.js" && importer?.includes("/micromark/lib/");
      return own ? CONSTRUCTS : undefined;
    },
  };
}
