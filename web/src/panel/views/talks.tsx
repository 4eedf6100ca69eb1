/** All conversations that are kept: each can be opened, named, deleted, and taken back while the list is open. */
import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { directionOfText } from "../../i18n/direction.ts";
import { lastAt, type Talk, talksOf, unseenIn, waits, without } from "../../vault/talks.ts";
import { LONGEST_TITLE, named, restored, titleOf } from "../../vault/titles.ts";
import { usePanel } from "./context.ts";
import { formatTime } from "./exchange.tsx";
import { Icon } from "./icons.tsx";
import { Sheet } from "./sheet.tsx";

/** What has the focus next: a button by its name, in the row of a conversation. */
interface Next {
  readonly id: string;
  readonly button: "open" | "rename" | "undo";
}

export function Talks({ onClose }: { readonly onClose: () => void }): VNode {
  const { state, talks } = usePanel();
  const say = state.say.value;
  const then = (work: Promise<void>): void => {
    onClose();
    void work;
  };
  return (
    <Sheet title={say("talks")} onClose={onClose}>
      <button type="button" class="button begin" onClick={() => then(talks.begin())}>
        {say("talk.begin")}
      </button>
      <List open={(id) => then(talks.open(id))} />
    </Sheet>
  );
}

function List({ open }: { readonly open: (id: string) => void }): VNode {
  const { state, talks, conversation } = usePanel();
  const [removed, setRemoved] = useState<readonly Talk[]>([]);
  const [next, setNext] = useState<Next>();
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    if (!next) return;
    list.current
      ?.querySelector<HTMLElement>(`[data-talk="${next.id}"] [name="${next.button}"]`)
      ?.focus();
  }, [next]);
  const kept = talksOf(state.kept.value).filter(({ entries }) => entries.length > 0);
  const isKept = ({ conversation_id: id }: Talk) =>
    kept.some(({ conversation_id }) => conversation_id === id);
  const gone = removed.filter((talk) => !isKept(talk));
  const all = [...kept, ...gone].sort((a, b) => lastAt(b) - lastAt(a));
  if (all.length === 0) return <p class="empty">{state.say.value("talks.empty")}</p>;
  const remove = (talk: Talk) => {
    const id = talk.conversation_id;
    setRemoved([...removed.filter(({ conversation_id }) => conversation_id !== id), talk]);
    setNext({ id, button: "undo" });
    if (id === state.kept.value.conversation_id) conversation.stop();
    void talks.change((kept, ...now) => without(kept, id, ...now));
  };
  const restore = (talk: Talk) => {
    setNext({ id: talk.conversation_id, button: "open" });
    void talks.change((kept, at) => restored(kept, talk, at));
  };
  return (
    <ul class="talks" ref={list}>
      {all.map((talk) => {
        const id = talk.conversation_id;
        return (
          <li key={id} data-talk={id}>
            {gone.includes(talk) ? (
              <Removed talk={talk} restore={() => restore(talk)} />
            ) : (
              <Row
                talk={talk}
                open={() => open(id)}
                remove={() => remove(talk)}
                renamed={() => setNext({ id, button: "rename" })}
              />
            )}
          </li>
        );
      })}
    </ul>
  );
}

function useTitle(talk: Talk): string {
  const say = usePanel().state.say.value;
  return titleOf(talk) ?? say("log.label");
}

interface RowProps {
  readonly talk: Talk;
  readonly open: () => void;
  readonly remove: () => void;
  /** The naming is over. */
  readonly renamed: () => void;
}

function Row({ talk, open, remove, renamed }: RowProps): VNode {
  const say = usePanel().state.say.value;
  const [naming, setNaming] = useState(false);
  const title = useTitle(talk);
  const done = () => {
    setNaming(false);
    renamed();
  };
  if (naming) return <Naming talk={talk} done={done} />;
  return (
    <>
      <Entry talk={talk} title={title} open={open} />
      <button
        type="button"
        name="rename"
        class="small-button"
        aria-label={say("talks.rename", { title })}
        onClick={() => setNaming(true)}
      >
        <Icon sign="edit" />
      </button>
      <button
        type="button"
        class="small-button"
        aria-label={say("talks.delete", { title })}
        onClick={remove}
      >
        <Icon sign="clear" />
      </button>
    </>
  );
}

interface EntryProps {
  readonly talk: Talk;
  readonly title: string;
  readonly open: () => void;
}

/** What is known of a conversation at a glance; pressing it opens it. */
function Entry({ talk, title, open }: EntryProps): VNode {
  const { state } = usePanel();
  const say = state.say.value;
  const current = talk.conversation_id === state.kept.value.conversation_id;
  const unseen = current && state.visible.value ? 0 : unseenIn(talk);
  const at = lastAt(talk);
  return (
    <button
      type="button"
      name="open"
      class={unseen > 0 ? "unread" : undefined}
      aria-current={current}
      onClick={open}
    >
      <span class="title" dir={directionOfText(title)}>
        {title}
      </span>
      <span class="facts">
        <time dateTime={new Date(at).toISOString()}>
          {formatTime(at, state.locale.value, Date.now())}
        </time>
        {current && <span>{say("talks.current")}</span>}
        {waits(talk) && <span class="waits">{say("talks.waits")}</span>}
        {unseen > 0 && <span class="badge">{say("talks.unread", { n: unseen })}</span>}
      </span>
    </button>
  );
}

interface NamingProps {
  readonly talk: Talk;
  readonly done: () => void;
}

function Naming({ talk, done }: NamingProps): VNode {
  const { state, talks } = usePanel();
  const say = state.say.value;
  const title = useTitle(talk);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.select(), []);
  const save = async (event: Event) => {
    event.preventDefault();
    const name = field.current?.value ?? "";
    await talks.change((kept, at) => named(kept, talk.conversation_id, at, name));
    done();
  };
  return (
    <form class="naming" onSubmit={(event) => void save(event)}>
      <input
        ref={field}
        class="search"
        aria-label={say("talks.name")}
        dir="auto"
        maxLength={LONGEST_TITLE}
        defaultValue={title}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          // It leaves the field, and not the list.
          event.preventDefault();
          event.stopPropagation();
          done();
        }}
      />
      <button type="submit" class="button strong">
        {say("talks.save")}
      </button>
      <button type="button" class="button" onClick={done}>
        {say("cancel")}
      </button>
    </form>
  );
}

interface RemovedProps {
  readonly talk: Talk;
  readonly restore: () => void;
}

function Removed({ talk, restore }: RemovedProps): VNode {
  const say = usePanel().state.say.value;
  const title = useTitle(talk);
  return (
    <p class="removed">
      <span role="status">
        {say("talks.deleted", { title })} {waits(talk) && say("clear.pending")}
      </span>
      <button type="button" name="undo" class="link" onClick={restore}>
        {say("talks.undo")}
      </button>
    </p>
  );
}
