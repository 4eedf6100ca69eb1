/**
 * Every call that the panel makes under a session.
 *
 * Decides: the chain of receipts (the last one goes with the next call), one correction of the clock, one
 * new session when a token is refused. Refuses: by throwing the gateway's `Problem`.
 */
import type { BrowserKey } from "./key.ts";
import { Problem } from "./problem.ts";
import { retryIfStale, Session, type SessionOptions } from "./session.ts";
import { type Call, signedHeaders } from "./signer.ts";

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Headers that are not signed: `Accept`, `Last-Event-ID`, `traceparent`. */
  readonly headers?: Readonly<Record<string, string>>;
}

export class SignedCalls {
  readonly #session: Session;
  #receipt: string | undefined;

  constructor(private readonly options: SessionOptions) {
    this.#session = new Session(options);
  }

  /** Opens the session ahead of the first question; a failure is left for that question to meet. */
  async warm(): Promise<void> {
    await this.#session.token().catch(() => undefined);
  }

  /** The next call opens a new session, with its own chain. */
  reset(): void {
    this.#session.drop();
    this.#receipt = undefined;
  }

  /** Remembers a receipt, so that the gateway sees a chain. */
  keepReceipt(receipt: string | null | undefined): void {
    if (receipt) this.#receipt = receipt;
  }

  /** Sends one signed call; resolves with a response that succeeded. */
  async send(call: Call, options: CallOptions = {}): Promise<Response> {
    try {
      return await this.#sendOnce(call, options);
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401) throw error;
      this.reset();
      return this.#sendOnce(call, options);
    }
  }

  async #sendOnce(call: Call, { signal, headers }: CallOptions): Promise<Response> {
    const token = await abortable(this.#session.token(), signal);
    const key: BrowserKey = await this.options.key();
    const url = this.options.gateway + call.path + (call.query ? `?${call.query}` : "");
    const attempt = async () => {
      const signed = await signedHeaders(
        call,
        { key, authority: this.options.authority, token, integrity: this.#receipt },
        this.options.clock,
      );
      for (const [name, value] of Object.entries(headers ?? {})) signed.set(name, value);
      return this.options.fetch(url, {
        method: call.method,
        headers: signed,
        body: call.body ?? null,
        credentials: "omit",
        cache: "no-store",
        signal: signal ?? null,
      });
    };
    const response = await retryIfStale(attempt, this.options.clock);
    this.keepReceipt(response.headers.get("X-Integrity"));
    return response;
  }
}

/** Stops waiting when the signal says so; the work itself goes on for whoever needs it next. */
function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
