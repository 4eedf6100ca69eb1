/**
 * Which stretch of a long talk is drawn.
 *
 * Decides: its last exchanges, and earlier ones by the visitor's wish until something is asked again. What is read stays
 * where it stands and keeps the focus; what appears above it is not read aloud.
 */
import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Exchange } from "../lines.ts";

/** Exchanges that are drawn at once, and that each wish for earlier ones adds. */
export const DRAWN = 50;
/** Screen readers look at what has changed a little later. */
const HUSH_MS = 1000;

export interface Stretch {
  /** The place of the first exchange that is drawn. */
  readonly start: number;
  /** Earlier ones have just appeared. */
  readonly quiet: boolean;
  /** Draws from this place on. */
  readonly reach: (place: number) => void;
}

interface Reached {
  /** The newest exchange when it was wished for. */
  readonly last: string | undefined;
  readonly first: string | undefined;
}

export function useStretch(
  turns: readonly Exchange[],
  view: RefObject<HTMLElement | null>,
): Stretch {
  const last = turns.at(-1)?.turnId;
  const [reached, setReached] = useState<Reached>();
  const [quiet, setQuiet] = useState(false);
  /** How far above the end the visitor reads. */
  const above = useRef<number | undefined>(undefined);
  const place =
    reached && reached.last === last
      ? turns.findIndex(({ turnId }) => turnId === reached.first)
      : turns.length;
  const start = Math.max(0, Math.min(place, turns.length - DRAWN));

  useLayoutEffect(() => {
    const box = view.current;
    if (box && above.current !== undefined) box.scrollTop = box.scrollHeight - above.current;
    above.current = undefined;
  }, [start]);
  useEffect(() => {
    if (!quiet) return undefined;
    const timer = setTimeout(() => setQuiet(false), HUSH_MS);
    return () => clearTimeout(timer);
  }, [quiet]);

  const reach = (from: number) => {
    const box = view.current;
    if (from < 0 || from >= start || !box) return;
    above.current = box.scrollHeight - box.scrollTop;
    const first = document.getElementById(turns[start]?.turnId ?? "");
    if (first) first.tabIndex = -1;
    first?.focus({ preventScroll: true });
    setQuiet(true);
    setReached({ last, first: turns[from]?.turnId });
  };
  return { start, quiet, reach };
}
