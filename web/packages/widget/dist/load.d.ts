import type { Fanlight, IdentitySource } from "./types.ts";
/** What the script tag says, and who says who the visitor is. */
export interface FanlightOptions {
    /** The gateway's address, such as `https://chat.example.com`. */
    readonly gateway: string;
    readonly site: string;
    /** The page's language, instead of its `lang`. */
    readonly locale?: string | undefined;
    readonly position?: "left" | "right" | undefined;
    /** As #rgb or #rrggbb. */
    readonly accent?: string | undefined;
    /** An address of the page's own origin, or a function: see docs/identity.md. */
    readonly identity?: string | IdentitySource | undefined;
    /** `sha384-…`, as `fanlight embed` prints it: these bytes of the loader and no others. */
    readonly integrity?: string | undefined;
    /** For a policy with nonces. */
    readonly nonce?: string | undefined;
}
/** The chat that was loaded from here, once it is there. */
export declare function chat(): Fanlight | undefined;
/** Calls when `chat()` has changed; what it gives ends that. */
export declare function watch(listener: () => void): () => void;
/** Loads the chat, or changes the one that is there; rejects where the loader does not come. */
export declare function load(options: FanlightOptions): Promise<Fanlight>;
/** Takes the chat off the page. */
export declare function unload(): void;
/** A chat that somebody wants on the page, until they do not. */
export interface Mounted {
    readonly chat: Promise<Fanlight>;
    readonly unmount: () => void;
}
/** Loads the chat for as long as anybody holds it: who lets go and takes it again at once changes nothing. */
export declare function mount(options: FanlightOptions): Mounted;
