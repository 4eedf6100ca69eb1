/** A whole panel for tests: the real services over a gateway, a knowledge base and a browser in memory. */
import type {
  KbJudged,
  KbJudgeRequest,
  KbPrompt,
  KbPromptRequest,
  KbRequest,
  KbResponse,
  KbText,
  KbTopic,
} from "../../src/engines/kb/protocol.ts";
import { compose, type Services, type Surroundings } from "../../src/panel/compose.ts";
import { type PanelConfig, parseConfig } from "../../src/panel/config.ts";
import type { Knowledge } from "../../src/panel/knowledge.ts";
import { type Database, MemoryStore } from "../../src/vault/store.ts";
import { event, GATEWAY, sse, TestGateway } from "../trust/gateway.ts";
import { TestStorage } from "../vault/storage.ts";

export const CONFIG: PanelConfig = parseConfig(
  JSON.stringify({
    site_key: "site_demo",
    mode: "chat",
    gateway: GATEWAY,
    authority: "chat.example",
    host_origins: ["https://shop.example"],
    locales: ["en", "es", "he"],
    default_locale: "en",
    kb: { url: "/kb/x.idx", release: "x", bytes: 1 },
    starters: { en: ["What is it?"] },
  }),
);

export const GATE = { entry_id: null, confidence: 0.31, index_release: "ab12" };
export const FALLBACK = {
  text: "Not sure.",
  locale: "en",
  suggestions: [{ entry_id: "e", question: "Did you mean this?" }],
};

export function known(text: string, escalate = false): KbResponse {
  return {
    route: "kb",
    route_reasons: [],
    otherwise: null,
    risk: [],
    reasons: [],
    escalate,
    answer: {
      text,
      sentence: null,
      confidence: 0.91,
      source: "kb",
      entry_id: "e",
      locale: "en",
      citations: [{ title: "Guide", url: "https://example.com/guide" }],
      method: "kb",
    },
    clarify: null,
    fallback: FALLBACK,
    gate: { ...GATE, confidence: 0.91 },
  };
}

export function unknown(route: "cloud" | "escalate"): KbResponse {
  return {
    route,
    route_reasons: [],
    otherwise: null,
    risk: [],
    reasons: [],
    escalate: route === "escalate",
    answer: null,
    clarify: null,
    fallback: route === "escalate" ? { ...FALLBACK, text: "No network." } : FALLBACK,
    gate: GATE,
  };
}

/** What the model on the device is to answer. */
export function here(online: boolean): KbResponse {
  return { ...unknown("escalate"), route: "local", otherwise: online ? "cloud" : "escalate" };
}

export const CHOICES = [
  { entry_id: "a", question: "Is it the known one?" },
  { entry_id: "b", question: "Is it another?" },
];

export function close(): KbResponse {
  return {
    ...unknown("cloud"),
    route: "clarify",
    reasons: ["clarify"],
    escalate: false,
    clarify: { text: "Which one?", locale: "en", confidence: 0.7, choices: CHOICES },
    gate: { ...GATE, confidence: 0.7 },
  };
}

/** A knowledge base that knows "known" and "always", asks back at "close", and nothing else. */
export class TestKnowledge implements Knowledge {
  readonly asked: string[] = [];
  readonly requests: KbRequest[] = [];
  loading: Promise<unknown> = Promise.resolve();

  load(): Promise<unknown> {
    return this.loading;
  }

  async browse(): Promise<readonly KbTopic[]> {
    return [
      { entry_id: "b", question: "Where is the known café?", locale: "en" },
      { entry_id: "a", question: "Is it a known one?", locale: "en" },
    ];
  }

  async texts(): Promise<readonly KbText[]> {
    return [["a", "en", "Is it a known one?"]];
  }

