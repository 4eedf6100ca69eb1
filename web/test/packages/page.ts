/** A page whose scripts are the real loader, run when the test says that the network brought it. */
import { vi } from "vitest";
import { install } from "../../src/loader/api.ts";
import { readOptions } from "../../src/loader/options.ts";

const GATEWAY = "https://chat.example";

export interface Network {
  /** Every tag that was put on the page. */
  readonly tags: readonly HTMLScriptElement[];
  /** Brings the script of a tag, the newest by default. */
  readonly bring: (tag?: HTMLScriptElement) => Promise<void>;
  readonly fail: () => Promise<void>;
}

export async function settled(): Promise<void> {
  for (let n = 0; n < 8; n += 1) await Promise.resolve();
}

export function network(): Network {
  const tags: HTMLScriptElement[] = [];
  vi.spyOn(document.head, "append").mockImplementation((...nodes) => {
    tags.push(...(nodes as HTMLScriptElement[]));
  });
  const bring = async (tag = tags.at(-1)) => {
    const options = tag && readOptions(tag, document.documentElement);
    if (options) install(options, GATEWAY);
    tag?.dispatchEvent(new Event("load"));
    await settled();
  };
  const fail = async () => {
    tags.at(-1)?.dispatchEvent(new Event("error"));
    await settled();
  };
  return { tags, bring, fail };
}

export function launchers(): readonly Element[] {
  return [...document.querySelectorAll("fanlight-launcher")];
}

export function launcher(): HTMLElement | undefined {
  return launchers()[0] as HTMLElement | undefined;
}

export function label(): string | null | undefined {
  return launcher()?.shadowRoot?.querySelector("button")?.getAttribute("aria-label");
}
