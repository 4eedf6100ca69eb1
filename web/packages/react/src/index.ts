/**
 * Fanlight's chat in a React application: a component that holds it, and a hook that gives it.
 *
 * Decides nothing that `@fanlight/widget` does not: the component draws nothing itself, and rendering on a
 * server does nothing.
 */
import {
  chat,
  type Fanlight,
  type FanlightEvents,
  type FanlightOptions,
  type IdentityQuestion,
  mount,
  watch,
} from "@fanlight/widget";
import { useEffect, useRef, useSyncExternalStore } from "react";

export type * from "@fanlight/widget";

type Handler<Name extends keyof FanlightEvents> = (detail: FanlightEvents[Name]) => void;

export interface FanlightChatProps extends FanlightOptions {
  readonly onReady?: Handler<"ready"> | undefined;
  readonly onOpen?: Handler<"open"> | undefined;
  readonly onClose?: Handler<"close"> | undefined;
  readonly onMessage?: Handler<"message"> | undefined;
  readonly onEscalated?: Handler<"escalated"> | undefined;
  readonly onReply?: Handler<"reply"> | undefined;
  readonly onUnread?: Handler<"unread"> | undefined;
  readonly onError?: Handler<"error"> | undefined;
}

const HANDLERS = {
  ready: "onReady",
  open: "onOpen",
  close: "onClose",
  message: "onMessage",
  escalated: "onEscalated",
  reply: "onReply",
  unread: "onUnread",
  error: "onError",
} as const;

/** The chat of this page, as long as a `FanlightChat` is rendered; undefined until it is there. */
export function useFanlight(): Fanlight | undefined {
  return useSyncExternalStore(watch, chat, () => undefined);
}

/** Has the chat on the page while it is rendered. Render it once, near the root: it outlives navigation there. */
export function FanlightChat(props: FanlightChatProps): null {
  const latest = useRef(props);
  useEffect(() => {
    latest.current = props;
  });
  useHeld(props, latest);
  useHandlers(latest);
  return null;
}

type Latest = { readonly current: FanlightChatProps };

/** Loads the chat, and changes it when what is written here changes. A function is asked as it is then. */
function useHeld(props: FanlightChatProps, latest: Latest): void {
  const { gateway, site, locale, position, accent, identity, integrity, greetings, voice, nonce } =
    props;
  const address = typeof identity === "function" ? undefined : identity;
  const asks = typeof identity === "function";
  const ask = useRef((question: IdentityQuestion) => {
    const { identity: now } = latest.current;
    return typeof now === "function" ? now(question) : null;
  });
  useEffect(() => {
    const held = mount({
      ...{ gateway, site, locale, position, accent, integrity, greetings, voice, nonce },
      identity: asks ? ask.current : address,
    });
    let wanted = true;
    held.chat.catch(() => {
      if (wanted) latest.current.onError?.({ reason: "unreachable" });
    });
    return () => {
      wanted = false;
      held.unmount();
    };
  }, [
    gateway,
    site,
    locale,
    position,
    accent,
    integrity,
    greetings,
    voice,
    nonce,
    address,
    asks,
    latest,
  ]);
}

function useHandlers(latest: Latest): void {
  const there = useFanlight();
  useEffect(() => {
    const names = Object.keys(HANDLERS) as (keyof FanlightEvents)[];
    const stops = names.map((name) =>
      there?.on(name, (detail) => {
        const handler = latest.current[HANDLERS[name]] as Handler<typeof name> | undefined;
        handler?.(detail);
      }),
    );
    return () => {
      for (const stop of stops) stop?.();
    };
  }, [there, latest]);
}
