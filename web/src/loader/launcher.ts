/**
 * The launcher on the host page: a button, and the frame that it opens.
 *
 * Decides: when the panel is fetched (on first use, or when a pointer or the focus comes near), where focus
 * goes, and which messages are believed: those from the frame's own window and the gateway's origin, field
 * by field. Refuses: to fetch anything before that, and to keep anything on the host page.
 */
import type {
  FanlightEvent,
  FanlightEvents,
  IdentityQuestion,
  IdentitySource,
} from "../../packages/widget/src/types.ts";
import { DOWN, drawing, element, MARK } from "./draw.ts";
import { hexColor, type LoaderOptions } from "./options.ts";
import { CSS, inkOn } from "./style.ts";
import { wordsFor } from "./words.ts";

/** A panel that has said nothing by then is not coming. */
const PATIENCE_MS = 15_000;

/** Who may have said something, and why a question was turned down, as the panel tells it. */
const SPEAKERS: readonly unknown[] = ["visitor", "chat", "person"];
const REASONS: readonly unknown[] = ["limited", "long", "refused"];

export type Emit = <Name extends FanlightEvent>(name: Name, detail: FanlightEvents[Name]) => void;

/** Asks the site's own server who its visitor is. */
function asking(address: string): IdentitySource {
  const headers = { "Content-Type": "application/json" };
  return async (question) => {
    const body = JSON.stringify(question);
    const response = await fetch(address, { method: "POST", headers, body });
    if (!response.ok) throw response;
    return response.text();
  };
}

