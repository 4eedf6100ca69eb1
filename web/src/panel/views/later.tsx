/**
 * A view that is fetched when it is first wanted: the panel is light for those who never open it.
 *
 * Decides: what is shown until it has come (nothing), and where it cannot be had (nothing, and `onClose` is told, so
 * that the next press tries again).
 */
import type { ComponentType, VNode } from "preact";
import { useEffect, useState } from "preact/hooks";

interface Closable {
  readonly onClose: () => void;
}

/** The view that `load` fetches, with the props that it takes. */
export function later<Props extends Closable>(
  load: () => Promise<ComponentType<Props>>,
): (props: Props) => VNode | null {
  let known: ComponentType<Props> | undefined;
  return function Later(props: Props): VNode | null {
    const [View, setView] = useState<ComponentType<Props> | undefined>(() => known);
    useEffect(() => {
      if (known) return;
      load().then(
        (view) => {
          known = view;
          setView(() => view);
        },
        () => props.onClose(),
      );
    }, []);
    return View ? <View {...props} /> : null;
  };
}
