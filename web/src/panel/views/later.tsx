/**
 * A view that is fetched when it is first wanted: the panel is light for those who never open it.
 *
 * Decides: what is shown until it has come (nothing), and where it cannot be had (a line that says so, with a way to try
 * again). Chromium never asks again for a module that once failed to come, until the page is loaded anew; so the view is
 * asked for only when something small of our own has come.
 */
import type { ComponentType, VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { usePanel } from "./context.ts";
import { Confirm } from "./dialog.tsx";

interface Closable {
  readonly onClose: () => void;
}

/** Rejects where nothing can be had now, stored or from the network. */
async function reach(): Promise<void> {
  const own = document.querySelector<HTMLLinkElement>("link[rel=icon]");
  if (own) await fetch(own.href, { cache: "no-store" });
}

/** The view that `load` fetches, with the props that it takes. */
export function later<Props extends Closable>(
  load: () => Promise<ComponentType<Props>>,
): (props: Props) => VNode | null {
  let known: ComponentType<Props> | undefined;
  return function Later(props: Props): VNode | null {
    const [View, setView] = useState<ComponentType<Props> | undefined>(() => known);
    const [failed, setFailed] = useState(false);
    const fetchView = () => {
      setFailed(false);
      reach()
        .then(load)
        .then(
          (view) => {
            known = view;
            setView(() => view);
          },
          () => setFailed(true),
        );
    };
    useEffect(() => {
      if (!known) fetchView();
    }, []);
    if (failed) return <Failed onRetry={fetchView} onClose={props.onClose} />;
    return View ? <View {...props} /> : null;
  };
}

interface FailedProps extends Closable {
  readonly onRetry: () => void;
}

function Failed({ onRetry, onClose }: FailedProps): VNode {
  const say = usePanel().state.say.value;
  const again = useRef(false);
  return (
    <Confirm
      title={say("later.title")}
      body={say("later.body")}
      yes={say("problem.retry")}
      onYes={() => {
        again.current = true;
      }}
      onClose={() => (again.current ? onRetry() : onClose())}
    />
  );
}
