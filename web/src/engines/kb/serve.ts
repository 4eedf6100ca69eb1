/**
 * Turns messages into calls on an engine, and what comes of them into replies. It never throws:
 * whatever fails is a `failed` reply, so that no caller waits in vain.
 */

import { describe, type KbEngine, KbError } from "./engine.ts";
import type { KbCall, KbReply } from "./protocol.ts";

/** Handles one call and posts its one reply. */
export async function serve(
  engine: KbEngine,
  call: KbCall,
  post: (reply: KbReply) => void,
): Promise<void> {
  const { id } = call;
  try {
    if (call.type === "load") {
      post({ id, type: "loaded", ...(await engine.load(call.python, call.knowledge)) });
    } else if (call.type === "browse") {
      post({ id, type: "topics", topics: engine.topics(call.request) });
    } else if (call.type === "texts") {
      post({ id, type: "texts", texts: engine.texts() });
    } else if (call.type === "prompt") {
      post({ id, type: "prompted", prompt: engine.prompt(call.request) });
    } else if (call.type === "judge") {
      post({ id, type: "judged", judged: engine.judge(call.request) });
    } else {
      post({ id, type: "answer", response: engine.ask(call.request) });
    }
  } catch (error) {
    // The edge of the worker: an error that is not ours would otherwise be lost with its stack.
    const reason = error instanceof KbError ? error.reason : "python";
    post({ id, type: "failed", reason, message: describe(error) });
  }
}
