/**
 * Who is logged in.
 *
 * Decides: whether the console, the log-in form or "the gateway does not answer" is shown.
 * Refuses: to keep the operator token; it goes into one request and is forgotten. The session
 * itself is an HttpOnly cookie that no script can read.
 */

import { signal } from "@preact/signals";
import { type Api, Trouble } from "./api";

export type Phase =
  | { readonly name: "checking" }
  /** `ended`: there was a session before. */
  | { readonly name: "out"; readonly ended: boolean }
  | { readonly name: "in"; readonly operator: string }
  | { readonly name: "unavailable" };

export class SessionStore {
  readonly phase = signal<Phase>({ name: "checking" });
  readonly trouble = signal<Trouble | null>(null);
  readonly busy = signal(false);
  /** Milliseconds since the epoch before which another try is refused anyway. */
  readonly waitUntil = signal(0);

  constructor(
    private readonly api: Api,
    private readonly now: () => number,
  ) {}

  /** Asks the gateway, at the start and when a live line was refused. */
  async check(): Promise<void> {
    const before = this.phase.value;
    try {
      this.phase.value = { name: "in", operator: (await this.api.session()).operator };
    } catch (trouble) {
      if (trouble instanceof Trouble && trouble.kind === "signed_out") this.end();
      else if (before.name !== "in") this.phase.value = { name: "unavailable" };
    }
  }

  async logIn(token: string): Promise<void> {
    if (this.busy.value || this.now() < this.waitUntil.value) return;
    this.busy.value = true;
    this.trouble.value = null;
    try {
      const session = await this.api.logIn(token);
      this.phase.value = { name: "in", operator: session.operator };
    } catch (trouble) {
      if (!(trouble instanceof Trouble)) throw trouble;
      this.trouble.value = trouble;
      if (trouble.retryAfter !== null)
        this.waitUntil.value = this.now() + trouble.retryAfter * 1000;
    } finally {
      this.busy.value = false;
    }
  }

  /** Throws {@link Trouble}: an operator who is not logged out must know it. */
  async logOut(): Promise<void> {
    await this.api.logOut();
    this.phase.value = { name: "out", ended: false };
  }

  /** The gateway no longer knows this session. */
  end(): void {
    if (this.phase.value.name === "out") return;
    this.phase.value = { name: "out", ended: this.phase.value.name === "in" };
  }
}
