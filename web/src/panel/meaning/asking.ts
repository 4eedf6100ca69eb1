/**
 * Asks the knowledge base, and once more with what an encoder says where it alone did not answer.
 *
 * Decides: what the knowledge base is sure of waits for nobody. The encoder reads the question meanwhile; it is heard only
 * if the second answer can come while the panel still waits for one.
 */
import type { KbNear, KbRequest, KbResponse } from "../../engines/kb/protocol.ts";
import { type Knowledge, OFFLINE_WAIT_MS, ONLINE_WAIT_MS } from "../knowledge.ts";

/** What an encoder says of a question; undefined where it cannot say in time. Never rejects. */
export type NearTo = (question: string, stop: AbortSignal) => Promise<KbNear | undefined>;

/** Kept free of what the panel waits, since a second question may take a little longer than the first. */
const SPARE_MS = 100;

/** From now on this knowledge base is asked so. */
export function askWith(knowledge: Pick<Knowledge, "ask">, near: NearTo): void {
  const alone = knowledge.ask.bind(knowledge);
  knowledge.ask = (request) => asked(request, alone, near);
}

async function asked(
  request: KbRequest,
  alone: (request: KbRequest) => Promise<KbResponse>,
  near: NearTo,
): Promise<KbResponse> {
  const began = performance.now();
  const stop = new AbortController();
  const nearing = near(request.question, stop.signal);
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const first = await alone(request);
    if (first.answer) return first;
    const once = performance.now() - began;
    const left = (request.online ? ONLINE_WAIT_MS : OFFLINE_WAIT_MS) - 2 * once - SPARE_MS;
    if (left <= 0) return first;
    timer = setTimeout(() => stop.abort(), left);
    const found = await nearing;
    return found ? await alone({ ...request, near: found }).catch(() => first) : first;
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}
