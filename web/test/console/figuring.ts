/** Figures as the gateway counts them, for the console's tests. */

type Json = Record<string, unknown>;
type Answer = [status: number, body: Json];

const TIMES = { median: 800, p95: 3_000 };

export function summary(kb: number, cloud: number, escalated: number): Json {
  const large = Math.floor(cloud / 2);
  const tier = (name: string, turns: number, each: number) => ({
    tier: name,
    turns,
    prompt_tokens: turns * 100,
    completion_tokens: turns * 10,
    cost_micros: turns * each,
  });
  const tiers = cloud === 0 ? [] : [tier("large", large, 9_000), tier("small", cloud - large, 300)];
  return {
    turns: kb + cloud + escalated,
    escalated,
    answered: { kb, cloud },
    tiers,
    cost_micros: tiers.reduce((all, one) => all + one.cost_micros, 0),
    total_ms: cloud === 0 ? { median: null, p95: null } : TIMES,
    first_token_ms: cloud === 0 ? { median: null, p95: null } : { median: 250, p95: 700 },
  };
}

/** A site without limits. */
export function budget(site: string, name: string): Json {
  const use = {
    spent_usd: 0.5,
    limit_usd: null,
    began_at: "2026-03-12T06:00:00Z",
    resets_at: "2026-03-13T06:00:00Z",
    alerts: [],
    used_up: false,
  };
  const callers = { day: [], month: [] };
  return { site, name, thresholds: [0.5, 0.8, 0.95], day: use, month: use, callers };
}

export class Figuring {
  budgets: Json[] = [budget("site_demo", "The Shop"), budget("site_help", "Help")];
  /** What the last figures were asked for. */
  asked = new URLSearchParams();
  /** Of each day: answered by the knowledge base, by a model, handed over. */
  days: ReadonlyArray<readonly [number, number, number]> = [
    [40, 10, 6],
    [0, 0, 0],
    [30, 8, 4],
  ];
  judged = 20;
  how: readonly Json[] = [];

  answer(query: URLSearchParams): Answer {
    this.asked = query;
    const site = query.get("site");
    if (site === "site_gone") return [404, { title: "Not found", status: 404 }];
    const from = Date.parse(query.get("from") ?? "");
    const spans = this.days.map(([kb, cloud, handed], at) => ({
      from: new Date(from + at * 86_400_000).toISOString(),
      to: new Date(from + (at + 1) * 86_400_000).toISOString(),
      ...summary(kb, cloud, handed),
    }));
    const sum = (at: 0 | 1 | 2) => this.days.reduce((all, day) => all + day[at], 0);
    const total = summary(sum(0), sum(1), sum(2));
    const bins = Array.from({ length: 10 }, (_, at) => {
      const turns = at < 7 ? 0 : 30;
      const judged = at < 7 ? 0 : this.judged;
      const mean = turns === 0 ? null : at / 10 + 0.05;
      return { from: at / 10, to: (at + 1) / 10, turns, mean, judged, good: judged / 2 };
    });
    const model = { ...(total.tiers as Json[])[0], model: "giant" };
    return [
      200,
      {
        site,
        sites: [
          { site: "site_demo", name: "The Shop" },
          { site: "site_help", name: "Help" },
        ],
        by: query.get("by"),
        at: "2026-03-12T12:00:00Z",
        total,
        spans,
        models: sum(1) === 0 ? [] : [model],
        confidence: bins,
        reasons: sum(2) === 0 ? [] : [{ reason: "low_confidence", turns: 8 }],
        choices: sum(1) === 0 ? [] : [{ reason: "some_new_one", turns: 18 }],
      },
    ];
  }
}
