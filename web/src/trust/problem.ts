/**
 * The gateway's refusals (RFC 9457), read without trusting their shape.
 *
 * Decides: what a failed response means: a problem to show, a time to wait, a clock to correct.
 */

/** A refusal by the gateway, with what a person can do about it. */
export class Problem extends Error {
  override readonly name = "Problem";

  constructor(
    readonly status: number,
    readonly type: string,
    readonly detail: string,
    readonly remedy: string,
    /** Seconds to wait before another try, where the gateway said so. */
    readonly retryAfter: number | undefined,
    /** The gateway's own time, on refusals for freshness. */
    readonly serverTime: string | undefined,
  ) {
    super(detail || type || `HTTP ${status}`);
  }

  /** Whether the same call may succeed later, unchanged. */
  get passing(): boolean {
    return this.status >= 500 || [401, 408, 409, 425, 429].includes(this.status);
  }
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

export function problemFrom(document: unknown, status: number, headers?: Headers): Problem {
  const fields = (typeof document === "object" && document !== null ? document : {}) as Record<
    string,
    unknown
  >;
  const wait = Number.parseInt(headers?.get("Retry-After") ?? text(fields.retry_after), 10);
  const stated = typeof fields.status === "number" ? fields.status : status;
  return new Problem(
    status || stated,
    text(fields.type),
    text(fields.detail) || text(fields.title),
    text(fields.remedy),
    Number.isNaN(wait) ? undefined : wait,
    text(fields.server_time) || undefined,
  );
}

export async function problemOf(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => null);
  return problemFrom(body, response.status, response.headers);
}
