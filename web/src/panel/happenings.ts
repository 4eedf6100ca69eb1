/**
 * What the host page may know of a conversation: that something was said and by whom, never what.
 *
 * Decides nothing. Whoever makes a thing happen tells it here, once; what other tabs do is theirs to tell.
 */
import type { Trouble } from "./state.ts";

export type Happening =
  | { readonly type: "message"; readonly from: "visitor" | "chat" | "person" }
  | { readonly type: "escalated" | "reply" }
  | { readonly type: "error"; readonly reason: Trouble["kind"] };

export type Tell = (happening: Happening) => void;

export class Happenings {
  #hear: Tell = () => undefined;

  /** Has one listener told from now on. */
  follow(hear: Tell): void {
    this.#hear = hear;
  }

  readonly tell: Tell = (happening) => this.#hear(happening);
}
