/** Where the Python pack that this build carries lies; made by scripts/python_module.mjs. */
declare module "virtual:fanlight-python" {
  export const PYTHON: import("./engines/kb/protocol.ts").PythonUrls;
}

/** Where this build's wllama lies; made by scripts/wllama_parts.mjs. */
declare module "virtual:fanlight-wllama" {
  export const WLLAMA: import("./engines/wllama/urls.ts").WllamaUrls;
}

/** The address of a file that the build writes beside its own. */
declare module "*.wasm?url" {
  const url: string;
  export default url;
}