  async prompt({ question, max_tokens }: KbPromptRequest): Promise<KbPrompt> {
    const entries = question.includes("unheard") ? [] : [{ entry_id: "e", question, locale: "en" }];
    const messages = [{ role: "user", content: question }] as const;
    return { messages, max_tokens, entries, citations: [{ title: "Guide", url: "/guide" }] };
  }

  async judge({ reply }: KbJudgeRequest): Promise<KbJudged> {
    const sure = !reply.includes("doubtful");
    return {
      answer: sure ? { text: reply, citations: [{ title: "Guide", url: "/guide" }] } : null,
      confidence: sure ? 0.8 : 0.2,
      escalate: !sure,
      reasons: sure ? [] : ["low_confidence"],
      locale: "en",
    };
  }

  async ask(request: KbRequest): Promise<KbResponse> {
    const { question, online, may_clarify } = request;
    this.asked.push(question);
    this.requests.push(request);
    if (question.includes("close") && may_clarify) return close();
    if (question.includes("known")) return known("The **answer**.");
    if (question.includes("always")) return known("The answer.", true);
    const engine = request.device?.engine ?? "";
    if (question.includes("go on") && ["kept", "ready"].includes(engine)) return here(online);
    return unknown(online ? "cloud" : "escalate");
  }
}

export interface Turn {
  readonly reply: string;
  readonly confidence: number;
  readonly escalate?: boolean;
  readonly source?: string;
  readonly reasons?: readonly string[];
  readonly choices?: readonly unknown[];
}

export function done(turn: Turn): string {
  return event("done", { turn: { escalate: false, source: "cloud", ...turn }, receipt: "receipt" });
}

export interface Harness extends Services {
  readonly gateway: TestGateway;
  readonly knowledge: TestKnowledge;
  readonly storage: Storage;
  readonly database: Database & { removed: number };
  readonly browser: { online: boolean; removals: number };
  /** What became of each line, in the order in which it is read. */
  readonly lines: () => readonly (readonly [string, string, string | undefined])[];
}

export interface HarnessOptions {
  readonly storage?: Storage;
  readonly database?: Harness["database"];
  readonly gateway?: TestGateway;
  readonly languages?: readonly string[];
  readonly config?: PanelConfig;
  /** In place of what the harness has. */
  readonly around?: Partial<Surroundings>;
}

export function testDatabase(): Harness["database"] {
  const database = {
    keys: new MemoryStore(),
    outbox: new MemoryStore(),
    feedback: new MemoryStore(),
    removed: 0,
    remove: async () => {
      database.removed += 1;
    },
  };
  return database;
}

export function testGateway(): TestGateway {
  const gateway = new TestGateway();
  gateway.answers.set("/v1/chat", () => sse([done({ reply: "", confidence: 0 })]));
  gateway.answers.set("/v1/escalations", () =>
    Response.json({ escalated: true, escalation_id: "e_1", status: "queued" }, { status: 202 }),
  );
  gateway.answers.set("/v1/conversations/*", () => new Response(null, { status: 204 }));
  return gateway;
}

export function panel(options: HarnessOptions = {}): Harness {
  const gateway = options.gateway ?? testGateway();
  const knowledge = new TestKnowledge();
  const storage = options.storage ?? new TestStorage();
  const database = options.database ?? testDatabase();
  const browser = { online: true, removals: 0 };
  const services = compose(options.config ?? CONFIG, {
    fetch: gateway.fetch,
    storage: () => storage,
    openDatabase: async () => database,
    languages: options.languages ?? ["en"],
    isOnline: () => browser.online,
    knowledge: () => knowledge,
    device: async () => {
      throw new Error("there is none");
    },
    meaning: async () => {
      throw new Error("there is none");
    },
    goOnlineOnly: async () => {
      browser.removals += 1;
    },
    ...options.around,
  });
  const lines = () =>
    services.state.entries.value.map(
      ({ role, content, escalation }) => [role, content, escalation?.status] as const,
    );
  return { ...services, gateway, knowledge, storage, database, browser, lines };
}
