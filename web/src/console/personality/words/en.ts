/**
 * The words of the room in which one says how the chat speaks, in English. Another language is another object of this shape.
 *
 * An operator or a model has a name in any script: it is isolated (U+2068 and U+2069), so that it turns nothing around.
 */

export const en = {
  /** BCP 47: also how times are said and languages named. */
  locale: "en-GB",
  dir: "ltr" as "ltr" | "rtl",
  /** The language's own name, for choosing it. */
  own: "English",
  language: "Language of this page",

  title: "How it speaks",
  lead: "A language model that answers for your site is told this before anything else. Entries of your knowledge base are shown as you wrote them.",
  region: "Personality",
  list: "Personalities",
  site: "Site",
  write: "New personality",
  origins: { console: "Made here", folder: "From your folder", fanlight: "Fanlight’s own" },
  emptyOwn: "Yours will be here. Begin with one of Fanlight’s and change what you like.",
  inUse: "In use",
  unsaved: "Unsaved",
  broken: "Cannot be used",
  untitled: "Without a name yet",
  none: "No personality",
  noneHint: "The model speaks as it does",
  noneBody:
    "Nothing is said about a name, a tone or a manner. The model speaks as its makers taught it, within Fanlight’s rules.",

  loading: "Loading how the sites speak…",
  failedTitle: "How the sites speak could not be loaded",
  noSite: "There is no site",
  noSiteBody: "Add a [[sites]] table to fanlight.toml; `fanlight init` writes one to start from.",
  unknownSite: "There is no such site",
  unknownSiteBody: "The link may be incomplete, or the site may have been taken out.",
  first: "Show another site",
  goneTitle: "This personality is not there",
  gone: "It may have been removed, or the link may be incomplete.",
  absentTitle: "This gateway has no personalities",
  absentBody: "It was started without them.",
  again: "Try again",
  undo: "Undo",
  back: "Back to the list",

  use: "Use it",
  useNone: "Use none",
  save: "Save",
  saving: "Saving…",
  discard: "Discard",
  remove: "Remove",
  undoLast: "Undo the last change",
  removeInUse: "It is in use. Choose another one first.",
  copy: "Make your own from it",
  copyOwn: "Duplicate",
  saveKeys: (modifier: string) => `${modifier} + S`,
  saveFirst: "Save it first, then you can use it.",
  notSaved: "Not saved.",
  mend: (count: number) =>
    count === 1 ? "Not saved: mend the field that is marked." : `Not saved: mend ${count} fields.`,
  savedBy: "Saved",
  by: (author: string) => `by \u2068${author}\u2069`,
  readOnly: {
    fanlight: "This one comes with Fanlight and is not changed here.",
    folder: "This one is a file of yours, on the gateway’s machine, and is not changed here.",
  },
  brokenNote: "Its file cannot be used:",
  changedBy: (author: string) =>
    author === ""
      ? "Somebody changed this after you began."
      : `\u2068${author}\u2069 changed this after you began.`,
  saveMine: "Save mine instead",
  takeTheirs: "Take theirs",

  chosen: (author: string) => `Chosen here by \u2068${author}\u2069`,
  byFile: "As fanlight.toml says",
  missing: (name: string) => `What was chosen here, “${name}”, is not there any more.`,
  reset: (name: string) =>
    name === "" ? "Go back to fanlight.toml: none" : `Go back to fanlight.toml: ${name}`,
  noModels:
    "No language model is set up: everything is answered in your knowledge base’s own words.",

  any: "As it likes",
  more: "More",
  moreHint: "Knowledge, habits, layout",
  groups: {
    who: "Who it is",
    how: "How it answers",
    before: "What was said before",
    layout: "How it writes",
  },
  listHint: (most: number) => `One a line, ${most} at most.`,
  left: (count: number) => (count === 1 ? "1 letter left" : `${count} letters left`),
  over: (count: number) => (count === 1 ? "1 letter too many" : `${count} letters too many`),
  flaws: {
    missing: "Give it a name.",
    long: (most: number) => `Keep this to ${most} letters.`,
    long_line: (most: number) => `Keep each line to ${most} letters.`,
    many: (most: number) => `Keep this to ${most} lines.`,
  },

  fields: {
    "identity.name": ["Name", "What the chat calls itself."],
    "identity.role": ["Role", "For example: the shop’s assistant."],
    "identity.expertise": ["What it knows best", ""],
    "identity.background": [
      "Background",
      "What it should know of you: where you are, what you do.",
    ],
    "communication.tone": ["Tone", ""],
    "communication.verbosity": ["Length of answers", ""],
    "communication.formality": ["Manners", ""],
    "communication.use_analogies": ["Compares things to make them clear", ""],
    "communication.use_examples": ["Gives examples", ""],
    "communication.use_humor": ["Humour", ""],
    "response_behavior.citation_style": ["Sources", ""],
    "response_behavior.clarification": ["When a question could mean two things", ""],
    "response_behavior.show_reasoning": [
      "Thinks before it answers",
      "What it thinks is folded in the chat, and costs more.",
    ],
    "response_behavior.step_by_step": ["Gives instructions step by step", ""],
    "response_behavior.prioritize": ["When it is not sure", ""],
    "memory_usage.priority": ["Comes back to earlier messages", ""],
    "memory_usage.pattern_trust": ["What worked before", ""],
    "memory_usage.historical_context": ["Mentions what was said before", ""],
    "formatting.structure": ["Lists", ""],
    "formatting.code_blocks": ["Code", ""],
    "formatting.emphasis": ["Emphasis", ""],
    personality_traits: ["Character", "For example: patient."],
    custom_instructions: [
      "Instructions",
      "Anything else it should keep to, in your words. How it speaks, not what is true: facts belong in the knowledge base.",
    ],
  } as Record<string, readonly [label: string, hint: string]>,

  words: {
    "communication.tone": {
      warm: "Warm",
      professional: "Professional",
      direct: "Direct",
      enthusiastic: "Enthusiastic",
    },
    "communication.verbosity": { concise: "Short", balanced: "Balanced", detailed: "Detailed" },
    "communication.formality": { casual: "Casual", professional: "Polite", formal: "Formal" },
    "communication.use_humor": { true: "Light humour", false: "No jokes" },
    "response_behavior.citation_style": {
      always_cite: "Says where an answer is from",
      cite_patterns: "Says so where it matters",
      conversational: "Does not name sources",
    },
    "response_behavior.clarification": {
      ask_questions: "Asks which is meant",
      make_assumptions: "Takes the likelier one and says so",
    },
    "response_behavior.prioritize": {
      accuracy: "Rather says so than guesses",
      speed: "Comes to the point at once",
    },
    "memory_usage.priority": {
      when_relevant: "Where they matter",
      frequently: "Often",
      always_reference: "Always says how an answer follows from them",
    },
    "memory_usage.pattern_trust": {
      balanced: "Weighed with what is asked now",
      heavily_favor: "Preferred",
    },
    "memory_usage.historical_context": { reference_past: "May do so", current_only: "Does not" },
    "formatting.structure": {
      mixed: "As the text needs",
      bullets: "Where there are several points",
    },
    "formatting.code_blocks": { separate: "In blocks of its own" },
    "formatting.emphasis": { markdown: "Bold for what matters", plain: "Plain text" },
  } as Record<string, Readonly<Record<string, string>>>,
  yes: "Yes",
  no: "No",

  preview: {
    title: "What a model is told",
    language: "Language",
    lead: "Before Fanlight’s rules, the passages and the question.",
    loading: "Putting it together…",
    failed: "This could not be put together.",
  },

  trial: {
    title: "Try it",
    field: "A visitor’s question",
    placeholder: "Ask as a visitor would…",
    ask: "Ask",
    asking: "Asking…",
    hint: "Answered as it is written here, saved or not. Nothing is kept; a model’s answer costs what it costs.",
    byKnowledge: "Your knowledge base answers this in its own words, whatever the personality.",
    byModel: (model: string) => `Answered by \u2068${model}\u2069`,
    shown: "A visitor would be shown this",
    notShown: (percent: number) =>
      `Not sure enough (${percent}%): a visitor would be shown what is below, and a person would be asked.`,
    noReply: "No model answered.",
  },

  note: {
    saved: "Saved.",
    saved_in_use: "Saved. Your visitors hear it from the next question on.",
    undone: "Taken back.",
    removed: "Removed.",
    restored: "It is back.",
    put_aside: "Put aside.",
    used: "Your visitors hear it from the next question on.",
    used_none: "From the next question on the model speaks as it does.",
    reset: "fanlight.toml chooses again.",
    overtaken: "Left as it is: somebody else has changed it.",
    failed: "That did not work.",
  },
};

export type PersonalityWords = typeof en;
