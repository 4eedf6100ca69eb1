/** What the keys and buttons of the desk do. */

import { batch } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { Console } from "../console";
import { type Command, commandFor, isTyping } from "../keys";
import type { Navigation } from "../navigation";
import { useConsole } from "./context";

/** Places a command may move the focus to. */
export interface Fields {
  readonly search: RefObject<HTMLInputElement | null>;
  readonly composer: RefObject<HTMLTextAreaElement | null>;
}

/** @param ask asks what to do with a reply that is written but not sent. */
export function commandsOf(
  console: Console,
  navigation: Navigation,
  fields: Fields,
  ask: () => void,
): Readonly<Record<Command, () => void>> {
  const { inbox, desk } = console;
  const move = (step: 1 | -1) => (): void => {
    const id = inbox.beside(step);
    if (id === null) return;
    void inbox.choose(id);
    navigation.replace(id);
    console.focus.value = { on: "row", id };
  };
  const close = (): void => {
    const id = inbox.openId.value;
    if (id === null) return;
    batch(() => {
      void inbox.choose(null);
      console.focus.value = { on: "row", id };
    });
    navigation.replace(null);
  };
  return {
    next: move(1),
    previous: move(-1),
    reply: () => fields.composer.current?.focus(),
    search: () => fields.search.current?.focus(),
    help: () => {
      console.helpOpen.value = true;
    },
    resolve: () => {
      const item = inbox.open.value;
      if (item === null || item.status === "resolved") return;
      if (desk.draft(item.id).text.trim() !== "") return ask();
      // The button goes once it is pressed: the focus must not go with it.
      if (document.activeElement instanceof HTMLButtonElement) {
        console.focus.value = { on: "question", id: item.id };
      }
      void desk.resolve(item.id);
    },
    leave: () => {
      const from = document.activeElement as HTMLElement | null;
      if (isTyping(from)) from?.blur();
      else close();
    },
    close,
  };
}

/** Binds the keys for as long as the caller is on the page. */
export function useKeys(commands: Readonly<Record<Command, () => void>>): void {
  const { shortcuts } = useConsole();
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.isComposing) return;
      const target = event.target as Element | null;
      const command = commandFor(event, {
        typing: isTyping(target),
        inList: target?.closest?.(".rows") != null,
        inDialog: document.querySelector("dialog[open]") !== null,
        shortcuts: shortcuts.value,
      });
      if (command === null) return;
      event.preventDefault();
      commands[command]();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [commands, shortcuts]);
}

/** The desk's commands, made once. */
export function useCommands(navigation: Navigation, ask: () => void) {
  const console = useConsole();
  const search = useRef<HTMLInputElement>(null);
  const composer = useRef<HTMLTextAreaElement>(null);
  const commands = useMemo(
    () => commandsOf(console, navigation, { search, composer }, ask),
    [console, navigation, ask],
  );
  useKeys(commands);
  return { commands, search, composer };
}

/** Gives the element the focus when a command asked for it, once it is on the page. */
export function useFocusWhenWanted(
  element: RefObject<HTMLElement | null>,
  on: "row" | "question",
  id: string,
): void {
  const { focus } = useConsole();
  const wanted = focus.value?.on === on && focus.value.id === id;
  useLayoutEffect(() => {
    if (!wanted) return;
    focus.value = null;
    element.current?.focus();
  }, [wanted, focus, element]);
}
