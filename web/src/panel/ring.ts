/**
 * Where the browser's key is kept: in memory first, in the site's database once that is allowed.
 *
 * Decides: which key this tab signs with. A key that was kept on an earlier visit is preferred, because the
 * replies to earlier questions belong to it.
 */
import { type BrowserKey, describeKey, makeKey } from "../trust/key.ts";
import { isRecord } from "../vault/entry.ts";
import type { Store } from "../vault/store.ts";

const NAME = "browser";

export class KeyRing {
  #key: Promise<BrowserKey> | undefined;

  /** The key, made when it is first needed. */
  key(): Promise<BrowserKey> {
    this.#key ??= makeKey();
    return this.#key;
  }

  /** Takes the key that `store` holds, or puts this one there; a store that fails changes nothing. */
  async keepIn(store: Store): Promise<void> {
    try {
      const pair = await store.get(NAME);
      if (isRecord(pair) && pair.privateKey instanceof CryptoKey) {
        this.#key = Promise.resolve(await describeKey(pair as unknown as CryptoKeyPair));
      } else {
        await store.put(NAME, (await this.key()).pair);
      }
    } catch {
      // The browser will not keep a key (some private modes): it stays in memory, and works.
    }
  }

  /** A new key for a new start. */
  forget(): void {
    this.#key = undefined;
  }
}
