/**
 * The knowledge base in Python, without the worker around it: load once, then answer.
 *
 * It decides how failures are named, and that an embedding that cannot be had or read is none: the
 * index answers without, by words alone. It refuses to wait for ever: `loadPyodide` neither resolves nor
 * rejects when its wasm is refused, so the start has a time limit.
 */

import type { loadPyodide, PyodideInterface } from "pyodide";
import type {
  KbBrowse,
  KbFailure,
  KbJudged,
  KbJudgeRequest,
  KbProgress,
  KbPrompt,
  KbPromptRequest,
  KbRequest,
  KbResponse,
  KbText,
  KbTopic,
  KnowledgeUrls,
  Loaded,
  PythonUrls,
} from "./protocol.ts";

/** Why the knowledge base cannot serve, by a name that the client and its user can act on. */
export class KbError extends Error {
  override readonly name = "KbError";

  constructor(
    readonly reason: KbFailure,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** `host.Host`, as Python hands it over. */
interface Host {
  readonly release: string;
  /** None in Python, where words alone count. */
  readonly embedding: string | undefined;
  respond(requestJson: string): string;
  topics(requestJson: string): string;
  texts(): string;
  prompt(requestJson: string): string;
  judge(requestJson: string): string;
}

/** What the engine takes from its surroundings. */
export interface EngineDeps {
  /** Imports the module at `url`, which is Pyodide's own. */
  readonly importPyodide: (url: string) => Promise<{ loadPyodide: typeof loadPyodide }>;
  readonly fetch: (url: string) => Promise<Response>;
  readonly progress: (event: KbProgress) => void;
  readonly startTimeoutMs: number;
}

export class KbEngine {
  #host: Host | null = null;

  constructor(private readonly deps: EngineDeps) {}

  /** Starts Python and reads the index and its embedding, side by side. */
  async load(python: PythonUrls, knowledge: KnowledgeUrls): Promise<Loaded> {
    const { progress } = this.deps;
    progress({ type: "progress", phase: "runtime", loaded: 0, total: 1 });
    const [pyodide, index, embedding] = await Promise.all([
      this.#start(python),
      this.#read(knowledge.index, "index"),
      this.#readEmbedding(knowledge.embedding),
    ]);
    const host = open(pyodide, index, embedding);
    this.#host = host;
    const loaded = { release: host.release, embedding: host.embedding ?? null };
    if (knowledge.embedding !== null && loaded.embedding === null) {
      progress({ type: "progress", phase: "words_only", loaded: 1, total: 1 });
    }
    progress({ type: "progress", phase: "ready", loaded: 1, total: 1 });
    return loaded;
  }

  /** The response of `core.respond` to one question. */
  ask(request: KbRequest): KbResponse {
    return this.#run((host) => host.respond(JSON.stringify(request))) as KbResponse;
  }

  /** What can be asked, as `core.browse` lists it. */
  topics(request: KbBrowse): readonly KbTopic[] {
    return this.#run((host) => host.topics(JSON.stringify(request))) as readonly KbTopic[];
  }

  /** What an encoder encodes of the index, by the ids of entries. */
  texts(): readonly KbText[] {
    return this.#run((host) => host.texts()) as readonly KbText[];
  }

  /** What a model on this device is told, as `core.device` writes it. */
  prompt(request: KbPromptRequest): KbPrompt {
    return this.#run((host) => host.prompt(JSON.stringify(request))) as KbPrompt;
  }

  /** How far what it wrote may be believed, as `core.device` judges it. */
  judge(request: KbJudgeRequest): KbJudged {
    return this.#run((host) => host.judge(JSON.stringify(request))) as KbJudged;
  }

  #run(work: (host: Host) => string): unknown {
    if (!this.#host) throw new KbError("not_loaded", "the knowledge base is not loaded");
    try {
      return JSON.parse(work(this.#host));
    } catch (error) {
      throw new KbError("python", describe(error), { cause: error });
    }
  }

  async #start(python: PythonUrls): Promise<PyodideInterface> {
    const { importPyodide } = this.deps;
    // What Pyodide imports next comes beside it, not after it; where it fails, Pyodide says so.
    importPyodide(`${python.runtime}pyodide.asm.mjs`).catch(() => undefined);
    const starting = importPyodide(`${python.runtime}pyodide.mjs`)
      .then(({ loadPyodide }) =>
        loadPyodide({
          indexURL: python.runtime,
          stdLibURL: python.stdlib,
          // Given here, it is one request less, and Pyodide has no other place to look for packages.
          lockFileContents: python.lock as unknown as string,
          packageBaseUrl: python.runtime,
        }),
      )
      .catch((error: unknown) => {
        const own = error instanceof Error && error.name === "PythonError";
        throw new KbError(own ? "python" : "network", describe(error), { cause: error });
      });
    const pyodide = await within(this.deps.startTimeoutMs, starting);
    this.deps.progress({ type: "progress", phase: "runtime", loaded: 1, total: 1 });
    return pyodide;
  }

  async #readEmbedding(url: string | null): Promise<Uint8Array | undefined> {
    return url === null ? undefined : this.#read(url, "embedding").catch(() => undefined);
  }

  async #read(url: string, phase: "index" | "embedding"): Promise<Uint8Array> {
    try {
      const response = await this.deps.fetch(url);
      if (!response.ok) throw new Error(`${url} answered ${response.status}`);
      const bytes = await readCounted(response, (loaded, total) =>
        this.deps.progress({ type: "progress", phase, loaded, total }),
      );
      return await unzipped(bytes);
    } catch (error) {
      throw new KbError("network", describe(error), { cause: error });
    }
  }
}

function open(pyodide: PyodideInterface, index: Uint8Array, embedding?: Uint8Array): Host {
  try {
    const views = [index, ...(embedding ? [embedding] : [])].map((bytes) => pyodide.toPy(bytes));
    const host = pyodide.pyimport("host").load(...views) as Host;
    for (const view of views) view.destroy();
    return host;
  } catch (error) {
    const text = describe(error);
    const reason = text.includes("IndexFormatError") ? "index" : "python";
    throw new KbError(reason, text, { cause: error });
  }
}

/** The body in one piece, with its bytes counted as they come. */
async function readCounted(
  response: Response,
  count: (loaded: number, total: number) => void,
): Promise<Uint8Array> {
  // The length counts the bytes on the wire, which are not the body's when they are encoded.
  const encoded = response.headers.get("content-encoding") !== null;
  const total = encoded ? 0 : Number(response.headers.get("content-length") ?? 0);
  const parts: Uint8Array[] = [];
  let loaded = 0;
  count(0, total);
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    parts.push(part.value);
    loaded += part.value.length;
    count(loaded, total);
  }
  const whole = new Uint8Array(loaded);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** What is in the gzip stream, while Python starts; what cannot be unzipped here is Python's to refuse. */
async function unzipped(bytes: Uint8Array): Promise<Uint8Array> {
  try {
    const plain = new Blob([bytes as BlobPart])
      .stream()
      .pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(plain).arrayBuffer());
  } catch {
    return bytes;
  }
}

function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    const late = new KbError("timeout", `Python did not start within ${ms} ms`);
    timer = setTimeout(() => reject(late), ms);
  });
  return Promise.race([work, limit]).finally(() => clearTimeout(timer));
}

/** The last line of a Python traceback, or the message of a JavaScript error. */
export function describe(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.trimEnd().split("\n").at(-1) ?? text;
}
