/** The list of entries: search, filters, rows, and what stands there when there are none. */

import type { Ref } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { isSystemText, nameOf } from "../../knowledge/form";
import type { Entry } from "../../knowledge/wire";
import { address, sameEntry } from "../../navigation";
import { explain, language, languageOf } from "../../words";
import { useFocusWhenWanted } from "../commands";
import { useConsole, useStrings } from "../context";
import { PlusIcon } from "../icons";
import { SearchField } from "../search";
import { Time, WaitingList } from "../text";
import { Badge } from "./badge";
import { NoEntries } from "./empty";

export function Entries({ searchRef }: { searchRef: Ref<HTMLInputElement> }) {
  const { knowledge } = useConsole();
  const { list } = useStrings().knowledge;
  return (
    <nav class="list" aria-label={list.title}>
      <h2 class="unseen">{list.title}</h2>
      <div class="list-head">
        <div class="list-search">
          <Search inputRef={searchRef} />
          <button
            type="button"
            class="button"
            title={list.write}
            aria-label={list.write}
            onClick={() => knowledge.editor.goOn()}
          >
            <PlusIcon />
          </button>
        </div>
        <Filters />
      </div>
      <Body />
    </nav>
  );
}

function Search({ inputRef }: { inputRef: Ref<HTMLInputElement> }) {
  const { entries } = useConsole().knowledge;
  const { list } = useStrings().knowledge;
  const { value: page } = entries.page.value;
  const settled = page !== null && !entries.page.loading.value;
  return (
    <SearchField
      inputRef={inputRef}
      label={list.search}
      value={entries.search.value.text}
      found={settled && entries.isSearching() ? list.total(page.total) : ""}
      onSearch={(text) => entries.find({ text })}
    />
  );
}

function Filters() {
  const { entries, site } = useConsole().knowledge;
  const strings = useStrings();
  const { list } = strings.knowledge;
  const locales = site.value?.locales ?? [];
  return (
    <div class="filters">
      {locales.length > 1 && (
        <label class="select">
          <span class="unseen">{list.language}</span>
          <select
            value={entries.search.value.locale ?? ""}
            onChange={(event) => entries.find({ locale: event.currentTarget.value || null })}
          >
            <option value="">{list.everyLanguage}</option>
            {locales.map((locale) => (
              <option key={locale} value={locale}>
                {language(locale, strings)}
              </option>
            ))}
          </select>
        </label>
      )}
      <label class="check">
        <input
          type="checkbox"
          checked={entries.search.value.unpublished}
          onChange={(event) => entries.find({ unpublished: event.currentTarget.checked })}
        />
        {list.unpublished}
      </label>
    </div>
  );
}

function Body() {
  const { entries, editor } = useConsole().knowledge;
  const { list } = useStrings().knowledge;
  const { value: page } = entries.page.value;
  const begun = editor.unsaved.begun() !== null || editor.key.value === "new";
  if (page === null)
    return entries.page.trouble.value ? <Failed /> : <WaitingList label={list.loading} />;
  if (page.items.length === 0 && !begun) return <NoEntries />;
  return (
    <div class="list-body">
      {entries.page.trouble.value && <Stale />}
      <ol class="rows">
        {begun && <Begun />}
        {page.items.map((entry) => (
          <Row key={nameOf(entry)} entry={entry} />
        ))}
      </ol>
      <p class="list-end">{list.shown(page.items.length, page.total)}</p>
      {page.next !== null && <More />}
    </div>
  );
}

/** The entry that is being written and that the gateway does not know yet. */
function Begun() {
  const { editor, site } = useConsole().knowledge;
  const { list } = useStrings().knowledge;
  const link = useRef<HTMLAnchorElement>(null);
  useFocusWhenWanted(link, "entry_row", "new");
  const question = editor.unsaved.begun()?.question.trim();
  return (
    <li>
      <a
        ref={link}
        class="row"
        href={address({
          room: "knowledge",
          site: site.value?.site ?? null,
          page: "entries",
          entry: "new",
        })}
        aria-current={editor.key.value === "new" ? "true" : undefined}
      >
        <span class="row-question" dir="auto">
          {question || list.untitled}
        </span>
        <span class="badge badge-unsaved">{list.unsaved}</span>
      </a>
    </li>
  );
}

function Row({ entry }: { entry: Entry }) {
  const { editor, site } = useConsole().knowledge;
  const strings = useStrings();
  const link = useRef<HTMLAnchorElement>(null);
  useFocusWhenWanted(link, "entry_row", nameOf(entry));
  const { id, locale, question } = entry;
  const key = { id, locale };
  const open = sameEntry(editor.key.value, key);
  // Whoever comes back to the room finds the open entry in sight.
  useEffect(() => {
    if (open) link.current?.scrollIntoView({ block: "nearest" });
  }, []);
  return (
    <li>
      <a
        ref={link}
        class={entry.state === "removed" ? "row row-removed" : "row"}
        href={address({
          room: "knowledge",
          site: site.value?.site ?? null,
          page: "entries",
          entry: key,
        })}
        aria-current={open ? "true" : undefined}
      >
        <span class="row-question" dir="auto" lang={languageOf(question, locale)}>
          {question}
        </span>
        <span class="row-badges">
          {editor.unsaved.of(key) !== null && (
            <span class="badge badge-unsaved">{strings.knowledge.list.unsaved}</span>
          )}
          <Badge state={entry.state} />
        </span>
        <RowFacts entry={entry} />
      </a>
    </li>
  );
}

function RowFacts({ entry }: { entry: Entry }) {
  const { site } = useConsole().knowledge;
  const strings = useStrings();
  const { list } = strings.knowledge;
  const { locale, variants, at } = entry;
  const system = isSystemText(entry.tags.join(","));
  const many = (site.value?.locales.length ?? 0) > 1;
  return (
    <span class="row-facts">
      {many && <span>{language(locale, strings)}</span>}
      {system && <span>{list.system}</span>}
      {variants.length > 0 && !system && <span>{list.ways(variants.length)}</span>}
      {at !== null && (
        <span>
          <Time at={at} style="brief" />
        </span>
      )}
    </span>
  );
}

function More() {
  const { entries } = useConsole().knowledge;
  const { list } = useStrings().knowledge;
  const { value: loading } = entries.loadingMore;
  return (
    <button
      type="button"
      class="button list-more"
      aria-disabled={loading}
      onClick={() => void entries.loadMore()}
    >
      {loading ? list.loadingMore : list.more}
    </button>
  );
}

/** A list is on screen, but the last try to read it again failed. */
function Stale() {
  const { entries } = useConsole().knowledge;
  const strings = useStrings();
  const { value: trouble } = entries.page.trouble;
  return (
    <div class="list-stale" role="alert">
      <p>
        {strings.knowledge.list.failed}. {trouble && explain(trouble, strings)}
      </p>
      <button type="button" class="button-text" onClick={() => void entries.load()}>
        {strings.knowledge.again}
      </button>
    </div>
  );
}

function Failed() {
  const { entries } = useConsole().knowledge;
  const strings = useStrings();
  const { value: trouble } = entries.page.trouble;
  return (
    <div class="list-body blank" role="alert">
      <p class="blank-title">{strings.knowledge.list.failed}</p>
      <p>{trouble && explain(trouble, strings)}</p>
      <button type="button" class="button" onClick={() => void entries.load()}>
        {strings.knowledge.again}
      </button>
    </div>
  );
}
