/**
 * What was shown to this visitor before, and what may be shown again.
 *
 * Decides: how often a greeting comes, and that one which was closed is not shown again, nor another one in the same
 * visit. Refuses: to keep anything before the visitor has agreed to memory. Until then nobody can know what was
 * shown on an earlier page, so that a greeting comes only on the page by which the visitor came to the site.
 */
import { CONSENT_KEY, GREETINGS_KEY } from "../vault/consent.ts";
import { isRecord } from "../vault/entry.ts";
import type { Greeting } from "./greeting.ts";

interface Mark {
  /** When it was last shown, in milliseconds since 1970. */
  readonly at: number;
  readonly closed: boolean;
}

export interface Marks {
  /** When this visit began, and when a page of it was last looked at. */
  readonly began: number;
  readonly last: number;
  /** The visitor has closed a greeting in this visit. */
  readonly quiet: boolean;
  readonly greetings: Readonly<Record<string, Mark>>;
}

const HOUR_MS = 3_600_000;
/** A visit ends when no page was looked at for so long. */
const VISIT_MS = HOUR_MS / 2;
const APART_MS = { day: 24 * HOUR_MS, week: 7 * 24 * HOUR_MS, ever: Number.POSITIVE_INFINITY };
/** More names than a site can have are not the site's. */
const MOST = 100;

const NONE: Marks = { began: 0, last: 0, quiet: false, greetings: {} };

/** The marks as a page is looked at: in the same visit, or at the start of another. */
export function arrived(marks: Marks, now: number): Marks {
  // A clock that was put back begins a visit, too.
  const same = now - marks.last <= VISIT_MS && now >= marks.last;
  return same ? { ...marks, last: now } : { ...marks, began: now, last: now, quiet: false };
}

/** Whether a greeting may be shown, after what was shown before. */
export function allows(marks: Marks, { name, once }: Greeting, now: number): boolean {
  const mark = marks.greetings[name];
  if (marks.quiet) return false;
  if (!mark) return true;
  if (mark.closed) return false;
  return once === "visit" ? mark.at < marks.began : now - mark.at >= APART_MS[once];
}

function marked(marks: Marks, name: string, mark: Mark): Marks {
  const others = Object.entries(marks.greetings).filter(([other]) => other !== name);
  const greetings = Object.fromEntries([...others.slice(1 - MOST), [name, mark]]);
  return { ...marks, quiet: marks.quiet || mark.closed, greetings };
}

function parse(text: string | null): Marks {
  const value: unknown = JSON.parse(text ?? "null");
  if (!isRecord(value) || !isRecord(value.greetings)) return NONE;
  const { began, last, quiet, greetings } = value;
  const known = Object.entries(greetings).flatMap(([name, mark]) =>
    isRecord(mark) && typeof mark.at === "number"
      ? [[name, { at: mark.at, closed: mark.closed === true }] as const]
      : [],
  );
  return {
    began: Number(began) || 0,
    last: Number(last) || 0,
    quiet: quiet === true,
    greetings: Object.fromEntries(known),
  };
}

export class MarkStore {
  constructor(
    private readonly site: string,
    private readonly storage: () => Storage,
    private readonly now: () => number,
  ) {}

  /** Takes down that a page is looked at. */
  arrive(): void {
    this.#change((marks) => marks);
  }

  /** Whether a greeting may be shown; without memory only on the page that the visitor came by. */
  allows(greeting: Greeting, fresh: boolean): boolean {
    const marks = this.#read();
    return marks ? allows(arrived(marks, this.now()), greeting, this.now()) : fresh;
  }

  /** Takes down that a greeting is shown. */
  shown({ name }: Greeting): void {
    this.#change((marks) => marked(marks, name, { at: this.now(), closed: false }));
  }

  /** Takes down that the visitor does not want it. */
  closed({ name }: Greeting): void {
    this.#change((marks) => marked(marks, name, { at: this.now(), closed: true }));
  }

  /** The language that the visitor chose in the panel. */
  get locale(): string | undefined {
    const { locale } = this.#consent()?.choice ?? {};
    return typeof locale === "string" ? locale : undefined;
  }

  #change(change: (marks: Marks) => Marks): void {
    const marks = this.#read();
    const consent = this.#consent();
    if (!marks || !consent) return;
    try {
      const next = JSON.stringify(change(arrived(marks, this.now())));
      this.storage().setItem(GREETINGS_KEY + consent.owner, next);
    } catch {
      // Full or refused: the next page will not know of it.
    }
  }

  /** What was shown; undefined where nothing may be kept. */
  #read(): Marks | undefined {
    const consent = this.#consent();
    if (!consent) return undefined;
    try {
      return parse(this.storage().getItem(GREETINGS_KEY + consent.owner));
    } catch {
      return NONE;
    }
  }

  /** The visitor's word about memory, and under which name: a site's own visitors have names of their own. */
  #consent(): { readonly owner: string; readonly choice: Record<string, unknown> } | undefined {
    try {
      const storage = this.storage();
      for (let at = 0; at < storage.length; at += 1) {
        const key = storage.key(at) ?? "";
        const owner = key.startsWith(CONSENT_KEY) ? key.slice(CONSENT_KEY.length) : "";
        if (owner !== this.site && !owner.startsWith(`${this.site}.`)) continue;
        const choice: unknown = JSON.parse(storage.getItem(key) ?? "null");
        if (isRecord(choice) && choice.memory === true) return { owner, choice };
      }
    } catch {
      // Refused, or not ours: as if nobody had agreed.
    }
    return undefined;
  }
}
