/** The words of the figures, in English. Another language is another object of this shape. */

import type { Range } from "../place";

export const en = {
  /** BCP 47: also how numbers and days are written. */
  locale: "en-GB",
  dir: "ltr" as "ltr" | "rtl",
  /** The language's own name, for choosing it. */
  own: "English",
  language: "Language of this page",

  title: "Figures",
  lead: "How questions were answered, what that cost, and how sure the answers were.",
  counted:
    "Counted is what reached this gateway. What the chat answered in a visitor's own browser never left it.",
  countedAt: (time: string) => `Counted at ${time}.`,
  site: "Site",
  allSites: "All sites",
  range: "Time",
  ranges: { today: "Today", "7d": "7 days", "30d": "30 days", "90d": "90 days" } as Record<
    Range,
    string
  >,
  download: "Download as CSV",
  file: (range: Range) => `fanlight-figures-${range}.csv`,

  loading: "Counting…",
  failed: "The figures could not be read",
  stale: (why: string) => `These may be out of date. ${why}`,
  again: "Try again",
  empty: "Nothing yet",
  emptyBody: "Ask your chat a question: it is counted here a moment later.",
  emptyRange: "Nobody asked anything in this time. A longer one may show more.",
  unknownSite: "There is no such site",
  unknownSiteBody: "The link may be incomplete, or the site may have been taken out.",

  tiles: {
    title: "At a glance",
    alone: "Answered without a person",
    aloneOf: (alone: string, all: string) => `${alone} of ${all} questions`,
    handed: "Handed to a person",
    handedOf: (share: string) => `${share} of all questions`,
    spend: "Spent on models",
    spendEach: (each: string) => `${each} a question`,
    wait: "Half were answered within",
    waitLate: (late: string) => `95 of 100 within ${late}`,
  },

  chart: {
    tableOf: (title: string) => `Table: ${title}`,
    table: "Show as a table",
    chart: "Show as a chart",
    readout: "Go along with the arrow keys",
    when: "When",
    all: "In all",
  },

  answered: {
    title: (share: string) => `${share} of questions needed no person`,
    byHour: "Questions by the hour, by who answered them",
    byDay: "Questions by the day, by who answered them",
    sources: {
      kb: "Knowledge base",
      cloud: "A model",
      local: "A model on the visitor's device",
      human: "A person, at once",
    } as Record<string, string>,
    person: "Handed to a person",
  },

  spend: {
    title: (sum: string) => `${sum} went to models`,
    none: "No money went to models",
    what: "US dollars, by the tier of the model that was asked",
    noTier: "Without a tier",
  },

  budgets: {
    title: "Budgets",
    what: "What is used now, whatever time is chosen above. The marks are where you are told.",
    failed: "The budgets could not be read.",
    periods: { day: "Today", month: "This month" },
    of: (spent: string, limit: string) => `${spent} of ${limit}`,
    noLimit: (spent: string) => `${spent}, no limit`,
    resets: (time: string) => `Begins anew: ${time}`,
    levels: { low: "Running low", up: "Too little left: nothing that costs is asked" },
    nearest: { day: "Nearest their own limit today", month: "Nearest their own limit this month" },
    whose: "Who",
    spent: "Spent",
    callers: {
      visitor: (mark: string) => `Visitor ${mark}`,
      user: (mark: string) => `Signed-in visitor ${mark}`,
      api: () => "Your server, by its key",
      console: () => "Operators",
    },
  },

  tiers: {
    title: (tier: string, share: string) => `${share} of the models' questions went to “${tier}”`,
    one: "Which models were asked",
    what: "Questions for which a model was asked, by its tier",
    none: "No model was asked in this time.",
  },

  waits: {
    title: (median: string) => `Half of the answers were there within ${median}`,
    none: "Nothing was timed",
    what: "From the question to the whole answer. The band reaches from the median to what 95 of 100 stayed under.",
    median: "Median",
    p95: "95 of 100 within",
    first: "First word, median",
  },

  confidence: {
    title: "How sure the answers were, and how right that was",
    what: "Bars: how many answers were this sure. Marks: the share of judged ones that were good; on the line, a stated 70% is right 70 times in 100.",
    unjudged: "Nobody has judged an answer yet, so nothing is known of how right this was.",
    turns: "Questions",
    sure: "Stated confidence",
    mean: "Stated, on average",
    judged: "Judged",
    good: "Good, of the judged",
    ideal: "Said and done alike",
    few: "Few judged: read with care",
    bin: (from: string, to: string) => `${from} to ${to}`,
  },

  reasons: {
    title: "Why a person was asked",
    what: "An answer can have several reasons",
    none: "No person was asked in this time.",
    reason: "Reason",
    turns: "Questions",
    share: "Share",
    names: {
      low_confidence: "Too unsure",
      empty: "The reply was empty",
      no_match: "Nothing found",
      requested: "The assistant asked for a person",
      always: "A topic that always goes to a person",
      visitor_asked: "The visitor asked for a person",
      no_model: "No model is set up",
      model_unavailable: "No model could be reached",
      unsafe_input: "The question was not safe",
      unsafe_reply: "The reply was not safe",
      rate_limited: "Too many questions in a minute",
      budget_spent: "The budget was spent",
      not_permitted: "No model was permitted",
    } as Record<string, string>,
  },

  models: {
    title: "Models, the dearest first",
    what: "What each was asked, read and wrote",
    model: "Model",
    tier: "Tier",
    turns: "Questions",
    read: "Tokens read",
    written: "Tokens written",
    cost: "Cost",
    each: "Each",
  },

  choices: {
    title: "Why these models were chosen",
    what: "The router's reason, of questions for which a model was asked",
    names: {
      complexity: "The question's complexity",
      unsure: "Unsure what is asked: one tier up",
      escalated: "Worth a tier above the caller's own",
      predicted: "Experience with such questions",
      named: "Named by the caller",
      demoted: "Models of the usual tier were resting",
      budget: "A dearer tier was over budget",
      fallback: "Nothing else could be asked",
      preference: "The preferred one",
    } as Record<string, string>,
  },

  how: {
    title: "How this was answered",
    loading: "Looking it up…",
    failed: "This could not be looked up.",
    none: "Not known here: the visitor's browser answered by itself, or the visitor wanted nothing kept.",
    turn: (number: number) => `Question ${number}`,
    source: "Answered by",
    task: "Kind of question",
    complexity: "Complexity",
    tier: "Tier",
    model: "Model",
    reason: "Chosen because",
    why: "Handed over because",
    cost: "Cost",
    tokens: "Tokens",
    tokensOf: (read: string, written: string) => `${read} read, ${written} written`,
    took: "Took",
    tookFirst: (total: string, first: string) => `${total}, first word after ${first}`,
    confidence: "Confidence",
    scores: {
      accuracy: "Accuracy",
      relevance: "Relevance",
      completeness: "Completeness",
      coherence: "Coherence",
      safety: "Safety",
      overall: "Overall",
    } as Record<string, string>,
  },
};

export type FigureWords = typeof en;
