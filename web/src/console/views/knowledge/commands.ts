/** What the keys of the knowledge room do. */

import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { Console } from "../../console";
import { isTyping, saves } from "../../keys";
import { nameOf } from "../../knowledge/form";
import { address, type EntryKey, type Navigation } from "../../navigation";
import { type Commands, everywhere, useKeys } from "../commands";
import { useConsole } from "../context";

/** Places a command may move the focus to. */
export interface Fields {
  readonly search: RefObject<HTMLInputElement | null>;
  readonly trial: RefObject<HTMLTextAreaElement | null>;
}

/** Moves the list's choice; the focus stays in the list. */
function mover(console: Console, step: 1 | -1): () => void {
  const { knowledge } = console;
  return () => {
    const { value: place } = knowledge.place;
    if (place.page !== "entries") return moveOverCards(step);
    const open = place.entry === "new" ? null : place.entry;
    const entry = knowledge.entries.beside(open, step);
    if (entry === null) return;
    const key: EntryKey = { id: entry.id, locale: entry.locale };
    knowledge.visit({ ...place, entry: key });
    console.focus.value = { on: "entry_row", id: nameOf(key) };
  };
}

/** On a page of cards there is no choice to move: the focus itself goes from card to card. */
function moveOverCards(step: 1 | -1): void {
  const cards = [...document.querySelectorAll(".card")];
  const at = cards.findIndex((card) => card.contains(document.activeElement));
  const next = at < 0 ? cards[0] : cards[at + step];
  next?.querySelector<HTMLElement>("[tabindex], a")?.focus();
}

export function commandsOf(
  console: Console,
  navigation: Navigation,
  { search, trial }: Fields,
): Commands & { readonly close: () => void } {
  const { knowledge } = console;
  const close = (): void => {
    if (knowledge.place.value.entry !== null) knowledge.show(null);
  };
  return {
    next: mover(console, 1),
    previous: mover(console, -1),
    search: () => search.current?.focus(),
    write: () => knowledge.editor.goOn(),
    try: () => trial.current?.focus(),
    leave: () => {
      const from = document.activeElement as HTMLElement | null;
      if (isTyping(from)) from?.blur();
      else close();
    },
    close,
    ...everywhere(console, navigation),
  };
}

/** Saves the open entry; where something is missing, the focus goes there. */
export async function save(console: Console): Promise<void> {
  const { editor, deeds, place } = console.knowledge;
  if (place.value.entry === null || (await deeds.save())) return;
  const [flaw] = editor.flaws.value;
  if (flaw === undefined) return;
  // What is wrong is marked once it is drawn.
  requestAnimationFrame(() => {
    const places = document.querySelectorAll<HTMLElement>(
      `#entry-${flaw}[aria-invalid], #entry-${flaw} [aria-invalid]`,
    );
    places[0]?.focus();
  });
}

/** The room's commands, made once, and bound for as long as it is on the page. */
export function useCommands(navigation: Navigation) {
  const console = useConsole();
  const search = useRef<HTMLInputElement>(null);
  const trial = useRef<HTMLTextAreaElement>(null);
  const commands = useMemo(
    () => commandsOf(console, navigation, { search, trial }),
    [console, navigation],
  );
  useKeys(commands);
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (!saves(event) || document.querySelector("dialog[open]") !== null) return;
      event.preventDefault(); // the browser would save the page
      void save(console);
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [console]);
  return { commands, search, trial };
}

/** Keeps the address bar at the place: what opens is a step in the history, what changes is none. */
export function useAddress(navigation: Navigation): void {
  const { knowledge } = useConsole();
  const { value: place } = knowledge.place;
  useEffect(() => {
    const before = navigation.current();
    if (before.room !== "knowledge" || address(before) === address(place)) return;
    if (before.entry === null && place.entry !== null) navigation.go(place);
    else navigation.replace(place);
  }, [navigation, place]);
}