export class Launcher {
  readonly host = document.createElement("fanlight-launcher");
  readonly #root = this.host.attachShadow({ mode: "open" });
  readonly #origin: string;
  readonly #badge = element("span", "badge");
  readonly #button = element(
    "button",
    "launch",
    drawing("mark", MARK),
    drawing("down", DOWN),
    this.#badge,
  );
  readonly #wait = element("div", "wait");
  readonly #sheet = element("div", "sheet", this.#wait);
  /** The greeter's frame, and where it stands beside the button. */
  readonly #tip = element("div", "sheet tip");
  #greeter: HTMLIFrameElement | undefined;
  /** The greeting that is shown. */
  #greeting: { readonly name: unknown; readonly text: unknown } | undefined;
  /** What the panel is told as soon as it is there. */
  readonly #waiting: (readonly [type: string, fields: object])[] = [];
  #frame: HTMLIFrameElement | undefined;
  #beat: ReturnType<typeof setInterval> | undefined;
  #words: ReturnType<typeof wordsFor>;
  #locale: string;
  #label: string;
  #source: IdentitySource | null;
  /** What had the focus before the chat was opened. */
  #before: Element | null = null;
  #unread = 0;
  #open = false;
  /** Whether the panel's own document is in the frame: before that, nobody there may hear us. */
  #loaded = false;

  constructor(
    private readonly options: LoaderOptions,
    private readonly gateway: string,
    private readonly emit: Emit,
  ) {
    this.#origin = new URL(gateway).origin;
    this.#locale = options.locale;
    this.#words = wordsFor(options.locale);
    this.#label = this.#words.open;
    this.#source = options.identity ? asking(options.identity) : null;
    this.#build();
    this.#listen();
    this.#paint(options.accent);
    this.#tell();
    if (options.greets) this.#invite();
  }

  /** Shows or hides the panel. Only what the visitor did moves the focus into it. */
  toggle(open: boolean): void {
    if (open === this.#open || !this.host.isConnected) return;
    if (open) {
      if (this.#greeting) this.#send("greeting", { name: this.#greeting.name });
      this.#part();
      this.#load();
    }
    this.#open = open;
    for (const part of [this.#button, this.#sheet]) part.classList.toggle("open", open);
    this.#tell();
    this.#say(open ? "shown" : "hidden");
    const { activeElement } = document;
    if (open) {
      this.#before = activeElement === document.body ? null : activeElement;
      if (navigator.userActivation?.isActive ?? true) this.#frame?.focus();
    } else if (activeElement === this.host) {
      this.#button.focus();
      // Where that is not there any more, or takes no focus, it stays on the button.
      (this.#before as HTMLElement | null)?.focus();
    }
    this.emit(open ? "open" : "close", {});
  }

  ask(text: string): void {
    this.toggle(true);
    this.#send("ask", { text });
  }

  identify(source: IdentitySource | null): void {
    this.#source = source;
    if (this.#frame) this.#send("who", { known: !!source });
  }

  setLocale(locale: string): void {
    this.#locale = locale;
    this.#words = wordsFor(locale);
    this.#label = this.#words.open;
    this.#tell();
    this.#hello();
  }

  /** Leaves the page as it was. */
  end(): void {
    window.removeEventListener("message", this.#hear);
    this.#part();
    this.#drop();
    this.host.remove();
  }

  #build(): void {
    const { host } = this;
    host.dataset.side = this.options.position;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    const root = this.#root;
    root.adoptedStyleSheets = [sheet];
    this.#wait.setAttribute("role", "status");
    // The button first: what it opens comes next in the order of Tab.
    root.append(this.#button, this.#sheet);
  }

  #listen(): void {
    const near = () => this.#load();
    this.#button.addEventListener("pointerenter", near, { once: true });
    this.#button.addEventListener("focus", near, { once: true });
    this.#button.addEventListener("click", () => this.toggle(!this.#open));
    this.host.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.toggle(false);
    });
    window.addEventListener("message", this.#hear);
  }

  /** Fetches the greeter, once what the page itself needs is likely there. */
  #invite(): void {
    this.#greeter = this.#make("greet");
    this.#tip.append(this.#greeter);
    this.#beat = setTimeout(() => this.#root.append(this.#tip), 1000);
  }

  /** Tells the greeter once a second where the visitor is. */
  #guide(): void {
    const { accent } = this.options;
    // Neither from another page of the site, nor loaded again. The old interface, for its few letters.
    const fresh =
      !performance.navigation?.type &&
      !document.referrer.startsWith(location.origin) &&
      !window.navigation?.canGoBack;
    clearInterval(this.#beat);
    this.#beat = setInterval(() => {
      const depth = ((scrollY + innerHeight) / document.documentElement.scrollHeight) * 100;
      const page = { locale: this.#locale, accent, fresh, path: location.pathname, depth };
      this.#say("page", page, this.#greeter);
    }, 1000);
  }

  /** Greets no more on this page. */
  #part(): void {
    clearInterval(this.#beat);
    // Old libraries bring a `remove` that fails where there is nothing to remove from.
    this.#tip.replaceWith();
    this.#greeting = undefined;
  }

  /** What the greeter says; without a text it is over. */
  #heed({ type, name, text, height }: Readonly<Record<string, unknown>>): void {
    const tip = this.#tip;
    if (type === "ready") {
      tip.classList.add(type);
      this.#guide();
    }
    if (type === "open") this.toggle(true);
    if (type !== "greet") return;
    if (text) {
      this.#greeting = { name, text };
      tip.style.height = `${height}px`;
      tip.classList.add("open");
    } else {
      if (document.activeElement === this.host) this.#button.focus();
      this.#part();
    }
    this.#tell();
  }

  /** A frame for a page of the gateway's. */
  #make(page: string, known = ""): HTMLIFrameElement {
    const frame = element("iframe", "");
    frame.title = this.#label;
    frame.src = `${this.gateway}/${page}/${encodeURIComponent(this.options.site)}${known}`;
    return frame;
  }

  #load(): void {
    if (this.#frame) return;
    this.#wait.textContent = "";
    const frame = this.#make("panel", this.#source ? "#identity" : "");
    frame.allow = `clipboard-write${this.options.voice ? ";microphone" : ""}`;
    this.#loaded = false;
    frame.addEventListener("load", () => {
      this.#loaded = true;
      this.#hello();
    });
    this.#frame = frame;
    this.#sheet.append(frame);
    setTimeout(() => {
      if (frame === this.#frame && !this.#ready) this.#fail();
    }, PATIENCE_MS);
  }

  /** Nothing came: says so, and fetches again when the visitor opens the chat again. */
  #fail(): void {
    this.#wait.textContent = this.#words.failed;
    this.#drop();
    this.emit("error", { reason: "unreachable" });
  }

  #drop(): void {
    this.#frame?.remove();
    this.#frame = undefined;
  }

  /** Whether the panel has been composed, and hears everything. */
  get #ready(): boolean {
    return this.#sheet.classList.contains("ready");
  }

  #hello(): void {
    const { accent } = this.options;
    this.#say("hello", { locale: this.#locale, accent, page_title: document.title });
    if (this.#open) this.#say("shown");
  }

  #say(type: string, fields: object = {}, to = this.#loaded ? this.#frame : undefined): void {
    to?.contentWindow?.postMessage({ fanlight: 1, type, ...fields }, this.#origin);
  }

  /** Says it now, or as soon as the panel can hear it. */
  #send(...told: readonly [type: string, fields: object]): void {
    this.#waiting.push(told);
    if (this.#ready) this.#flush();
  }

  #flush(): void {
    for (const told of this.#waiting.splice(0)) this.#say(...told);
  }

  readonly #hear = ({ origin, source, data }: MessageEvent): void => {
    if (origin !== this.#origin || !source || data?.fanlight !== 1) return;
    if (source === this.#greeter?.contentWindow) this.#heed(data);
    if (source !== this.#frame?.contentWindow) return;
    this.#loaded = true;
    const { type, from, reason } = data;
    if (type === "ready") this.#hello();
    if (type === "restarting") this.#sheet.classList.remove("ready");
    if (type === "close") this.toggle(false);
    if (type === "unread") this.#count(Math.max(0, data.count | 0));
    if (type === "theme") this.#dress(data);
    if (type === "identify") void this.#identify(data.thumbprint);
    if (type === "message" && SPEAKERS.includes(from)) this.emit(type, { from });
    if (type === "error" && REASONS.includes(reason)) this.emit(type, { reason });
    if (type === "escalated" || type === "reply") this.emit(type, {});
  };

  #count(count: number): void {
    if (count === this.#unread) return;
    this.#unread = count;
    this.#tell();
    this.emit("unread", { count });
  }

  /** Fetches the site's word for its visitor, for the panel alone; null where that fails. */
  async #identify(thumbprint: unknown): Promise<void> {
    const question: IdentityQuestion = { site: this.options.site, thumbprint: `${thumbprint}` };
    if (!this.#source) return;
    const jwt = await Promise.resolve(question)
      .then(this.#source)
      .then(
        (word) => `${word ?? ""}`,
        () => null,
      );
    this.#say("identity", { jwt });
  }

  #dress({ accent, label, dir }: Readonly<Record<string, unknown>>): void {
    const ready = this.#ready;
    this.#sheet.classList.add("ready");
    this.#paint(this.options.accent || hexColor(accent));
    this.host.dir = dir === "rtl" ? "rtl" : "ltr";
    if (label) this.#label = `${label}`;
    if (this.#frame) this.#frame.title = this.#label;
    this.#tell();
    if (ready) return;
    this.#flush();
    this.emit("ready", {});
  }

  #paint(accent: string): void {
    if (!accent) return;
    this.host.style.setProperty("--accent", accent);
    this.host.style.setProperty("--ink", inkOn(accent));
  }

  /** Says in words what the button looks like. */
  #tell(): void {
    const greeting = this.#greeting?.text;
    const count = this.#unread || (greeting ? 1 : 0);
    this.#badge.textContent = `${Math.min(count, 99) || ""}`;
    const label = this.#open ? this.#words.close : this.#label;
    const news = this.#unread
      ? `, ${this.#words.unread} ${count}`
      : greeting
        ? `, 1: ${greeting}`
        : "";
    this.#button.setAttribute("aria-label", label + news);
    this.#button.setAttribute("aria-expanded", `${this.#open}`);
  }
}
