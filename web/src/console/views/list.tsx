/** The list of escalations: filter, search, rows, and what stands there when there are none. */

import type { Ref } from "preact";
import { useRef } from "preact/hooks";
import { isReplied } from "../inbox";
import { address } from "../navigation";
import type { Escalation, Filter } from "../wire";
import { explain, language, languageOf, whyShort } from "../words";
import { useFocusWhenWanted } from "./commands";
import { useConsole, useStrings } from "./context";
import { SearchField } from "./search";
import { Time, WaitingList } from "./text";

const FILTERS: readonly Filter[] = ["open", "resolved", "all"];

export function List({ searchRef }: { searchRef: Ref<HTMLInputElement> }) {
  const { list } = useStrings();
  return (
    <nav class="list" aria-label={list.title}>
      <div class="list-head">
        <h2>
          {list.title} <Tally />
        </h2>
        <Filters />
        <Search inputRef={searchRef} />
      </div>
      <Body />
    </nav>
  );
}

function Tally() {
  const count = useConsole().inbox.unread.value.size;
  const { list } = useStrings();
  if (count === 0) return null;
  return (
    <span class="tally">
      <span aria-hidden="true">{count}</span>
      <span class="unseen">{list.tally(count)}</span>
    </span>
  );
}

function Filters() {
  const { inbox } = useConsole();
  const { list } = useStrings();
  return (
    <fieldset class="segments">
      <legend class="unseen">{list.filter}</legend>
      {FILTERS.map((filter) => (
        <label key={filter}>
          <input
            type="radio"
            name="filter"
            value={filter}
            checked={inbox.filter.value === filter}
            onChange={() => void inbox.show(filter)}
          />
          <span>{list.filters[filter]}</span>
        </label>
      ))}
    </fieldset>
  );
}

function Search({ inputRef }: { inputRef: Ref<HTMLInputElement> }) {
  const { inbox } = useConsole();
  const { list } = useStrings();
  const text = inbox.search.value;
  return (
    <SearchField
      inputRef={inputRef}
      label={list.search}
      value={text}
      found={text === "" ? "" : list.matches(inbox.shown.value.length)}
      onSearch={(value) => {
        inbox.search.value = value;
      }}
    />
  );
}

function Body() {
  const { inbox } = useConsole();
  const { list } = useStrings();
  const items = inbox.shown.value;
  if (items.length > 0) return <Rows items={items} />;
  if (inbox.loading.value === "first") return <WaitingList label={list.loading} />;
  return inbox.trouble.value === null ? <Empty /> : <Failed />;
}

function Rows({ items }: { items: readonly Escalation[] }) {
  return (
    <div class="list-body">
      <Stale />
      <ol class="rows">
        {items.map((item) => (
          <Row key={item.id} item={item} />
        ))}
      </ol>
      <More />
    </div>
  );
}

function Row({ item }: { item: Escalation }) {
  const { inbox } = useConsole();
  const strings = useStrings();
  const link = useRef<HTMLAnchorElement>(null);
  useFocusWhenWanted(link, "row", item.id);
  const open = inbox.openId.value === item.id;
  const unread = inbox.unread.value.has(item.id);
  return (
    <li>
      <a
        ref={link}
        href={address({ room: "inbox", id: item.id })}
        class={`row${unread ? " row-unread" : ""}${item.status === "resolved" ? " row-resolved" : ""}`}
        aria-current={open ? "true" : undefined}
      >
        <span class="row-question" dir="auto" lang={languageOf(item.question, item.locale)}>
          {item.question}
        </span>
        <span class="row-time">
          {unread && <span class="unseen">{strings.list.unread}</span>}
          <Time at={item.createdAt} style="brief" />
        </span>
        <span class="row-facts">
          <span>{whyShort(item.reason, strings)}</span>
          {item.locale && <span>{language(item.locale, strings)}</span>}
          {item.added.length > 0 && <span>{strings.list.again(item.added.length)}</span>}
          <RowState item={item} />
        </span>
      </a>
    </li>
  );
}

function RowState({ item }: { item: Escalation }) {
  const { list } = useStrings();
  if (item.status === "resolved") return <span class="state-done">{list.resolved}</span>;
  if (isReplied(item)) return <span class="state-done">{list.replied}</span>;
  return item.status === "failed" ? <span class="state-bad">{list.failed}</span> : null;
}

function More() {
  const { inbox } = useConsole();
  const { list } = useStrings();
  if (inbox.inbox.value.next === null) return <p class="list-end">{list.end}</p>;
  const loading = inbox.loading.value === "more";
  return (
    <button
      type="button"
      class="button list-more"
      aria-disabled={loading}
      onClick={() => void inbox.loadMore()}
    >
      {loading ? list.loadingMore : list.more}
    </button>
  );
}

/** A list is on screen, but the last try to read it again failed. */
function Stale() {
  const { inbox } = useConsole();
  const strings = useStrings();
  const trouble = inbox.trouble.value;
  if (trouble === null) return null;
  return (
    <div class="list-stale" role="alert">
      <p>
        {strings.list.failedTitle}. {explain(trouble, strings)}
      </p>
      <button type="button" class="button-text" onClick={() => void inbox.loadFirst()}>
        {strings.list.retry}
      </button>
    </div>
  );
}

function Empty() {
  const { inbox } = useConsole();
  const { list } = useStrings();
  const [title, body] = {
    open: [list.emptyOpen, list.emptyOpenBody],
    resolved: [list.emptyResolved, list.emptyResolvedBody],
    all: [list.emptyAll, list.emptyAllBody],
  }[inbox.filter.value];
  const searching = inbox.search.value !== "";
  return (
    <div class="list-body blank">
      <p class="blank-title">{searching ? list.noMatch : title}</p>
      <p>{searching ? list.noMatchBody : body}</p>
    </div>
  );
}

function Failed() {
  const { inbox } = useConsole();
  const strings = useStrings();
  const trouble = inbox.trouble.value;
  return (
    <div class="list-body blank" role="alert">
      <p class="blank-title">{strings.list.failedTitle}</p>
      <p>{trouble && explain(trouble, strings)}</p>
      <button type="button" class="button" onClick={() => void inbox.loadFirst()}>
        {strings.list.retry}
      </button>
    </div>
  );
}
