/**
 * What a page can do with the chat, and what it is told: `window.fanlight`.
 *
 * No word of a conversation is in here: the page learns that something was said and by whom, never what.
 */
/** What the identity of a visitor is asked for: sign a JWT for this key and no other. */
export interface IdentityQuestion {
    readonly site: string;
    readonly thumbprint: string;
}
/** Gives a JWT of the site's own server for its visitor; nothing where nobody is signed in. */
export type IdentitySource = (question: IdentityQuestion) => string | null | undefined | Promise<string | null | undefined>;
/** What each event tells. */
export interface FanlightEvents {
    /** The panel has loaded: on first use, and again when it starts over for another visitor. */
    readonly ready: object;
    readonly open: object;
    readonly close: object;
    /** Something was said: by the visitor, by the chat, or by one of your people. */
    readonly message: {
        readonly from: "visitor" | "chat" | "person";
    };
    /** A question was handed to your people: the gateway has it. */
    readonly escalated: object;
    /** One of your people has answered. */
    readonly reply: object;
    /** How many replies the visitor has not seen. */
    readonly unread: {
        readonly count: number;
    };
    /** The panel did not come, or a question was turned down: too many, too long, or refused. */
    readonly error: {
        readonly reason: "unreachable" | "limited" | "long" | "refused";
    };
}
export type FanlightEvent = keyof FanlightEvents;
/** A call that waits until the loader is there, as in `(window.fanlight ||= []).push(call)`. */
export type FanlightCall = (fanlight: Fanlight) => void;
export interface Fanlight {
    open(): void;
    close(): void;
    /** Opens the chat and asks, once the visitor has said whether the chat may remember. */
    ask(text: string): void;
    /** Listens; what it gives ends that. */
    on<Name extends FanlightEvent>(event: Name, listener: (detail: FanlightEvents[Name]) => void): () => void;
    /** Names who says who the visitor is; null signs out. Throws a `TypeError` on anything else. */
    identify(source: IdentitySource | null): void;
    /** The page's language has changed; the visitor's own choice goes before it. */
    setLocale(locale: string): void;
    /** Takes the chat off the page, this object too. */
    destroy(): void;
    /** Calls, now that the loader is there. */
    push(call: FanlightCall): void;
}
declare global {
    interface Window {
        /** The chat, or what waits for it. */
        fanlight?: Fanlight | FanlightCall[];
    }
}
