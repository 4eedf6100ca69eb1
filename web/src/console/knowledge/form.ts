/**
 * An entry as it is being written, as values: no signal, no call.
 *
 * Decides: what an entry that is written lacks before it can be saved, and whether it differs from
 * what is kept. Spaces and empty lines that nobody meant are dropped, and are no difference.
 * Refuses: a question or an answer that is empty, a link that visitors could not follow, and a last day
 * before the first.
 */

import { safeLink } from "../../markdown/links";
import type { EntryKey } from "../navigation";
import type { Entry, Link, Text } from "./wire";

/** The tags as one line, as they are typed. */
export interface Form extends Omit<Text, "tags"> {
  readonly tags: string;
  readonly locale: string;
}

export type Flaw = "question" | "answer" | "links" | "days";

export function blank(locale: string): Form {
  return {
    question: "",
    answer: "",
    variants: [],
    links: [],
    tags: "",
    escalate: false,
    valid_from: "",
    valid_until: "",
    locale,
  };
}

export function formOf(entry: Entry): Form {
  const { question, answer, variants, links, tags, escalate, locale } = entry;
  const { valid_from, valid_until } = entry;
  const days = { valid_from, valid_until };
  return { question, answer, variants, links, tags: tags.join(", "), escalate, ...days, locale };
}

/** What is sent: without what is empty. */
export function textOf(form: Form): Text {
  const question = oneLine(form.question);
  return {
    question,
    answer: form.answer.trim(),
    variants: unique(form.variants.map(oneLine)).filter((variant) => variant !== question),
    links: form.links.map(tidy).filter((link) => link.title !== "" || link.url !== ""),
    tags: unique(form.tags.split(",").map(oneLine)),
    escalate: form.escalate,
    valid_from: form.valid_from,
    valid_until: form.valid_until,
  };
}

export function isBlank(form: Form): boolean {
  return same(form, blank(form.locale));
}

export function same(one: Form, other: Form): boolean {
  return JSON.stringify(textOf(one)) === JSON.stringify(textOf(other));
}

/** What must be mended before it can be saved, in the order of the page. */
export function flaws(form: Form): readonly Flaw[] {
  const { question, answer, links, valid_from, valid_until } = textOf(form);
  const found: Flaw[] = [];
  if (question === "") found.push("question");
  if (answer === "") found.push("answer");
  if (links.some(isBroken)) found.push("links");
  if (valid_until !== "" && valid_until < valid_from) found.push("days");
  return found;
}

/** A link that has no title, or leads where no visitor may be sent. */
export function isBroken(link: Link): boolean {
  const { title, url } = tidy(link);
  if (title === "" && url === "") return false;
  return title === "" || safeLink(url) === undefined;
}

/** The form with one more way to ask, unless it is there already. */
export function withVariant(form: Form, question: string): Form {
  const wanted = oneLine(question);
  const there = [form.question, ...form.variants].map(oneLine);
  return there.includes(wanted) ? form : { ...form, variants: [...form.variants, wanted] };
}

/** The form without that way to ask. */
export function withoutVariant(form: Form, question: string): Form {
  const unwanted = oneLine(question);
  return { ...form, variants: form.variants.filter((one) => oneLine(one) !== unwanted) };
}

/** True for a text that the chat itself says, such as its greeting: no question finds it. */
export function isSystemText(tags: string): boolean {
  return tags.split(",").some((tag) => tag.trim().startsWith("system:"));
}

/** One name for an entry in one language, to keep things by. */
export function nameOf(key: EntryKey | "new"): string {
  return key === "new" ? "new" : `${key.locale}/${key.id}`;
}

function tidy({ title, url }: Link): Link {
  return { title: oneLine(title), url: url.trim() };
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].filter((text) => text !== "");
}
