/** Fanlight's chat for a web page: one a page, loaded from the owner's own gateway. */
export { chat, type FanlightOptions, load, type Mounted, mount, unload, watch } from "./load.ts";
export type { Fanlight, FanlightCall, FanlightEvent, FanlightEvents, IdentityQuestion, IdentitySource, } from "./types.ts";
