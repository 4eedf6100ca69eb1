/**
 * One answer, written by a model on this device.
 *
 * Decides: how long it may write, and that what is not sure enough is no answer. What it is told, and how far it may be
 * believed, is `core`'s, run by the knowledge base's worker as the gateway runs it.
 */
import type { Engine, LocalModel } from "../../engines/engine.ts";
import type {
  KbJudged,
  KbJudgeRequest,
  KbPrompt,
  KbPromptRequest,
} from "../../engines/kb/protocol.ts";
import type { Entry } from "../../vault/entry.ts";
import type { Answer } from "../conversation.ts";
import { kbRequest, type Question } from "../question.ts";
import type { PanelState } from "../state.ts";

/** What of the knowledge base the writing needs. */
export interface Grounded {
  /** What a model is asked; without entries there is nothing to ground a reply in. */
  prompt(request: KbPromptRequest): Promise<KbPrompt>;
  /** How far what it wrote may be believed. */
  judge(request: KbJudgeRequest): Promise<KbJudged>;
}

export interface Writing {
  readonly engine: Engine;
  readonly model: Pick<LocalModel, "parameters">;
  readonly ground: Grounded;
  readonly question: Question;
  readonly onText: (text: string) => void;
  readonly state: PanelState;
}

/** Tokens of a reply: small models do not end by themselves. */
const MOST_TOKENS = 160;
/** Tokens of prompt and reply together: reading a prompt takes longer than writing one line. */
const WINDOW = 512;
/** The same words three times over: more of them will come, and nothing else. */
const LOOP = /(.{12,200}?)\s*\1\s*\1$/su;
/** Whoever waits longer than this is better served by a person. */
const MOST_MS = 120_000;

/** The answer, or undefined where it is not sure enough. Rejects with what the engine, or the visitor, ended it by. */
export async function written(writing: Writing): Promise<Answer | undefined> {
  const { ground, question, state, model } = writing;
  const request = promptRequest(question, state, model);
  const prompt = await ground.prompt(request);
  if (prompt.entries.length === 0) return undefined;
  const made = await generated(prompt, writing);
  if (!made.reply) return undefined;
  const threshold = state.config.confidence_threshold;
  const judging = { ...request, ...made, threshold };
  const { answer, confidence, locale } = await ground.judge(judging);
  question.stop.throwIfAborted();
  if (!answer) return undefined;
  const { text: content, citations } = answer;
  return { content, source: "local", confidence, citations, locale, here: true };
}

function promptRequest(
  question: Question,
  state: PanelState,
  { parameters }: Writing["model"],
): KbPromptRequest {
  const { locale, question_locale, today } = kbRequest(question, {
    state,
    online: false,
    at: Date.now(),
  });
  return {
    question: question.text,
    locale,
    question_locale,
    today,
    name: state.config.name,
    turns: question.before.filter(({ content }) => content !== "").map(turnOf),
    window: WINDOW,
    max_tokens: MOST_TOKENS,
    parameters,
  };
}

function turnOf({ role, content }: Entry): KbPromptRequest["turns"][number] {
  return { role: role === "user" ? "user" : "assistant", content };
}

async function generated(
  prompt: KbPrompt,
  { engine, question, onText }: Writing,
): Promise<Pick<KbJudgeRequest, "reply" | "logprobs" | "finish">> {
  const late = AbortSignal.timeout(MOST_MS);
  const stop = AbortSignal.any([question.stop, late]);
  let loops = false;
  let text = "";
  const logprobs: number[] = [];
  try {
    const options = { maxTokens: prompt.max_tokens };
    for await (const piece of engine.generate(prompt.messages, options, stop)) {
      text += piece.text;
      logprobs.push(...piece.logprobs);
      if (piece.text) onText(piece.text);
      loops = LOOP.test(text);
      if (loops) break;
    }
  } catch (error) {
    // What it wrote until then is judged like any other.
    if (!late.aborted || question.stop.aborted) throw error;
  }
  const long = loops || late.aborted || logprobs.length >= prompt.max_tokens;
  return { reply: text.trim(), logprobs, finish: long ? "length" : "stop" };
}
