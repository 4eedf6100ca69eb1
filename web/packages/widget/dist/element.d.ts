import type { IdentitySource } from "./types.ts";
/** On a server there is none; the class is there all the same, and of no use. */
declare const Base: typeof HTMLElement;
export declare class FanlightChat extends Base {
    #private;
    static readonly observedAttributes: readonly string[];
    connectedCallback(): void;
    disconnectedCallback(): void;
    attributeChangedCallback(): void;
    open(): void;
    close(): void;
    ask(text: string): void;
    setLocale(locale: string): void;
    identify(source: IdentitySource | null): void;
}
declare global {
    interface HTMLElementTagNameMap {
        "fanlight-chat": FanlightChat;
    }
}
export {};
