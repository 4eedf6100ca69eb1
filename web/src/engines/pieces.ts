/** What an engine calls back with, as something to be read; reading ends when nothing comes for too long. */

import { EngineError, type Piece } from "./engine.ts";

export class Pieces {
  readonly #waiting: Piece[] = [];
  #ended = false;
  #error: unknown;
  #wake: () => void = () => undefined;

  put(piece: Piece): void {
    if (piece.text || piece.logprobs.length > 0) this.#waiting.push(piece);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  fail(error: unknown): void {
    this.#error ??= error;
    this.end();
  }

  /** Each piece as it comes; throws what `fail` was given, the signal's reason, or that it took too long. */
  async *read(
    firstMs: number,
    betweenMs: number,
    signal: AbortSignal,
  ): AsyncGenerator<Piece, void, undefined> {
    let ms = firstMs;
    for (;;) {
      signal.throwIfAborted();
      const next = this.#waiting.shift();
      if (next) {
        ms = betweenMs;
        yield next;
      } else if (this.#error) {
        throw this.#error;
      } else if (this.#ended) {
        return;
      } else if (!(await this.#woken(ms, signal))) {
        throw new EngineError("timeout", `the model said nothing for ${ms} ms`);
      }
    }
  }

  /** True when there is something to look at; false after `ms`. */
  #woken(ms: number, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (woken: boolean) => () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", aborted);
        resolve(woken);
      };
      const aborted = done(true);
      const timer = setTimeout(done(false), ms);
      signal.addEventListener("abort", aborted, { once: true });
      this.#wake = done(true);
    });
  }
}
