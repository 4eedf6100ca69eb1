/** Where the Python pack that this build carries lies; made by scripts/python_module.mjs. */
declare module "virtual:fanlight-python" {
  export const PYTHON: import("./engines/kb/protocol.ts").PythonUrls;
}
