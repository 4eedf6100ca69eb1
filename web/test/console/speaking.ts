/** What the gateway says about how sites speak, for the console's tests. */

type Json = Record<string, unknown>;
type Answer = [status: number, body: Json | null];

const AT = "2026-03-12T11:00:00Z";

export const TEACHER = {
  identity: { name: "Assistant", role: "a patient guide", expertise: ["bikes", "repairs"] },
  communication: { tone: "warm", verbosity: "detailed", use_examples: true, use_humor: false },
  response_behavior: {},
  memory_usage: {},
};

export class Speaking {
  sites = ["site_demo"];
  models = true;
  configured: string | null = "teacher";
  chosen: Json | null = null;
  own: Json[] = [];
  /** Whether there are any such calls. */
  there = true;
  fallback: string | null = null;
  /** What every personality of the site's own said before, oldest first. */
  readonly #before = new Map<string, Json[]>();
  #numbers = 0;

  item(name: string, personality: Json | null, origin = "console", fields: Json = {}): Json {
    const own = origin === "console";
    return {
      name,
      origin,
      personality,
      flaws: [],
      left_out: [],
      author: own ? "ada" : null,
      at: own ? AT : null,
      number: own ? ++this.#numbers : 0,
      undoable: (this.#before.get(name)?.length ?? 0) > 0,
      ...fields,
    };
  }

  answer(method: string, path: string, body: Json): Answer {
    if (!this.there) return [404, { title: "Not found" }];
    const [, , , site = "", what = "", name = "", deed] = path.split("/").map(decodeURIComponent);
    if (site === "") return [200, { sites: this.sites.map((one) => this.#site(one)) }];
    if (what === "") return [200, this.#shown(site)];
    if (what === "told") return [200, told(body.personality as Json)];
    if (what === "try") return [200, this.#tried(String(body.question))];
    if (what === "choice") {
      this.chosen = method === "PUT" ? { name: body.name, author: "ada", at: AT } : null;
      return [200, this.#choice()];
    }
    return this.#item(method, name, deed ?? "", body);
  }

  #item(method: string, name: string, deed: string, body: Json): Answer {
    if (method === "POST" && name === "") {
      const made = this.item(`console.own-${this.own.length + 1}`, body.personality as Json);
      this.own.push(made);
      return [201, made];
    }
    const found = this.own.find((one) => one.name === name);
    if (method === "DELETE") {
      this.#put(name, null);
      this.#before.set(name, [...(this.#before.get(name) ?? []), found ?? {}]);
      return [204, null];
    }
    if ((deed === "undo" || found !== undefined) && body.based_on !== (found?.number ?? 0)) {
      return [409, { type: "https://fanlight.dev/problems/personality-changed" }];
    }
    if (deed === "undo") {
      const below = this.#before.get(name)?.pop() ?? null;
      this.#put(name, below);
      return below === null ? [204, null] : [200, below];
    }
    return [200, this.writes(name, body.personality as Json)];
  }

  /** Somebody writes one anew. */
  writes(name: string, personality: Json): Json {
    const before = this.own.find((one) => one.name === name);
    if (before) this.#before.set(name, [...(this.#before.get(name) ?? []), before]);
    const made = this.item(name, personality);
    this.#put(name, made);
    return made;
  }

  #put(name: string, item: Json | null): void {
    const others = this.own.filter((one) => one.name !== name);
    this.own = item === null ? others : [...others, item];
  }

  #choice(): Json {
    const in_use = this.chosen === null ? this.configured : this.chosen.name;
    return { configured: this.configured, chosen: this.chosen, in_use };
  }

  #site(site: string): Json {
    const locales = ["en", "es", "he"];
    const about = { name: site, locales, default_locale: "en", models: this.models };
    return { site, ...about, ...this.#choice() };
  }

  #shown(site: string): Json {
    const broken = { flaws: [{ field: "identity.name", detail: "there is none" }] };
    return {
      ...this.#site(site),
      limits: { "identity.name": 60, "identity.expertise": 8, custom_instructions: 20 },
      most_texts: 3,
      items: [
        ...this.own,
        this.item("broken", null, "folder", broken),
        this.item("teacher", TEACHER, "fanlight"),
      ],
    };
  }

  #tried(question: string): Json {
    const source = question.startsWith("known") ? "kb" : "cloud";
    const about = { confidence: 0.4, threshold: 0.55, fallback: this.fallback };
    return {
      reply: question === "mute" ? "" : `**${question}**`,
      source,
      model: "parrot",
      ...about,
    };
  }
}

function told(personality: Json): Json {
  const { name = "" } = (personality.identity ?? {}) as Json;
  return { told: { en: `Your name is ${name}.`, he: `שמך ${name}.` }, flaws: [], left_out: [] };
}
