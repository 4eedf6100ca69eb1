/** The conversation as the visitor saw it, then what people answered. */

import type { ComponentChildren } from "preact";
import type { Added, Escalation, Message, Reply } from "../wire";
import { direction, speaker } from "../words";
import { useConsole, useStrings } from "./context";
import { Plain, Prose, Time } from "./text";

export function Transcript({ item }: { item: Escalation }) {
  const { desk } = useConsole();
  const { talk } = useStrings();
  const pending = desk.pending.value.get(item.id);
  return (
    <section class="talk" aria-label={talk.title}>
      <ol>
        {earlier(item).map((message, place) => (
          <Said key={`tail-${place}`} message={message} locale={item.locale} />
        ))}
        <Fallback item={item} />
        {afterwards(item).map((one) =>
          "author" in one ? (
            <Answered
              key={one.id}
              author={one.author}
              text={one.content}
              locale={item.locale}
              when={<Time at={one.createdAt} style="clock" />}
            />
          ) : (
            <AskedAgain key={one.id} turn={one} locale={item.locale} />
          ),
        )}
        {pending && (
          <Answered author={null} text={pending.text} locale={item.locale} when={talk.sending} />
        )}
      </ol>
    </section>
  );
}

/**
 * What was said up to the question. The heading above shows the question already, so it is
 * repeated in its place only where something came before it; the fallback has its own entry.
 */
function earlier(item: Escalation): readonly Message[] {
  const asked = { role: "user", content: item.question };
  const said = [...item.tail];
  if (same(said.at(-1), { role: "assistant", content: item.fallbackText ?? "" })) said.pop();
  if (same(said.at(-1), asked)) said.pop();
  return said.length === 0 ? [] : [...said, asked];
}

/** What people answered and what the visitor asked again, in the order in which it came. */
function afterwards({ replies, added }: Escalation): readonly (Reply | Added)[] {
  const time = (one: Reply | Added) => Date.parse(one.createdAt);
  return [...added, ...replies].sort((a, b) => time(a) - time(b));
}

function AskedAgain({ turn, locale }: { turn: Added; locale: string | null }) {
  const { talk } = useStrings();
  return (
    <>
      <Entry
        who={talk.visitor}
        when={<Time at={turn.createdAt} style="clock" />}
        side="visitor"
        text={turn.question}
      >
        <Plain text={turn.question} locale={locale} />
      </Entry>
      {turn.fallbackText !== null && (
        <Entry who={talk.assistant} when={talk.fallback} side="assistant" text={turn.fallbackText}>
          <Prose text={turn.fallbackText} locale={locale} />
        </Entry>
      )}
    </>
  );
}

function same(one: Message | undefined, other: Message): boolean {
  return one?.role === other.role && one.content.trim() === other.content.trim();
}

function Said({ message, locale }: { message: Message; locale: string | null }) {
  const strings = useStrings();
  const visitor = message.role === "user";
  return (
    <Entry
      who={speaker(message, strings)}
      side={visitor ? "visitor" : "assistant"}
      text={message.content}
    >
      {visitor ? (
        <Plain text={message.content} locale={locale} />
      ) : (
        <Prose text={message.content} locale={locale} />
      )}
    </Entry>
  );
}

function Fallback({ item }: { item: Escalation }) {
  const { talk } = useStrings();
  if (item.fallbackText === null) {
    return (
      <li class="talk-nothing">
        <p>{talk.noFallback}</p>
      </li>
    );
  }
  return (
    <Entry who={talk.assistant} when={talk.fallback} side="assistant" text={item.fallbackText}>
      <Prose text={item.fallbackText} locale={item.locale} />
    </Entry>
  );
}

interface AnsweredProps {
  /** Null for a reply of this operator that is still on its way. */
  readonly author: string | null;
  readonly text: string;
  readonly locale: string | null;
  readonly when: ComponentChildren;
}

function Answered({ author, text, locale, when }: AnsweredProps) {
  const { session } = useConsole();
  const { talk } = useStrings();
  const phase = session.phase.value;
  const mine = author === null || (phase.name === "in" && phase.operator === author);
  return (
    <Entry
      who={mine ? talk.you : author || talk.person}
      when={when}
      side={author === null ? "person talk-pending" : "person"}
      text={text}
    >
      <Prose text={text} locale={locale} />
    </Entry>
  );
}

interface EntryProps {
  readonly who: string;
  readonly side: string;
  /** Sets the direction of the whole entry, so that its name stands where its text begins. */
  readonly text: string;
  readonly when?: ComponentChildren;
  readonly children: ComponentChildren;
}

function Entry({ who, side, text, when, children }: EntryProps) {
  return (
    <li class={`talk-entry talk-${side}`} dir={direction(text)}>
      <p class="talk-who">
        <span>{who}</span>
        {when && <span class="talk-when">{when}</span>}
      </p>
      {children}
    </li>
  );
}
