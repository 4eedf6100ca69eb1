/** What the keys and buttons of the inbox do, and those that every room has. */

import { batch } from "@preact/signals";
import type { RefObject } from "preact";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import type { Console, Focus } from "../console";
import { type Command, commandFor, isTyping } from "../keys";
import type { Navigation, Place } from "../navigation";
import { useConsole } from "./context";

/** Places a command may move the focus to. */
export interface Fields {
  readonly search: RefObject<HTMLInputElement | null>;
  readonly composer: RefObject<HTMLTextAreaElement | null>;
}

/** What the room that is shown makes of each command. */
export type Commands = Readonly<Partial<Record<Command, () => void>>>;

/** What is the same in every room. */
export function everywhere(console: Console, navigation: Navigation) {
  const enter = (room: Place["room"]) => (): void => {
    if (console.room.value === room) return;
    navigation.go(console.lastPlace(room));
    console.focus.value = { on: "room", id: room };
  };
  return {
    help: () => {
      console.helpOpen.value = true;
    },
    inbox: enter("inbox"),
    knowledge: enter("knowledge"),
    embed: enter("embed"),
    figures: enter("figures"),
    personality: enter("personality"),
  };
}

/** @param ask asks what to do with a reply that is written but not sent. */
export function commandsOf(
  console: Console,
  navigation: Navigation,
  fields: Fields,
  ask: () => void,
): Commands & { readonly close: () => void; readonly resolve: () => void } {
  const { inbox, desk } = console;
  const move = (step: 1 | -1) => (): void => {
    const id = inbox.beside(step);
    if (id === null) return;
    void inbox.choose(id);
    navigation.replace({ room: "inbox", id });
    console.focus.value = { on: "row", id };
  };
  const close = (): void => {
    const id = inbox.openId.value;
    if (id === null) return;
    batch(() => {
      void inbox.choose(null);
      console.focus.value = { on: "row", id };
    });
    navigation.replace({ room: "inbox", id: null });
  };
  return {
    next: move(1),
    previous: move(-1),
    reply: () => fields.composer.current?.focus(),
    search: () => fields.search.current?.focus(),
    ...everywhere(console, navigation),
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

/** Binds the keys for as long as the caller is on the page: whoever sees the room can use them. */
export function useKeys(commands: Commands): void {
  const { shortcuts } = useConsole();
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.isComposing) return;
      const target = event.target as Element | null;
      const command = commandFor(event, {
        typing: isTyping(target),
        inList: target?.closest?.(".rows") != null,
        inDialog: document.querySelector("dialog[open]") !== null,
        shortcuts: shortcuts.value,
      });
      const act = command === null ? undefined : commands[command];
      if (act === undefined) return;
      event.preventDefault();
      act();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [commands, shortcuts]);
}

/** The inbox's commands, made once. */
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
  on: Focus["on"],
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
