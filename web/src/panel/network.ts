/**
 * Whether the gateway can be reached, as far as this tab can tell.
 *
 * Decides: offline when the browser says so, unreachable when a call failed without an answer, online again
 * with the next call that succeeds.
 */
import type { PanelState } from "./state.ts";

export class Network {
  #reachable = true;

  constructor(
    private readonly state: PanelState,
    private readonly isOnline: () => boolean,
  ) {
    this.refresh();
  }

  /** Whether it is worth a try: an unreachable gateway may be back. */
  get usable(): boolean {
    return this.isOnline();
  }

  succeeded(): void {
    this.#reachable = true;
    this.refresh();
  }

  failed(): void {
    this.#reachable = false;
    this.refresh();
  }

  /** Reads the browser's word again. */
  refresh(): void {
    const reached = this.#reachable ? "online" : "unreachable";
    this.state.connection.value = this.isOnline() ? reached : "offline";
  }
}
