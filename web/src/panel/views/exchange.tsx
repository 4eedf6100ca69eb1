/** One question with its answer, where the answer comes from, and the people's replies to it. */
import type { VNode } from "preact";
import { directionOfText } from "../../i18n/direction.ts";
import type { StringKey } from "../../i18n/strings.ts";
import { safeLink } from "../../markdown/links.ts";
import type { Citation, Entry, Suggestion } from "../../vault/entry.ts";
import type { Exchange as Turn } from "../lines.ts";
import { Actions, Why } from "./actions.tsx";
import { useBack } from "./back.ts";
import { usePanel } from "./context.ts";
import { HandoffCard } from "./handoff.tsx";
import { Fanlight, Icon } from "./icons.tsx";
import { later } from "./later.tsx";
import { Prose } from "./prose.tsx";
import { TroubleNote } from "./trouble.tsx";

const Helped = later(async () => (await import("./helped.tsx")).Helped);

interface ExchangeProps {
  readonly turn: Turn;
  /** Nothing has been asked since. */
  readonly last: boolean;
  /** The visitor may say whether a person's answer helped. */
  readonly judged?: boolean;
}

export function Exchange({ turn, last, judged }: ExchangeProps): VNode {
  const { state } = usePanel();
  const { turnId, question, answer, replies } = turn;
  const live = state.live.value?.turnId === turnId ? state.live.value : undefined;
  const trouble = state.troubles.value.find((one) => one.turnId === turnId);
  return (
    <article class="exchange" id={turnId} aria-busy={live !== undefined}>
      {question && <Question question={question} />}
      {live && <LiveAnswer text={live.text} />}
      {answer && <Answer turn={turn} answer={answer} last={last} />}
      {trouble && <TroubleNote trouble={trouble} />}
      {replies.map((reply) => (
        <Reply key={reply.id} reply={reply} />
      ))}
      {answer && judged && <Helped answer={answer} onClose={() => undefined} />}
    </article>
  );
}

function Question({ question }: { readonly question: Entry }): VNode {
  const { state } = usePanel();
  const say = state.say.value;
  const edit = () => {
    state.draft.value = { text: question.content };
    state.composing.value += 1;
  };
  return (
    <div class="asked">
      <div class="question" dir={directionOfText(question.content)}>
        <span class="hidden">{say("you")}: </span>
        {question.content}
      </div>
      <button type="button" class="small-button" aria-label={say("edit")} onClick={edit}>
        <Icon sign="edit" />
      </button>
    </div>
  );
}

function LiveAnswer({ text }: { readonly text: string }): VNode {
  const say = usePanel().state.say.value;
  if (text) {
    return (
      <div class="answer growing">
        <Prose source={text} growing />
      </div>
    );
  }
  return (
    <p class="thinking">
      <Fanlight />
      <span>{say("thinking")}</span>
    </p>
  );
}

function Answer({ turn, answer, last }: ExchangeProps & { readonly answer: Entry }): VNode {
  const say = usePanel().state.say.value;
  const { escalation, citations = [], suggestions = [] } = answer;
  const asksBack = answer.source === "clarify";
  return (
    <div class="answer">
      {answer.content && (
        <Prose source={answer.content} lang={answer.locale} marked={answer.sentence} />
      )}
      {answer.disclaimers?.map((text) => (
        <p class="small" dir="auto" key={text}>
          {text}
        </p>
      ))}
      {answer.reasoning && <Reasoning text={answer.reasoning} />}
      {answer.stopped && <p class="small">{say("stopped")}</p>}
      <Citations citations={citations} />
      {asksBack && last && <Choices turnId={turn.turnId} choices={suggestions} />}
      <Origin answer={answer}>
        {!escalation && turn.question && <AskPerson turnId={turn.turnId} last={last} />}
      </Origin>
      {escalation && <HandoffCard turnId={turn.turnId} escalation={escalation} />}
      {!asksBack && turn.replies.length === 0 && <Suggestions suggestions={suggestions} />}
    </div>
  );
}

/** The way to a person; under the newest answer it says when there is one again. */
function AskPerson({ turnId, last }: { readonly turnId: string; readonly last: boolean }): VNode {
  const { conversation, state } = usePanel();
  const back = useBack();
  const hint = last && back ? `${turnId}:back` : undefined;
  return (
    <>
      <button
        type="button"
        class="link"
        aria-describedby={hint}
        onClick={() => void conversation.askPerson(turnId)}
      >
        {state.say.value("ask.person")}
      </button>
      {hint && <span id={hint}>{back}</span>}
    </>
  );
}

/** How the model came to its answer, for those who look. */
function Reasoning({ text }: { readonly text: string }): VNode {
  const say = usePanel().state.say.value;
  return (
    <details class="why">
      <summary>{say("reasoning")}</summary>
      <Prose source={text} />
    </details>
  );
}

