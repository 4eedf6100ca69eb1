/**
 * Fanlight's chat in a React application: a component that holds it, and a hook that gives it.
 *
 * Decides nothing that `@fanlight/widget` does not: the component draws nothing itself, and rendering on a
 * server does nothing.
 */
import { type Fanlight, type FanlightEvents, type FanlightOptions } from "@fanlight/widget";
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
/** The chat of this page, as long as a `FanlightChat` is rendered; undefined until it is there. */
export declare function useFanlight(): Fanlight | undefined;
/** Has the chat on the page while it is rendered. Render it once, near the root: it outlives navigation there. */
export declare function FanlightChat(props: FanlightChatProps): null;
