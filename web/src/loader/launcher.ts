/**
 * The launcher on the host page: a button, and the frame that it opens.
 *
 * Decides: when the panel is fetched (on first use, or when a pointer or the focus comes near), where focus
 * goes, and which messages are believed: those from the frame's own window and the gateway's origin.
 * Refuses: to fetch anything before that, and to keep anything on the host page.
 */
import { DOWN, drawing, element, MARK } from "./draw.ts";
import { hexColor, type LoaderOptions } from "./options.ts";
import { CSS, inkOn } from "./style.ts";
import { wordsFor } from "./words.ts";

/** A panel that has said nothing by then is not coming. */
const PATIENCE_MS = 15_000;

export class Launcher {
  readonly host = document.createElement("fanlight-launcher");
  readonly #words: ReturnType<typeof wordsFor>;
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
  #frame: HTMLIFrameElement | undefined;
  #label: string;
  #unread = 0;
  #open = false;
  /** Whether the panel's own document is in the frame: before that, nobody there may hear us. */
  #loaded = false;

  constructor(
    private readonly options: LoaderOptions,
    private readonly gateway: string,
  ) {
    this.#origin = new URL(gateway).origin;
    this.#words = wordsFor(options.locale);
    this.#label = this.#words.open;
    this.#build();
    this.#listen();
    this.#paint(options.accent);
    this.#tell();
  }

  #build(): void {
    const { host } = this;
    host.dataset.side = this.options.position;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    const root = host.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    this.#button.type = "button";
    this.#wait.setAttribute("role", "status");
    this.#sheet.id = "panel";
    this.#button.setAttribute("aria-controls", "panel");
    // The button first: what it opens comes next in the order of Tab.
    root.append(this.#button, this.#sheet);
  }

  #listen(): void {
    const near = () => this.#load();
    this.#button.addEventListener("pointerenter", near, { once: true });
    this.#button.addEventListener("focus", near, { once: true });
    this.#button.addEventListener("click", () => this.#toggle(!this.#open));
    this.host.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.#open) this.#toggle(false);
    });
    window.addEventListener("message", (event) => this.#hear(event));
  }

  #load(): void {
    if (this.#frame) return;
    this.#wait.textContent = "";
    const frame = element("iframe", "");
    frame.title = this.#label;
    frame.allow = "clipboard-write";
    const { site, identity } = this.options;
    frame.src = `${this.gateway}/panel/${encodeURIComponent(site)}${identity && "#identity"}`;
    this.#loaded = false;
    frame.addEventListener("load", () => {
      this.#loaded = true;
      this.#hello();
    });
    this.#frame = frame;
    this.#sheet.append(frame);
    setTimeout(() => {
      if (!this.#sheet.classList.contains("ready")) this.#fail();
    }, PATIENCE_MS);
  }

  /** Nothing came: says so, and fetches again when the visitor opens the chat again. */
  #fail(): void {
    this.#wait.textContent = this.#words.failed;
    this.#frame?.remove();
    this.#frame = undefined;
  }

  #toggle(open: boolean): void {
    if (open) this.#load();
    this.#open = open;
    for (const part of [this.#button, this.#sheet]) part.classList.toggle("open", open);
    this.#tell();
    this.#say(open ? "shown" : "hidden");
    if (open) this.#frame?.focus();
    else this.#button.focus();
  }

  #hello(): void {
    const { locale, accent } = this.options;
    this.#say("hello", { locale, accent, page_title: document.title });
    if (this.#open) this.#say("shown");
  }

  #say(type: string, fields: object = {}): void {
    if (!this.#loaded) return;
    this.#frame?.contentWindow?.postMessage({ fanlight: 1, type, ...fields }, this.#origin);
  }

  #hear({ origin, source, data }: MessageEvent): void {
    if (origin !== this.#origin || !source || source !== this.#frame?.contentWindow) return;
    if (data?.fanlight !== 1) return;
    this.#loaded = true;
    if (data.type === "ready") this.#hello();
    if (data.type === "close" && this.#open) this.#toggle(false);
    if (data.type === "unread") {
      this.#unread = Number(data.count) || 0;
      this.#tell();
    }
    if (data.type === "theme") this.#dress(data);
    if (data.type === "identify") void this.#identify(data.thumbprint);
  }

  /** Fetches the site's word for its visitor, for the panel alone; null where that fails. */
  async #identify(thumbprint: unknown): Promise<void> {
    const { identity, site } = this.options;
    if (!identity) return;
    const headers = { "Content-Type": "application/json" };
    const body = JSON.stringify({ site, thumbprint });
    const jwt = await fetch(identity, { method: "POST", headers, body }).then(
      (response) => (response.ok ? response.text() : null),
      () => null,
    );
    this.#say("identity", { jwt });
  }

  #dress({ accent, label, dir }: Readonly<Record<string, unknown>>): void {
    this.#sheet.classList.add("ready");
    this.#paint(this.options.accent || hexColor(accent));
    this.host.dir = dir === "rtl" ? "rtl" : "ltr";
    if (label) this.#label = String(label).slice(0, 200);
    if (this.#frame) this.#frame.title = this.#label;
    this.#tell();
  }

  #paint(accent: string): void {
    if (!accent) return;
    this.host.style.setProperty("--accent", accent);
    this.host.style.setProperty("--ink", inkOn(accent));
  }

  /** Says in words what the button looks like. */
  #tell(): void {
    const count = this.#unread;
    this.#badge.textContent = count > 0 ? String(Math.min(count, 99)) : "";
    const label = this.#open ? this.#words.close : this.#label;
    const news = count > 0 ? `, ${this.#words.unread} ${count}` : "";
    this.#button.setAttribute("aria-label", label + news);
    this.#button.setAttribute("aria-expanded", String(this.#open));
  }
}
