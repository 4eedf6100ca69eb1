/**
 * The trace of a turn, as the gateway and whatever it calls know it (W3C Trace Context).
 *
 * Decides: the UUID in a turn's id is the trace's id, and its second half stands for the browser's own
 * part of it. Nothing is recorded here, and the header is not signed: it proves nothing.
 */

const TURN = /^t_([0-9a-f]{32})$/;

/** The header that ties a call to its turn; none for what is no turn's id. */
export function traceOf(turnId: string): Record<string, string> {
  const id = TURN.exec(turnId)?.[1];
  return id === undefined ? {} : { traceparent: `00-${id}-${id.slice(16)}-01` };
}
