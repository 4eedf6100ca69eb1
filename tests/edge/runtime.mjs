/**
 * Stands in for Cloudflare's runtime around the real SDK: the two modules that the SDK imports from
 * it, a KV namespace, and the call of an entrypoint as the runtime makes it.
 */

import { startPython } from "./pyodide.mjs";

/** Named as the runtime names it: the SDK wraps bindings by their class's name. */
class KvNamespace {
  constructor(values) {
    this.values = values;
  }

  async get(name, type) {
    if (type !== "arrayBuffer") throw new TypeError(`this stand-in has no type ${type}`);
    const value = this.values[name];
    return value === undefined ? null : new Uint8Array(value).buffer;
  }
}

class BrokenKv extends KvNamespace {
  async get() {
    throw new Error("KV GET failed: 503");
  }
}
Object.defineProperty(BrokenKv, "name", { value: "KvNamespace" });

export const kv = (values) => new KvNamespace(values);
export const brokenKv = () => new BrokenKv({});

/** A Worker in Pyodide: the staged folder, its vendored packages, and the platform's SDK. */
export class Runtime {
  static async start(worker, sdk) {
    const python = await startPython([`${worker}/src`, `${worker}/python_modules`, sdk]);
    return new Runtime(python);
  }

  constructor(python) {
    this.pending = new Set();
    python.registerJsModule("_cloudflare_compat_flags", {
      python_request_headers_preserve_commas: true,
      python_workflows_implicit_dependencies: true,
    });
    python.registerJsModule("_pyodide_entrypoint_helper", {
      cloudflareSocketsModule: {},
      cloudflareWorkersModule: { env: {}, waitUntil: (task) => this.waitUntil(task) },
      doAnImport: (name) => import(name),
      patchWaitUntil: () => {},
      patch_env_helper: () => [],
    });
    this.toPython = python.pyimport("workers.rpc").python_from_rpc;
    this.main = python.pyimport("main");
  }

  waitUntil(task) {
    // Python's own reference ends with the call.
    const kept = task.copy ? task.copy() : task;
    const settled = Promise.resolve(kept).finally(() => this.pending.delete(settled));
    this.pending.add(settled);
  }

  /** One request to one new instance of the entrypoint, as the runtime does it. */
  async fetch(env, request) {
    const instance = this.main.Default({ waitUntil: (task) => this.waitUntil(task) }, env);
    const result = await instance.fetch(this.toPython(request));
    return result.js_object ?? result;
  }
}
