/** The list: the site's own, the owner's folder's, Fanlight's; and none at all. */

import { Fragment } from "preact";
import { useRef } from "preact/hooks";
import type { Language as ShownLanguage } from "../../figures/words";
import { address } from "../../navigation";
import { formOf, NAME, written } from "../../personality/form";
import { NEW, NONE } from "../../personality/place";
import type { Item, Origin } from "../../personality/wire";
import { PERSONALITY_WORDS } from "../../personality/words";
import { readable } from "../../words";
import { useFocusWhenWanted } from "../commands";
import { useConsole } from "../context";
import { PlusIcon } from "../icons";
import { usePersonalityWords } from "./context";
import { heldBy, optionWord } from "./words";

const ORIGINS: readonly Origin[] = ["console", "folder", "fanlight"];

export function List() {
  const { personality } = useConsole();
  const words = usePersonalityWords();
  return (
    <nav class="list" aria-label={words.list}>
      <div class="list-head">
        <div class="manner-title">
          <h2>{words.title}</h2>
          <button
            type="button"
            class="button"
            title={words.write}
            aria-label={words.write}
            onClick={() => personality.begin(null)}
          >
            <PlusIcon />
          </button>
        </div>
        <p class="hint">{words.lead}</p>
        <SitePicker />
      </div>
      <div class="list-body">
        {ORIGINS.map((origin) => (
          <Group key={origin} origin={origin} />
        ))}
        <ol class="rows manner-none">
          <li>
            <Row name={NONE} label={words.none} facts={[words.noneHint]} inUse={useInUse(null)} />
          </li>
        </ol>
        <Language />
      </div>
    </nav>
  );
}

/** In which language all this is told. */
function Language() {
  const { figures } = useConsole();
  const words = usePersonalityWords();
  return (
    <label class="select manner-language">
      <span class="unseen">{words.language}</span>
      <select
        value={figures.language.value}
        onChange={(event) => figures.speak(event.currentTarget.value as ShownLanguage)}
      >
        {Object.entries(PERSONALITY_WORDS).map(([code, { own }]) => (
          <option key={code} value={code} lang={code}>
            {own}
          </option>
        ))}
      </select>
    </label>
  );
}

function useInUse(name: string | null): boolean {
  return useConsole().personality.site.value?.inUse === name;
}

function Group({ origin }: { origin: Origin }) {
  const { personality } = useConsole();
  const words = usePersonalityWords();
  const items = (personality.items.value ?? []).filter((item) => item.origin === origin);
  const site = personality.site.value?.site ?? null;
  const begun = origin === "console" && personality.drafts.begun(site);
  if (origin === "folder" && items.length === 0) return null;
  return (
    <Fragment>
      <h3 class="manner-origin">{words.origins[origin]}</h3>
      {items.length === 0 && !begun && <p class="hint manner-empty">{words.emptyOwn}</p>}
      <ol class="rows">
        {begun && (
          <li>
            <Begun site={site} />
          </li>
        )}
        {items.map((item) => (
          <li key={item.name}>
            <ItemRow item={item} />
          </li>
        ))}
      </ol>
    </Fragment>
  );
}

function Begun({ site }: { site: string | null }) {
  const { personality } = useConsole();
  const words = usePersonalityWords();
  const draft = personality.drafts.of(site, NEW);
  const label = written(draft?.form ?? {}, NAME) || words.untitled;
  return <Row name={NEW} label={label} facts={[]} inUse={false} unsaved />;
}

function ItemRow({ item }: { item: Item }) {
  const { personality } = useConsole();
  const words = usePersonalityWords();
  const { value: site } = personality.site;
  const document = item.personality;
  const form = document === null ? {} : formOf(document);
  const own = item.origin === "console";
  const said = ["communication.tone", "communication.verbosity"].map((field) => {
    const value = heldBy(form, field);
    return value === "" ? "" : optionWord(words, field, value);
  });
  const role = own ? written(form, "identity.role") : "";
  return (
    <Row
      name={item.name}
      label={own ? written(form, NAME) : readable(item.name)}
      facts={document === null ? [words.broken] : [role, ...said].filter((part) => part !== "")}
      inUse={site?.inUse === item.name}
      unsaved={personality.drafts.of(site?.site ?? null, item.name) !== null}
    />
  );
}

interface RowProps {
  readonly name: string;
  readonly label: string;
  readonly facts: readonly string[];
  readonly inUse: boolean;
  readonly unsaved?: boolean;
}

function Row({ name, label, facts, inUse, unsaved = false }: RowProps) {
  const { personality } = useConsole();
  const words = usePersonalityWords();
  const link = useRef<HTMLAnchorElement>(null);
  useFocusWhenWanted(link, "entry_row", name);
  const open = personality.name.value === name;
  return (
    <a
      ref={link}
      class="row"
      href={address({ ...personality.place.value, name })}
      aria-current={open ? "true" : undefined}
    >
      <span class="row-question">
        <bdi>{label}</bdi>
      </span>
      <span class="row-badges">
        {unsaved && <span class="badge badge-unsaved">{words.unsaved}</span>}
        {inUse && <span class="badge badge-in-use">{words.inUse}</span>}
      </span>
      {facts.length > 0 && (
        <span class="row-facts">
          {facts.map((fact) => (
            <span key={fact}>
              <bdi>{fact}</bdi>
            </span>
          ))}
        </span>
      )}
    </a>
  );
}

function SitePicker() {
  const { personality } = useConsole();
  const words = usePersonalityWords();
  const sites = personality.sites.value.value ?? [];
  if (sites.length < 2) return null;
  return (
    <label class="select">
      <span class="unseen">{words.site}</span>
      <select
        value={personality.site.value?.site ?? ""}
        onChange={(event) =>
          personality.visit({ room: "personality", site: event.currentTarget.value, name: null })
        }
      >
        {sites.map(({ site, name }) => (
          <option key={site} value={site}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
