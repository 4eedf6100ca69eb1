/**
 * The panel's talk with the page that embeds it.
 *
 * Decides: which messages are believed: those from the embedding window itself, from an origin that the
 * gateway named for this site. Refuses all others in silence.
 */

export interface Hello {
  readonly locale: string;
  readonly accent: string;
}

export interface HostListener {
  hello(hello: Hello): void;
  shown(): void;
  hidden(): void;
}

export interface Theme {
  readonly accent: string;
  readonly label: string;
  readonly dir: "ltr" | "rtl";
}

function text(value: unknown): string {
  return typeof value === "string" ? value.slice(0, 200) : "";
}

export class HostBridge {
  #origin: string | undefined;

  constructor(
    private readonly page: Window,
    private readonly origins: readonly string[],
    private readonly listener: HostListener,
  ) {}

  /** Starts to listen, and says that the panel is ready where the embedder's origin is already known. */
  start(): void {
    this.page.addEventListener("message", (event) => this.#hear(event));
    const embedder = this.#embedder();
    if (!embedder) return;
    this.#origin = embedder;
    this.#say({ type: "ready" });
  }

  close(): void {
    this.#say({ type: "close" });
  }

  unread(count: number): void {
    this.#say({ type: "unread", count });
  }

  theme(theme: Theme): void {
    this.#say({ type: "theme", ...theme });
  }

  #say(message: object): void {
    if (this.#origin) this.page.parent.postMessage({ fanlight: 1, ...message }, this.#origin);
  }

  /** The embedder's origin as the browser tells it, when it is one of the site's. */
  #embedder(): string | undefined {
    const ancestor = this.page.location.ancestorOrigins?.[0];
    if (ancestor) return this.origins.find((origin) => origin === ancestor);
    const referrer = this.page.document.referrer;
    return this.origins.find((origin) => referrer === origin || referrer.startsWith(`${origin}/`));
  }

  #hear(event: MessageEvent<unknown>): void {
    const own = event.source === this.page.parent && this.page.parent !== this.page;
    if (!own || !this.origins.includes(event.origin)) return;
    const message = event.data as Readonly<Record<string, unknown>> | null;
    if (typeof message !== "object" || message?.fanlight !== 1) return;
    this.#origin = event.origin;
    if (message.type === "shown") this.listener.shown();
    if (message.type === "hidden") this.listener.hidden();
    if (message.type === "hello") {
      this.listener.hello({ locale: text(message.locale), accent: text(message.accent) });
    }
  }
}