/** How sure, in words; the number itself says nothing to most people. */
export function sureness(confidence: number): StringKey {
  if (confidence >= 0.85) return "sure.very";
  return confidence >= 0.7 ? "sure.fairly" : "sure.somewhat";
}

interface OriginProps {
  readonly answer: Entry;
  readonly children: VNode | false | undefined;
}

/** An answer's language by its name in the visitor's, where the two differ. */
export function otherLanguage(answer: string | undefined, visitor: string): string | undefined {
  const own = answer?.split("-")[0];
  if (!own || own === visitor) return undefined;
  return new Intl.DisplayNames(visitor, { type: "language", fallback: "none" }).of(own);
}

function Origin({ answer, children }: OriginProps): VNode | null {
  const { state } = usePanel();
  const say = state.say.value;
  const { source, confidence, stopped } = answer;
  const language = source === "kb" ? otherLanguage(answer.locale, state.locale.value) : undefined;
  const made = source === "clarify" ? undefined : source;
  if (!made && !children) return null;
  const answered = made !== undefined && made !== "fallback";
  return (
    <div class="origin">
      {made && (
        <Why answer={answer}>
          <span>{say(`source.${made}`)}</span>
          {language && <span>{say("in.language", { language })}</span>}
          {answered && !stopped && confidence !== undefined && (
            <span>{say(sureness(confidence))}</span>
          )}
        </Why>
      )}
      <span class="beside">
        {children}
        {answered && <Actions answer={answer} />}
      </span>
    </div>
  );
}

function Citations({ citations }: { readonly citations: readonly Citation[] }): VNode | null {
  const say = usePanel().state.say.value;
  const links = citations.flatMap(({ title, url }) => {
    const href = safeLink(url);
    return href ? [{ title, href }] : [];
  });
  if (links.length === 0) return null;
  return (
    <p class="citations">
      <span class="hidden">{say("citations")}: </span>
      {links.map(({ title, href }) => (
        <a key={href} href={href} target="_blank" rel="noopener noreferrer nofollow" dir="auto">
          {title}
        </a>
      ))}
    </p>
  );
}

function Suggestions({
  suggestions,
}: {
  readonly suggestions: readonly Suggestion[];
}): VNode | null {
  const { conversation, state } = usePanel();
  if (suggestions.length === 0) return null;
  return (
    <div class="suggestions">
      <p class="small">{state.say.value("suggestions")}</p>
      <Chips suggestions={suggestions} onChoose={(question) => void conversation.ask(question)} />
    </div>
  );
}

interface ChipsProps {
  readonly suggestions: readonly Suggestion[];
  readonly onChoose: (question: string) => void;
}

function Chips({ suggestions, onChoose }: ChipsProps): VNode {
  return (
    <>
      {suggestions.map(({ entry_id, question }) => (
        <button
          key={entry_id}
          type="button"
          class="chip"
          dir="auto"
          onClick={() => onChoose(question)}
        >
          {question}
        </button>
      ))}
    </>
  );
}

interface ChoicesProps {
  readonly turnId: string;
  readonly choices: readonly Suggestion[];
}

/** What the visitor may have meant, and the way on where it is none of it. */
function Choices({ turnId, choices }: ChoicesProps): VNode {
  const { conversation, state } = usePanel();
  const say = state.say.value;
  // The buttons go as soon as one is pressed.
  const then = (work: Promise<void>): void => {
    void work;
    state.composing.value += 1;
  };
  return (
    <fieldset class="suggestions choice">
      <legend class="hidden">{say("suggestions")}</legend>
      <Chips suggestions={choices} onChoose={(question) => then(conversation.choose(question))} />
      <button type="button" class="chip quiet" onClick={() => then(conversation.noneOf(turnId))}>
        {say("clarify.none")}
      </button>
    </fieldset>
  );
}

/** The hour, and the day as well when it was another one. */
export function formatTime(at: number, locale: string, now: number): string {
  const sameDay = new Date(at).toDateString() === new Date(now).toDateString();
  const day = sameDay ? {} : ({ day: "numeric", month: "short" } as const);
  const options = { hour: "numeric", minute: "2-digit", ...day } as const;
  return new Intl.DateTimeFormat(locale, options).format(at);
}

function Reply({ reply }: { readonly reply: Entry }): VNode {
  const { state } = usePanel();
  const say = state.say.value;
  const author = reply.author || say("reply.team");
  return (
    <section class="reply" id={reply.id} aria-label={say("reply.announce", { author })}>
      <p class="byline">
        <span class="avatar" aria-hidden="true">
          {reply.author ? [...reply.author.trim()][0]?.toUpperCase() : <Icon sign="person" />}
        </span>
        <bdi>{author}</bdi>
        <span class="small">{say("source.person")}</span>
        <time class="small" dateTime={new Date(reply.at).toISOString()}>
          {formatTime(reply.at, state.locale.value, Date.now())}
        </time>
      </p>
      <Prose source={reply.content} />
    </section>
  );
}
