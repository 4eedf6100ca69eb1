/**
 * The knowledge base behind a gateway for the console's tests: it speaks the knowledge desk's API.
 *
 * What it finds for a tried question is what the test puts into {@link Knowledge.trial}.
 */

type Json = Record<string, unknown>;
/** Status and body; a body of null is none. */
export type Said = readonly [number, unknown];

export const AT = "2026-03-12T11:57:00Z";

export function site(fields: Json = {}): Json {
  return {
    site: "site_demo",
    name: "Demo",
    locales: ["en", "es"],
    default_locale: "en",
    entries: 2,
    release: "r1",
    published_at: AT,
    changes: 0,
    unpublished: false,
    threshold: 0.55,
    out_of_scope: 0.3,
    marks: 0,
    building: null,
    failed: null,
    ...fields,
  };
}

export function entry(id: string, fields: Json = {}): Json {
  return {
    id,
    locale: "en",
    question: `What is ${id}?`,
    answer: `About **${id}**.`,
    variants: [],
    links: [],
    tags: [],
    escalate: false,
    valid_from: "",
    valid_until: "",
    origin: "file",
    state: "live",
    author: null,
    at: null,
    number: 0,
    ...fields,
  };
}

export function trial(fields: Json = {}): Json {
  return {
    draft: true,
    outcome: "handed_over",
    confidence: 0.31,
    threshold: 0.55,
    answer: null,
    candidates: [],
    built: true,
    ...fields,
  };
}

export class Knowledge {
  sites = [site()];
  entries = [entry("returns"), entry("shipping")];
  trial = trial();
  findings: Json = { findings: [], checked_at: null, running: false, failed: null };
  unanswered: Json[] = [];
  marks: Json[] = [];
  leftOut: Json[] = [];
  preview: Json = { added: [], changed: [], removed: [], unchanged: 0, problems: [] };
  pageSize = 50;
  /** Who edits here. */
  operator = "ada";
  #number = 0;
  readonly #before = new Map<string, Array<Json | null>>();

  answer(method: string, path: string, query: URLSearchParams, body: Json): Said {
    const [key, resource, ...rest] = path.split("/").slice(3).map(decodeURIComponent);
    if (key === undefined) return [200, { sites: this.sites }];
    const at = this.sites.find((one) => one.site === key);
    if (at === undefined) return [404, { title: "No such site" }];
    const said = this.#resource(`${method} ${resource}`, rest, query, body, at);
    at.changes = this.entries.filter(({ state }) => state !== "live").length;
    return said ?? [404, { title: "Not found" }];
  }

  /** The build is through: the draft is what visitors get. */
  finish(failed: string | null = null): void {
    for (const at of this.sites) Object.assign(at, { building: null, failed });
    if (failed !== null) return;
    this.entries = this.entries.filter(({ state }) => state !== "removed");
    for (const one of this.entries) one.state = "live";
    for (const at of this.sites) Object.assign(at, { changes: 0, unpublished: false });
  }

