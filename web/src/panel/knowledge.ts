/**
 * The knowledge base as the panel asks it: the gate and the route, in this browser, or nothing in time.
 *
 * Decides: how long a question waits for it. Online that is 1.5 s, after which the gateway is asked, which
 * runs the same gate over the same index; offline there is nobody else to ask, so it waits longer.
 */
import type { KbBrowse, KbRequest, KbResponse, KbText, KbTopic } from "../engines/kb/protocol.ts";
import type { Grounded } from "./device/writing.ts";

export const ONLINE_WAIT_MS = 1500;
export const OFFLINE_WAIT_MS = 30_000;

/** What the panel needs of `KnowledgeBase`: it may still be loading, and may have failed. */
export interface Knowledge extends Grounded {
  /** Starts loading, once; later calls resolve with the same outcome. */
  load(): Promise<unknown>;
  ask(request: KbRequest): Promise<KbResponse>;
  browse(request: KbBrowse): Promise<readonly KbTopic[]>;
  texts(): Promise<readonly KbText[]>;
}

/** Resolves after `ms`, or as soon as the visitor stops. */
function after(ms: number, stop: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      resolve(undefined);
    };
    const timer = setTimeout(end, ms);
    stop.addEventListener("abort", end, { once: true });
  });
}

/** What can be asked, in the owner's order; rejects where the knowledge base cannot be had. */
export async function browse(
  knowledge: Knowledge | undefined,
  request: KbBrowse,
): Promise<readonly KbTopic[]> {
  if (!knowledge) throw new Error("the knowledge base is not loaded");
  await knowledge.load();
  return knowledge.browse(request);
}

/** The verdict on a question, or undefined when the knowledge base cannot say in time. */
export async function consult(
  knowledge: Knowledge | undefined,
  request: KbRequest,
  stop: AbortSignal,
): Promise<KbResponse | undefined> {
  if (!knowledge) return undefined;
  const verdict = knowledge.load().then(() => knowledge.ask(request));
  const limit = after(request.online ? ONLINE_WAIT_MS : OFFLINE_WAIT_MS, stop);
  return Promise.race([verdict, limit]).catch(() => undefined);
}
