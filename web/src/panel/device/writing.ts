/**
 * One answer, written by a model on this device.
 *
 * Decides: how long it may write, and that what is not sure enough is no answer. What it is told, and how far it may be
 * believed, is `core`'s, run by the knowledge base's worker as the gateway runs it.
 */
import type { Engine } from "../../engines/engine.ts";
import type {
  KbJudged,
  KbJudgeRequest,
  KbPrompt,
  KbPromptRequest,
} from "../../engines/kb/protocol.ts";
import { trainingMemory } from "../../vault/training.ts";
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
  readonly ground: Grounded;
  readonly question: Question;
  readonly onText: (text: string) => void;
  readonly state: PanelState;
}

/** Tokens of a reply: small models do not end by themselves. */
const MOST_TOKENS = 160;
/** Tokens of prompt and reply together: reading a prompt takes longer than writing one line. */
const WINDOW = 1024;
/** Whoever waits longer than this is better served by a person. */
const MOST_MS = 120_000;

/** The answer, or undefined where it is not sure enough. Rejects with what the engine, or the visitor, ended it by. */
export async function written(writing: Writing): Promise<Answer | undefined> {
  const { ground, question, state } = writing;
  const request = promptRequest(question, state);
  const prompt = await ground.prompt(request);
  if (prompt.entries.length === 0) return undefined;
  const { reply, logprobs } = await generated(prompt, writing);
  if (!reply) return undefined;
  const { confidence } = await ground.judge({ ...request, reply, logprobs });
  question.stop.throwIfAborted();
  if (confidence < state.config.confidence_threshold) return undefined;
  const { citations } = prompt;
  return { content: reply, source: "local", confidence, citations, here: true };
}

function promptRequest(question: Question, state: PanelState): KbPromptRequest {
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
    turns: trainingMemory(question.before).map(({ role, content }) => ({ role, content })),
    window: WINDOW,
    max_tokens: MOST_TOKENS,
  };
}

async function generated(
  prompt: KbPrompt,
  { engine, question, onText }: Writing,
): Promise<{ readonly reply: string; readonly logprobs: readonly number[] }> {
  const late = AbortSignal.timeout(MOST_MS);
  const stop = AbortSignal.any([question.stop, late]);
  let text = "";
  const logprobs: number[] = [];
  try {
    const options = { maxTokens: prompt.max_tokens };
    for await (const piece of engine.generate(prompt.messages, options, stop)) {
      text += piece.text;
      logprobs.push(...piece.logprobs);
      if (piece.text) onText(piece.text);
    }
  } catch (error) {
    // What it wrote until then is judged like any other.
    if (!late.aborted || question.stop.aborted) throw error;
  }
  return { reply: text.trim(), logprobs };
}
