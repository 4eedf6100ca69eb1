/**
 * The worker's calls: load a model into WebLLM, have it write, stop it. It never throws: what fails is a reply.
 *
 * Decides how WebLLM is set up: it is given the model's files alone, with their hashes, and a hash that is not met is an error.
 * Refuses a second model in one worker.
 */

import type { EngineFailure, Message } from "../engine.ts";
import { filesOf } from "../weights/tar.ts";
import { ModelFiles } from "./files.ts";
import type { MlcCall, MlcReply } from "./protocol.ts";

export const LIBRARY = "library.wasm";
const CONFIG = "mlc-chat-config.json";
/** The hashes of the other files, as `fanlight models publish` saw them. */
const HASHES = "integrity.json";

/** WebLLM's record of a model. */
export interface MlcRecord {
  readonly model: string;
  readonly model_id: string;
  readonly model_lib: string;
  readonly overrides: { readonly context_window_size: number };
  readonly integrity: {
    readonly config: string;
    readonly tokenizer: Readonly<Record<string, string>>;
    readonly model_lib?: string;
    readonly onFailure: "error";
  };
}

interface Chunk {
  readonly choices: readonly {
    readonly delta: { readonly content?: string | null };
    readonly logprobs?: {
      readonly content?: readonly { readonly logprob: number }[] | null;
    } | null;
  }[];
}

/** What is used of WebLLM's engine. */
export interface Mlc {
  reload(id: string): Promise<void>;
  interruptGenerate(): unknown;
  readonly chat: {
    readonly completions: {
      create(request: {
        readonly messages: readonly Message[];
        readonly max_tokens: number;
        readonly temperature: number;
        readonly logprobs: true;
        readonly top_logprobs: number;
        readonly stream: true;
      }): Promise<AsyncIterable<Chunk>>;
    };
  };
}

export interface MlcDeps {
  readonly origin: string;
  /** An engine that knows the model of this record, and reads these files alone. */
  readonly open: (record: MlcRecord, files: ModelFiles) => Mlc;
  readonly post: (reply: MlcReply) => void;
}

export class MlcServer {
  #engine: Mlc | undefined;
  #lost = false;

  constructor(private readonly deps: MlcDeps) {}

  /** The graphics processor is gone: whatever runs, or is asked, ends by that. */
  lost(why: string): void {
    this.#lost = true;
    this.deps.post({ type: "failed", reason: "lost", message: why });
  }

  async serve(call: MlcCall): Promise<void> {
    try {
      if (call.type === "stop") this.#engine?.interruptGenerate();
      else if (call.type === "load") await this.#load(call);
      else await this.#generate(call);
    } catch (error) {
      // The edge of the worker: whatever WebLLM throws becomes a reply.
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      const reason = this.#lost ? "lost" : reasonOf(name, message, call.type);
      this.deps.post({ type: "failed", reason, message });
    }
  }

  async #load({ id, context, archive }: MlcCall & { readonly type: "load" }): Promise<void> {
    if (this.#engine) throw new Error("a model is loaded already");
    const all = await filesOf(archive);
    // WebLLM asks only below such an address as the hub's.
    const files = new ModelFiles(all, `${this.deps.origin}/m/model/resolve/main/`);
    const record = await recordOf(id, context, all, files.base);
    this.#engine = this.deps.open(record, files);
    await this.#engine.reload(id);
    if (this.#lost) throw new Error("the graphics processor was lost while loading");
    this.deps.post({ type: "loaded" });
  }

  async #generate({ messages, maxTokens }: MlcCall & { readonly type: "generate" }): Promise<void> {
    if (!this.#engine) throw new Error("no model is loaded");
    const stream = await this.#engine.chat.completions.create({
      messages,
      max_tokens: maxTokens,
      temperature: 0,
      logprobs: true,
      top_logprobs: 1,
      stream: true,
    });
    for await (const { choices } of stream) {
      const [first] = choices;
      const told = (first?.logprobs?.content ?? []).map(({ logprob }) => logprob);
      const logprobs = told.filter(Number.isFinite).map((one) => Math.min(0, one));
      this.deps.post({ type: "piece", text: first?.delta.content ?? "", logprobs });
    }
    if (this.#lost) throw new Error("the graphics processor was lost while writing");
    this.deps.post({ type: "ended" });
  }
}

async function recordOf(
  id: string,
  context: number,
  files: ReadonlyMap<string, Blob>,
  base: string,
): Promise<MlcRecord> {
  const hashes = JSON.parse((await files.get(HASHES)?.text()) ?? "{}") as Record<string, string>;
  const tokenizer = Object.entries(hashes).filter(([name]) => name.startsWith("tokenizer"));
  const library = files.has(LIBRARY) ? { model_lib: hashes[LIBRARY] ?? "" } : {};
  return {
    model: base,
    model_id: id,
    // WebLLM itself says that a library is missing, and how one is had.
    model_lib: (files.has(LIBRARY) ? base + LIBRARY : undefined) as string,
    overrides: { context_window_size: context },
    integrity: {
      config: hashes[CONFIG] ?? "",
      tokenizer: Object.fromEntries(tokenizer),
      ...library,
      onFailure: "error",
    },
  };
}

function reasonOf(name: string, message: string, doing: MlcCall["type"]): EngineFailure {
  // Its `MissingModelWasmError` has another name within.
  if (name === "MissingModelError" || /model_lib/.test(message)) return "library";
  if (/lost/i.test(`${name} ${message}`)) return "lost";
  if (/context ?window|prompt.*exceed/i.test(`${name} ${message}`)) return "context";
  return doing === "load" ? "load" : "generate";
}
