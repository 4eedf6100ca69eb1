/** What the gateway's builder says, for the console's tests. */

type Json = Record<string, unknown>;
type Answer = [status: number, body: Json];

export const SITES = [
  {
    site: "site_demo",
    name: "The Shop",
    locales: ["en", "es", "he"],
    default_locale: "en",
    accent: "#1f5f8b",
    theme: "auto",
    origins: ["https://shop.example"],
    preview: "https://chat.example/preview/site_demo",
  },
  {
    site: "site_help",
    name: "Help",
    locales: ["en"],
    default_locale: "en",
    accent: "#aa3300",
    theme: "dark",
    origins: [],
    preview: "https://chat.example/preview/site_help",
  },
];

export class Embedding {
  sites: readonly Json[] = SITES;
  /** What the last snippets were asked for. */
  asked = "";

  answer(path: string, query: URLSearchParams): Answer {
    if (path === "/v1/embed") return [200, { sites: this.sites }];
    this.asked = `${path.split("/").at(-1)}?${query}`;
    const page = query.get("page") ?? "";
    if (page.startsWith("http:")) {
      const told = { field: "page", detail: "This is plain http.", remedy: "Use https." };
      return [400, { title: "No", status: 400, ...told }];
    }
    return [200, snippets(query)];
  }
}

export function snippets(query = new URLSearchParams()): Json {
  const tag = `<script ${query}></script>`;
  const theme = query.get("theme");
  const step = (text: string, code: string) => ({ text, code, language: "" });
  return {
    snippet: tag,
    pinned: `<script integrity ${query}></script>`,
    csp: { "script-src": "https://chat.example", "frame-src": "https://chat.example" },
    settings: theme ? `theme = "${theme}"` : "",
    page_allowed: query.has("page") ? query.get("page") === "https://shop.example" : null,
    origins: ["https://shop.example"],
    guides: [
      { name: "html", title: "Any page", steps: [step("Before `</body>`.", tag)] },
      { name: "react", title: "React", steps: [step("Build.", "npm run x"), step("See.", "")] },
      { name: "spa", title: "Single-page app", steps: [step("Once.", tag)] },
    ],
  };
}
