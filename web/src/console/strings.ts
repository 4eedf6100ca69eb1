/**
 * Every word the console shows, in English. Another language is another object of this shape.
 *
 * Decides: wording only. A string that takes a value is a function, so that a translation may
 * put the value where its grammar wants it.
 */

import { embed } from "./embed/strings";
import { knowledge } from "./knowledge/strings";

export const strings = {
  /** BCP 47: also decides how times, numbers and language names are written. */
  locale: "en-GB",
  name: "Fanlight",
  console: "Fanlight console",
  titled: (room: string) => `${room} · Fanlight console`,
  /** Read after the name, as the page's heading. */
  operators: "console",
  skip: "Skip to the question",
  skipPersonality: "Skip to the personality",

  login: {
    title: "Log in",
    lead: "Answer the questions that Fanlight would not.",
    token: "Operator token",
    hint: "Whoever set up this gateway has it.",
    show: "Show",
    hide: "Hide",
    submit: "Log in",
    submitting: "Logging in…",
    empty: "Enter your operator token.",
    wrong:
      "That token is not known here. Check that all of it was copied, with no space around it.",
    limited: (seconds: number) =>
      `Too many tries. You can try again in ${seconds} ${seconds === 1 ? "second" : "seconds"}.`,
    wait: (seconds: number) => `Wait ${seconds} s`,
    ended: "Your session ended. Log in to go on; what you had written is still here.",
    unreachable: "The gateway did not answer. Check your connection and try again.",
    broken: "The gateway could not log you in just now. Try again in a moment.",
  },

  checking: "Opening the console…",
  unavailable: {
    title: "The gateway does not answer",
    body: "Your escalations are safe there. This page will be ready when the gateway is.",
    retry: "Try again",
  },

  bar: {
    rooms: "Rooms",
    inbox: "Inbox",
    knowledge: "Knowledge",
    embed: "Embed",
    figures: "Figures",
    personality: "Personality",
    live: "Live",
    connecting: "Connecting…",
    reconnecting: "Reconnecting…",
    offline: "Offline",
    liveHelp: "New questions appear by themselves.",
    reconnectingHelp: "New questions may be late. Trying again by itself.",
    offlineHelp: "You are offline. What you see may be out of date.",
    shortcuts: "Keyboard shortcuts",
    logOut: "Log out",
    signedInAs: (operator: string) => `Logged in as ${operator}`,
  },

  list: {
    title: "Escalations",
    filter: "Show",
    filters: { open: "Open", resolved: "Resolved", all: "All" },
    search: "Search these questions",
    clearSearch: "Clear the search",
    loading: "Loading escalations…",
    more: "Show older",
    loadingMore: "Loading…",
    end: "That is all of them.",
    unread: "New",
    replied: "Replied",
    again: (count: number) => (count === 1 ? "Asked once more" : `Asked ${count} times more`),
    failed: "Not passed on",
    resolved: "Resolved",
    newArrived: (question: string) => `New question: ${question}`,
    tally: (count: number) => (count === 1 ? "1 new question" : `${count} new questions`),
    matches: (count: number) => (count === 1 ? "1 match" : `${count} matches`),
    emptyOpen: "Nobody is waiting",
    emptyOpenBody: "A question that Fanlight should not answer alone will appear here.",
    emptyResolved: "Nothing resolved yet",
    emptyResolvedBody: "Questions that you have dealt with are kept here.",
    emptyAll: "No questions yet",
    emptyAllBody: "When Fanlight needs a person, you will see it here.",
    noMatch: "No match",
    noMatchBody: "The search looks only through what is loaded here.",
    failedTitle: "The list could not be loaded",
    retry: "Try again",
  },

  detail: {
    region: "Escalation",
    none: "Choose a question to read and answer it.",
    noneHint: (key: string) => `Press ${key} for keyboard shortcuts.`,
    loading: "Loading the question…",
    goneTitle: "This question could not be opened",
    gone: "It may have been removed, or the link may be incomplete.",
    back: "Back to the list",
    asked: "Asked",
    resolve: "Resolve",
    resolving: "Resolving…",
    resolved: "Resolved",
    resolvedNote: "This is resolved. If the visitor asks again, a new question opens.",
    replyAnyway: "Write another reply",
    unsentTitle: "Your reply has not been sent.",
    unsentSend: "Send and resolve",
    unsentDrop: "Resolve, keep the draft",
    unsentCancel: "Keep writing",
  },

  why: {
    title: "Why it came to you",
    low_confidence: "Fanlight found an answer, but thought it too likely to be wrong.",
    empty: "Fanlight found nothing to answer with.",
    requested: "The assistant asked for a person.",
    always: "Questions on this topic always go to a person.",
    visitor_asked: "The visitor asked for a person.",
    other: "Fanlight handed this question to a person.",
    short: {
      low_confidence: "Unsure",
      empty: "No answer",
      requested: "Assistant asked",
      always: "Always a person",
      visitor_asked: "Asked for a person",
      other: "Handed over",
    },
    /** From least to most likely; `words.ts` has the bounds. */
    levels: [
      (percent: number) =>
        `Its best answer is very likely wrong: ${percent}% chance of being right.`,
      (percent: number) =>
        `Its best answer is probably wrong: ${percent}% chance of being right.`,
      (percent: number) => `Its best answer might be right: ${percent}% chance.`,
      (percent: number) => `Its best answer is probably right: ${percent}% chance.`,
      (percent: number) => `Its best answer is very likely right: ${percent}% chance.`,
    ],
  },

  talk: {
    title: "Conversation",
    visitor: "Visitor",
    assistant: "Fanlight",
    person: "A person",
    you: "You",
    fallback: "Shown in the meantime",
    noFallback: "The visitor was not shown anything in the meantime.",
    sending: "Sending…",
  },

  composer: {
    label: "Reply to the visitor",
    placeholder: "Write a reply…",
    preview: "Preview",
    previewEmpty: "Nothing to preview yet.",
    markdown: "Markdown works: **bold**, lists, links.",
    resolveAfter: "Resolve after sending",
    send: "Send",
    sendAndResolve: "Send and resolve",
    keys: (modifier: string) => `${modifier} + Enter`,
    unsent: (why: string) => `Not sent. ${why} Your text is still here.`,
    sent: "Your reply was sent.",
    sentAndResolved: "Your reply was sent and the question is resolved.",
    sentAndOpen:
      "Your reply was sent. The question stays open: the visitor asked something more meanwhile.",
  },

  facts: {
    title: "Details",
    status: "Status",
    contact: "Contact",
    noContact: "None left",
    agreed: "Agreed",
    verdict: "Did it help?",
    verdicts: { worked: "Yes", partial: "In part", failed: "No" },
    language: "Visitor's language",
    site: "Site",
    reference: "Reference",
    judged: "Judged by",
    judges: { server: "This gateway", client: "The visitor's browser" },
  },

  status: {
    queued: "Waiting to be passed on",
    delivered: "Open",
    failed: "Open, not passed on",
    resolved: "Resolved",
  },

  delivery: {
    title: "Passed on to",
    none: "Nowhere else is set up: this console is where questions arrive.",
    states: {
      pending: "Under way",
      delivered: "Delivered",
      failed: "Gave up",
      disabled: "Turned off",
      skipped: "No longer needed",
    },
    tells: {
      added: "A later question, passed on",
      contact: "A contact, passed on",
      unseen: "Not closed: something more was asked",
      reply: "A reply, passed on",
      resolve: "The end, passed on",
    },
    kinds: { webhook: "Webhook", slack: "Slack", pagerduty: "PagerDuty" } as Record<string, string>,
    outcomes: {
      delivered: "Delivered",
      ok: "Delivered",
      success: "Delivered",
      accepted: "Delivered",
      failed: "Failed",
      error: "Failed",
      timeout: "No answer in time",
      refused: "Refused",
      rejected: "Refused",
      rate_limited: "Asked to wait",
      refused_address: "Address not allowed",
      redirected: "Sent elsewhere",
      no_target: "No such target",
      nothing_to_tell: "Nothing to tell",
      no_follow_up: "Tells no more",
      retry: "Failed, will try again",
      gone: "The target says it is gone",
      disabled: "The target says it is gone",
      unreachable: "Could not be reached",
      blocked: "Address not allowed",
      damaged: "Could not be read",
    } as Record<string, string>,
    older: (count: number) => (count === 1 ? "1 earlier attempt" : `${count} earlier attempts`),
    status: (code: number) => `HTTP ${code}`,
    noAttempt: "Not tried yet",
    next: "Next attempt",
    resend: "Send again",
    resending: "Sending…",
    resent: "It is queued to be sent again.",
  },

  budget: {
    reached: (site: string, period: "day" | "month", share: string) =>
      `${site} has spent ${share} of its budget for ${period === "day" ? "today" : "this month"}.`,
    usedUp: (site: string, period: "day" | "month") =>
      `${site} has too little left of its budget for ${period === "day" ? "today" : "this month"}: models that cost something are not asked.`,
  },
  trouble: {
    unreachable: "The gateway did not answer, so this may not have gone through.",
    signed_out: "Your session ended.",
    limited: "Too many requests. Wait a moment.",
    refused: "The gateway refused this.",
    broken: "The gateway had a problem.",
    dismiss: "Dismiss",
    resolveFailed: (why: string) => `Not resolved. ${why}`,
    resendFailed: (why: string) => `Not sent again. ${why}`,
    logOutFailed: (why: string) => `Not logged out. ${why}`,
  },

  help: {
    title: "Keyboard shortcuts",
    close: "Close",
    enabled: "Use single-key shortcuts",
    enabledHint: "Turn this off if you use speech input, or press keys by accident.",
    or: "or",
    rows: [
      { keys: ["j", "↓"], does: "Next in the list" },
      { keys: ["k", "↑"], does: "Previous in the list" },
      { keys: ["r"], does: "Reply" },
      { keys: ["e"], does: "Resolve" },
      { keys: ["/"], does: "Search" },
      { keys: ["n"], does: "New entry, in Knowledge" },
      { keys: ["t"], does: "Try a question, in Knowledge" },
      { keys: ["1"], does: "Inbox" },
      { keys: ["2"], does: "Knowledge" },
      { keys: ["3"], does: "Embed" },
      { keys: ["4"], does: "Figures" },
      { keys: ["5"], does: "Personality" },
      { keys: ["Esc"], does: "Leave the field, or go back" },
      { keys: ["?"], does: "This help" },
    ],
    send: "Send the reply",
    save: "Save the entry",
  },

  knowledge,
  embed,
};

export type Strings = typeof strings;
