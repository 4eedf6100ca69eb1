/**
 * What passes between a document and the worker that holds the knowledge base.
 *
 * Every request carries an id; its answer carries the same one. Progress has no id: a worker loads
 * once. The question and the response are `core.respond`'s own JSON, untouched on the way.
 */

/** What Pyodide asks of a lock file: its interpreter's tags, and here no packages. */
export interface PythonLock {
  readonly info: Readonly<Record<"abi_version" | "arch" | "platform" | "python", string>>;
  readonly packages: Readonly<Record<string, never>>;
}

/** Where a built Python pack lies. */
export interface PythonUrls {
  /** The folder of Pyodide's own files, with a slash at its end. */
  readonly runtime: string;
  /** The zip with the standard library and our packages. */
  readonly stdlib: string;
  readonly lock: PythonLock;
}

/** What the route is chosen by beside the question (`core.route.Signals`); what is left out is the first named. */
export interface KbDevice {
  readonly network?: "online" | "slow";
  readonly engine?: "none" | "absent" | "loading" | "kept" | "ready" | "busy" | "failed";
  /** The share that is left; null where it is not known, or on mains. */
  readonly battery?: number | null;
  readonly data_saver?: boolean;
  /** The visitor may pay for each megabyte. */
  readonly metered?: boolean;
  /** What the site and its visitor make of answers from the device. */
  readonly site?: "auto" | "off" | "prefer";
  readonly visitor?: "auto" | "off" | "prefer";
  /** Whether the gateway has a model to ask; true where it is left out. */
  readonly cloud?: boolean;
}

export interface KbRequest {
  readonly question: string;
  readonly locale: string;
  readonly question_locale: string | null;
  readonly threshold: number;
  readonly online: boolean;
  /** False once the visitor has meant none of the choices. */
  readonly may_clarify: boolean;
  /** The visitor's earlier questions, oldest first. */
  readonly history: readonly string[];
  /** The site's day, as 2026-12-24. */
  readonly today: string;
  /** The site's own topics of risk: words by topic. */
  readonly risk_topics?: Readonly<Record<string, readonly string[]>>;
  readonly device?: KbDevice;
  /** What an encoder says of the question, where one is here. */
  readonly near?: KbNear | undefined;
}

/** What an encoder says of a question, and how that is weighed (`kb.refine`). */
export interface KbNear extends NearWeights {
  /** The cosine of the question and the nearest text of each entry, by their ids. */
  readonly cosines: Readonly<Record<string, number>>;
}

export interface NearWeights {
  readonly kb: number;
  readonly near: number;
  /** Those that the encoder knows; empty: all. */
  readonly languages: readonly string[];
}

/** The id of an entry, and a text of it that may be encoded. */
export type KbText = readonly [entryId: string, language: string, text: string];

/** What a list of all that can be asked depends on. */
export interface KbBrowse {
  readonly locale: string;
  /** The site's day, as 2026-12-24. */
  readonly today: string;
}

/** One thing that can be asked. */
export interface KbTopic {
  readonly entry_id: string;
  readonly question: string;
  readonly locale: string;
}

export interface KbCitation {
  readonly title: string;
  readonly url: string;
}

export interface KbAnswer {
  readonly text: string;
  /** Where the sentence stands that speaks for the question, where one does. */
  readonly sentence: readonly [number, number] | null;
  readonly confidence: number;
  readonly source: "kb";
  readonly entry_id: string;
  readonly locale: string;
  readonly citations: readonly KbCitation[];
  readonly method: string;
}

export interface KbSuggestion {
  readonly entry_id: string;
  readonly question: string;
}

/** A question back: which of these does the visitor mean? */
export interface KbClarify {
  readonly text: string;
  readonly locale: string;
  /** That one of them is meant. */
  readonly confidence: number;
  readonly choices: readonly KbSuggestion[];
}

export interface KbFallback {
  readonly text: string;
  readonly locale: string;
  readonly suggestions: readonly KbSuggestion[];
}

export interface KbGate {
  readonly entry_id: string | null;
  readonly confidence: number;
  readonly index_release: string;
}

export type KbTarget = "kb" | "clarify" | "local" | "cloud" | "escalate";

