/** What the keys of this room do. */

import { useEffect, useLayoutEffect, useMemo } from "preact/hooks";
import type { Console } from "../../console";
import { isTyping, saves } from "../../keys";
import { address, type Navigation } from "../../navigation";
import { NEW, NONE } from "../../personality/place";
import { everywhere, useKeys } from "../commands";
import { useConsole } from "../context";

/** The list in the order of the page. */
export function namesOf(console: Console): readonly string[] {
  const { personality } = console;
  const items = personality.items.value ?? [];
  const begun = personality.drafts.begun(personality.site.value?.site ?? null);
  return [...(begun ? [NEW] : []), ...items.map(({ name }) => name), NONE];
}

/** Moves the list's choice; the focus stays in the list. */
function mover(console: Console, step: 1 | -1): () => void {
  const { personality } = console;
  return () => {
    const names = namesOf(console);
    const next = names[names.indexOf(personality.name.value) + step];
    if (next === undefined) return;
    personality.show(next);
    console.focus.value = { on: "entry_row", id: next };
  };
}

/** Saves what is written; where something is missing, the focus goes there. */
export async function save(console: Console): Promise<void> {
  const { personality, manners } = console;
  if (await manners.save()) return;
  const [flaw] = personality.flaws.value;
  if (flaw === undefined) return;
  // What is wrong is marked, and unfolded, once it is drawn.
  requestAnimationFrame(() => {
    const field = document.querySelector<HTMLElement>(".manner [aria-invalid]");
    field?.closest("details")?.setAttribute("open", "");
    field?.focus();
  });
}

export function useCommands(navigation: Navigation): void {
  const console = useConsole();
  const commands = useMemo(() => {
    const { personality } = console;
    return {
      next: mover(console, 1),
      previous: mover(console, -1),
      write: () => personality.begin(null),
      try: () => document.getElementById("manner-question")?.focus(),
      leave: () => {
        const from = document.activeElement as HTMLElement | null;
        const { name } = personality.place.value;
        if (isTyping(from)) return from?.blur();
        if (name === null) return;
        personality.show(null);
        console.focus.value = { on: "entry_row", id: name };
      },
      ...everywhere(console, navigation),
    };
  }, [console, navigation]);
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
}

/** Keeps the address bar at the place: what opens is a step in the history, what changes is none. */
export function useAddress(navigation: Navigation): void {
  const { personality } = useConsole();
  const { value: place } = personality.place;
  useEffect(() => {
    const before = navigation.current();
    if (before.room !== "personality" || address(before) === address(place)) return;
    if (before.name === null && place.name !== null) navigation.go(place);
    else navigation.replace(place);
  }, [navigation, place]);
}
