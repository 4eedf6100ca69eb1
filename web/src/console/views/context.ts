/** What every view may reach: the console and its words. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Console } from "../console";
import { type Strings, strings } from "../strings";

export const ConsoleContext = createContext<Console | null>(null);

export function useConsole(): Console {
  const console = useContext(ConsoleContext);
  if (console === null) throw new Error("A view of the console stands outside its context.");
  return console;
}

export function useStrings(): Strings {
  return strings;
}
