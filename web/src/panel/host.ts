/**
 * The panel's talk with the page that embeds it.
 *
 * Decides: which messages are believed: those from the embedding window itself, from an origin that the
 * gateway named for this site. Refuses all others in silence. The page's word for who its visitor is
 * goes on to the gateway, which alone believes it. What is said in the chat is not told.
 */
import type { Happening } from "./happenings.ts";

export interface Hello {
  readonly locale: string;
  readonly accent: string;
}

export interface HostListener {
  hello(hello: Hello): void;
  shown(): void;
  hidden(): void;
  /** The page asks in the visitor's place. */
  ask(text: string): void;
  /** The visitor has just read this greeting of the site's. */
  greeted(name: string): void;
  /** The page can say who its visitor is from now on, or no longer; or somebody else is there. */
  who(known: boolean): void;
}

export interface Theme {
  readonly accent: string;
  readonly label: string;
  readonly dir: "ltr" | "rtl";
}

/** A host page that says nothing by then is taken to know nobody. */
const PATIENCE_MS = 5000;
const LONGEST_JWT = 4096;

interface Asked {
  readonly thumbprint: string;
  readonly answer: (jwt: string) => void;
  readonly fail: (reason: Error) => void;
  sent: boolean;
}

function text(value: unknown): string {
  return typeof value === "string" ? value.slice(0, 200) : "";
}

export class HostBridge {
  #origin: string | undefined;
  #asked: Asked | undefined;

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
    this.ready();
  }

  /** Says that the panel can hear: the page answers with what it knows. */
  ready(): void {
    this.#say({ type: "ready" });
  }

  /** Asks the page for its server's word for the visitor; rejects when none comes. One at a time. */
  identify(thumbprint: string): Promise<string> {
    this.#asked?.fail(new Error("asked again"));
    return new Promise<string>((answer, fail) => {
      this.#asked = { thumbprint, answer, fail, sent: false };
      setTimeout(() => fail(new Error("the host page does not answer")), PATIENCE_MS);
      this.#sendQuestion();
    });
  }

  /** Sends the question as soon as it is known to whom. */
  #sendQuestion(): void {
    if (!this.#asked || this.#asked.sent || !this.#origin) return;
    this.#asked.sent = true;
    this.#say({ type: "identify", thumbprint: this.#asked.thumbprint });
  }

  #identified(jwt: unknown): void {
    const asked = this.#asked;
    this.#asked = undefined;
    if (typeof jwt === "string" && jwt.length <= LONGEST_JWT) asked?.answer(jwt);
    else asked?.fail(new Error("the host page cannot say who this is"));
  }

  close(): void {
    this.#say({ type: "close" });
  }

  unread(count: number): void {
    this.#say({ type: "unread", count });
  }

  /** Says that the panel goes, and comes again. */
  restarting(): void {
    this.#say({ type: "restarting" });
  }

  tell(happening: Happening): void {
    this.#say(happening);
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
    this.#sendQuestion();
    if (message.type === "identity") this.#identified(message.jwt);
    if (message.type === "shown") this.listener.shown();
    if (message.type === "hidden") this.listener.hidden();
    if (message.type === "ask" && typeof message.text === "string") this.listener.ask(message.text);
    if (message.type === "greeting") this.listener.greeted(text(message.name));
    if (message.type === "who") this.listener.who(message.known === true);
    if (message.type === "hello") {
      this.listener.hello({ locale: text(message.locale), accent: text(message.accent) });
    }
  }
}
