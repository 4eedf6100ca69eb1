/**
 * `<fanlight-chat gateway="…" site="…">`: the chat for as long as the element is in the page.
 *
 * Decides: that its attributes are the tag's, its methods those of `window.fanlight`, and its events those
 * that the chat tells, with their `detail`. The launcher is drawn in the corner, not where the element is.
 */
import { type FanlightOptions, type Mounted, mount } from "./load.ts";
import type { Fanlight, FanlightEvent, IdentitySource } from "./types.ts";

const ATTRIBUTES = [
  ...["gateway", "site", "locale", "position", "accent"],
  ...["identity", "integrity", "greetings", "voice"],
] as const;
const EVENTS: readonly FanlightEvent[] = [
  ...(["ready", "open", "close", "message"] as const),
  ...(["escalated", "reply", "unread", "error"] as const),
];

/** On a server there is none; the class is there all the same, and of no use. */
const Base = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement;

export class FanlightChat extends Base {
  static readonly observedAttributes: readonly string[] = ATTRIBUTES;
  #mounted: Mounted | undefined;
  #source: IdentitySource | undefined;
  #settling = false;
  /** Calls from before the chat was wanted. */
  readonly #early: ((chat: Fanlight) => void)[] = [];
  readonly #known = new WeakSet<Fanlight>();

  connectedCallback(): void {
    this.#settle();
  }

  disconnectedCallback(): void {
    this.#settle();
  }

  attributeChangedCallback(): void {
    this.#settle();
  }

  open(): void {
    this.#call((chat) => chat.open());
  }

  close(): void {
    this.#call((chat) => chat.close());
  }

  ask(text: string): void {
    this.#call((chat) => chat.ask(text));
  }

  setLocale(locale: string): void {
    this.setAttribute("locale", locale);
  }

  identify(source: IdentitySource | null): void {
    this.#source = source ?? undefined;
    if (!source) this.removeAttribute("identity");
    this.#settle();
  }

  /** Once for all that changes in one go: an element that is moved keeps its chat. */
  #settle(): void {
    if (this.#settling) return;
    this.#settling = true;
    queueMicrotask(() => {
      this.#settling = false;
      const before = this.#mounted;
      const options = this.isConnected ? this.#options() : undefined;
      const mounted = options && mount(options);
      this.#mounted = mounted;
      before?.unmount();
      mounted?.chat.then(
        (chat) => this.#meet(chat),
        () => this.#fail(mounted),
      );
    });
  }

  #options(): FanlightOptions | undefined {
    const read = (name: string) => this.getAttribute(name) ?? undefined;
    const [gateway, site, position] = [read("gateway"), read("site"), read("position")];
    if (!gateway || !site) return undefined;
    return {
      gateway,
      site,
      locale: read("locale"),
      position: position === "left" || position === "right" ? position : undefined,
      accent: read("accent"),
      identity: this.#source ?? read("identity"),
      integrity: read("integrity"),
      greetings: this.hasAttribute("greetings"),
      voice: this.hasAttribute("voice"),
      nonce: this.nonce || undefined,
    };
  }

  #meet(chat: Fanlight): void {
    if (!this.#known.has(chat)) {
      this.#known.add(chat);
      for (const name of EVENTS) {
        chat.on(name, (detail) => this.dispatchEvent(new CustomEvent(name, { detail })));
      }
    }
    for (const call of this.#early.splice(0)) call(chat);
  }

  /** Not where another has taken its place. */
  #fail(mounted: Mounted): void {
    if (mounted !== this.#mounted) return;
    this.dispatchEvent(new CustomEvent("error", { detail: { reason: "unreachable" } }));
  }

  #call(call: (chat: Fanlight) => void): void {
    this.#early.push(call);
    this.#mounted?.chat.then(
      (chat) => this.#meet(chat),
      () => undefined,
    );
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "fanlight-chat": FanlightChat;
  }
}

if (globalThis.customElements && !customElements.get("fanlight-chat")) {
  customElements.define("fanlight-chat", FanlightChat);
}
