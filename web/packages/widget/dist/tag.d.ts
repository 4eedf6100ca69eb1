/**
 * The loader's script tag, made by a script.
 *
 * Decides: its address; one with a hash has the hash in it. A page under Trusted Types admits a script's
 * address from a policy only: ours is called `fanlight`.
 */
import type { FanlightOptions } from "./load.ts";
/** The gateway names a loader by the first eight bytes of its hash. */
export declare function loaderAddress(gateway: string, integrity: string | undefined): string;
export declare function makeTag(options: FanlightOptions): HTMLScriptElement;