export interface KbResponse {
  readonly route: KbTarget;
  readonly route_reasons: readonly string[];
  /** Who is next where that comes to nothing; null: nobody need be. */
  readonly otherwise: KbTarget | null;
  /** The topics of risk that the question touches. */
  readonly risk: readonly string[];
  readonly reasons: readonly string[];
  readonly escalate: boolean;
  readonly answer: KbAnswer | null;
  readonly clarify: KbClarify | null;
  readonly fallback: KbFallback;
  readonly gate: KbGate;
}

/** A question that a model on this device is to answer, and what its prompt may hold. */
export interface KbPromptRequest {
  readonly question: string;
  readonly locale: string;
  readonly question_locale: string | null;
  readonly today: string;
  /** The site's name. */
  readonly name: string;
  /** What was said before, oldest first. */
  readonly turns: readonly { readonly role: "user" | "assistant"; readonly content: string }[];
  /** Tokens that prompt and reply may have together, and the reply alone. */
  readonly window: number;
  readonly max_tokens: number;
  /** Of the model that is asked: a small one is given less. */
  readonly parameters: number;
}

/** What a model is asked; `entries` ground its reply. */
export interface KbPrompt {
  readonly messages: readonly {
    readonly role: "system" | "user" | "assistant";
    readonly content: string;
  }[];
  readonly max_tokens: number;
  readonly entries: readonly KbTopic[];
  readonly citations: readonly KbCitation[];
}

/** What a model wrote, with the natural logarithm of each token's probability where that is known. */
export interface KbJudgeRequest extends KbPromptRequest {
  readonly reply: string;
  readonly logprobs: readonly number[];
  /** Why it ended: by itself, or because it was long enough. */
  readonly finish: "stop" | "length";
  readonly threshold: number;
}

/** What is shown of it: an answer, or none, and a person is asked. */
export interface KbJudged {
  readonly answer: {
    readonly text: string;
    readonly citations: readonly KbCitation[];
  } | null;
  /** The estimated probability that the reply is right. */
  readonly confidence: number;
  readonly escalate: boolean;
  readonly reasons: readonly string[];
  readonly locale: string;
}

/** Where the files of a site's knowledge lie: the index, and the embedding that it was built with. */
export interface KnowledgeUrls {
  readonly index: string;
  /** null: it was built with none, and knows words alone. */
  readonly embedding: string | null;
}

/** What was loaded, by the releases of both; without an embedding, words alone count. */
export interface Loaded {
  readonly release: string;
  readonly embedding: string | null;
}

/**
 * `runtime`: Pyodide is on its way; `index`, `embedding`: bytes of each; `words_only`: the embedding
 * could not be had or read, and the rest goes on; `ready`: questions are answered.
 */
export type LoadPhase = "runtime" | "index" | "embedding" | "words_only" | "ready";

export interface KbProgress {
  readonly type: "progress";
  readonly phase: LoadPhase;
  /** Bytes of that file so far; for the other phases 0 or 1 of 1. */
  readonly loaded: number;
  /** 0 when it is not known. */
  readonly total: number;
}

export type KbCall =
  | {
      readonly id: number;
      readonly type: "load";
      readonly python: PythonUrls;
      readonly knowledge: KnowledgeUrls;
    }
  | { readonly id: number; readonly type: "ask"; readonly request: KbRequest }
  | { readonly id: number; readonly type: "prompt"; readonly request: KbPromptRequest }
  | { readonly id: number; readonly type: "judge"; readonly request: KbJudgeRequest }
  | { readonly id: number; readonly type: "texts" }
  | { readonly id: number; readonly type: "browse"; readonly request: KbBrowse };

/** `network`: a file could not be had; `index`: it is not one of ours; `python`: our code failed. */
export type KbFailure = "network" | "timeout" | "index" | "python" | "not_loaded";

export type KbReply =
  | KbProgress
  | ({ readonly id: number; readonly type: "loaded" } & Loaded)
  | { readonly id: number; readonly type: "answer"; readonly response: KbResponse }
  | { readonly id: number; readonly type: "topics"; readonly topics: readonly KbTopic[] }
  | { readonly id: number; readonly type: "prompted"; readonly prompt: KbPrompt }
  | { readonly id: number; readonly type: "judged"; readonly judged: KbJudged }
  | { readonly id: number; readonly type: "texts"; readonly texts: readonly KbText[] }
  | {
      readonly id: number;
      readonly type: "failed";
      readonly reason: KbFailure;
      readonly message: string;
    };