  #resource(
    call: string,
    rest: readonly string[],
    query: URLSearchParams,
    body: Json,
    at: Json,
  ): Said | undefined {
    switch (call) {
      case "POST try":
        return [200, { question: body.question, ...this.trial }];
      case "POST publish":
        at.building = { step: "reading", share: 0.1 };
        return [202, { building: at.building }];
      case "GET findings":
        return [200, this.findings];
      case "POST findings":
        this.findings = { ...this.findings, running: true, failed: null };
        return [202, null];
      case "GET unanswered":
        return [200, { items: this.#missed(), days: Number(query.get("days")) }];
      case "PUT prior":
        Object.assign(at, { out_of_scope: body.out_of_scope, unpublished: true });
        return [200, at];
      case "POST imports":
        if (rest.length > 0) return [200, { ...at, left_out: this.leftOut }];
        return [200, { import_id: "i_1", source: body.url ?? body.name, ...this.preview }];
    }
    if (call.endsWith(" marks")) return this.#mark(call, rest[0], body, at);
    return this.#entry(call, rest, query, body);
  }

  /** A question that is marked is not asked about again; what the draft alone has is not known. */
  #missed(): Json[] {
    const marked = new Set(this.marks.map(({ question }) => question));
    return this.unanswered.filter(({ question }) => !marked.has(question));
  }

  #mark(call: string, id: string | undefined, body: Json, at: Json): Said {
    if (call.startsWith("GET")) return [200, { items: this.marks }];
    at.unpublished = true;
    if (call.startsWith("DELETE")) {
      this.marks = this.marks.filter((mark) => mark.id !== id);
      return [204, null];
    }
    const mark = { id: `m_${this.marks.length}`, author: "ada", at: AT, ...body };
    this.marks.push(mark);
    return [201, mark];
  }

  #entry(call: string, rest: readonly string[], query: URLSearchParams, body: Json): Said {
    const [id, locale, deed] = rest;
    if (id === undefined) {
      return call.startsWith("GET") ? this.#page(query) : this.#add(body);
    }
    const found = this.entries.find((one) => one.id === id && one.locale === locale);
    if (deed === "undo") return this.#undo(id, String(locale));
    if (found === undefined) return [404, { title: "No such entry" }];
    if (call.startsWith("GET")) return [200, { ...found, history: found.history ?? [] }];
    if (isStale(body, found)) return [409, ENTRY_CHANGED];
    const isNew = found.state === "new";
    this.#keep(found);
    if (call.startsWith("PUT")) {
      const { based_on, ...text } = body;
      const state = isNew ? "new" : "changed";
      Object.assign(found, text, this.#touched("edited", found, text), { state });
      return [200, found];
    }
    if (isNew) {
      this.entries = this.entries.filter((one) => one !== found);
      return [204, null];
    }
    Object.assign(found, this.#touched("removed", found, null), { state: "removed" });
    return [200, found];
  }

  /** An id is that of an entry which is there in another language, as the gateway takes it. */
  #add(body: Json): Said {
    const id = String(body.id ?? String(body.question).toLowerCase().replaceAll(/\W+/g, "-"));
    const there = this.entries.filter((one) => one.id === id && one.state !== "removed");
    if (body.id !== undefined && there.length === 0) return [404, { title: "No such entry" }];
    if (there.some(({ locale }) => locale === body.locale)) return [409, { title: "It exists" }];
    const made = entry(id, { ...body, ...this.#touched("created", {}, body), state: "new" });
    this.entries.unshift(made);
    this.#before.set(`${id} ${made.locale}`, [null]);
    return [201, made];
  }

  #touched(action: string, before: Json, text: Json | null): Json {
    const history = (before.history as Json[] | undefined) ?? [];
    const author = this.operator;
    this.#number += 1;
    return {
      author,
      at: AT,
      origin: "console",
      number: this.#number,
      history: [...history, { at: AT, author, action, entry: text }],
    };
  }

  #keep(found: Json): void {
    const key = `${found.id} ${found.locale}`;
    this.#before.set(key, [...(this.#before.get(key) ?? []), { ...found }]);
  }

  #undo(id: string, locale: string): Said {
    const before = this.#before.get(`${id} ${locale}`)?.pop();
    if (before === undefined) return [409, { detail: "There is nothing to take back." }];
    const others = this.entries.filter((one) => one.id !== id || one.locale !== locale);
    if (before === null) {
      this.entries = others;
      return [204, null];
    }
    this.entries = this.entries.map((one) => (others.includes(one) ? one : before));
    return [200, before];
  }

  #page(query: URLSearchParams): Said {
    const words = (query.get("q") ?? "").toLowerCase();
    const wanted = this.entries.filter(
      (one) =>
        `${one.id} ${one.question} ${one.answer}`.toLowerCase().includes(words) &&
        (!query.has("locale") || one.locale === query.get("locale")) &&
        (!query.has("state") || one.state !== "live"),
    );
    const from = Number(query.get("after") ?? 0);
    const items = wanted.slice(from, from + this.pageSize);
    const next = from + items.length;
    return [200, { items, next: next < wanted.length ? String(next) : null, total: wanted.length }];
  }
}

const ENTRY_CHANGED = {
  type: "https://fanlight.example/problems/entry-changed",
  title: "Entry changed",
  detail: "Someone else changed this entry after it was opened.",
};

function isStale({ based_on }: Json, { number }: Json): boolean {
  return based_on !== undefined && based_on !== number;
}
