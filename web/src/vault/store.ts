/**
 * Small durable stores: one in IndexedDB, one in memory, the same to their callers.
 *
 * Decides: where a key pair and unsent escalations live. The memory store is what a visitor who declined,
 * or whose browser refuses storage, gets.
 */

export interface Store {
  get(key: string): Promise<unknown>;
  put(key: string, value: unknown): Promise<void>;
  delete(key: string): Promise<void>;
  /** Keys in order, with their values. */
  all(): Promise<readonly (readonly [string, unknown])[]>;
}

export class MemoryStore implements Store {
  readonly #values = new Map<string, unknown>();

  async get(key: string): Promise<unknown> {
    return this.#values.get(key);
  }

  async put(key: string, value: unknown): Promise<void> {
    this.#values.set(key, value);
  }

  async delete(key: string): Promise<void> {
    this.#values.delete(key);
  }

  async all(): Promise<readonly (readonly [string, unknown])[]> {
    return [...this.#values].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

const STORES = ["keys", "outbox", "feedback"] as const;
/** Grows with every store that is added. */
const VERSION = 2;
export type StoreName = (typeof STORES)[number];

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

class IndexedStore implements Store {
  constructor(
    private readonly database: IDBDatabase,
    private readonly name: StoreName,
  ) {}

  #store(mode: IDBTransactionMode): IDBObjectStore {
    return this.database.transaction(this.name, mode).objectStore(this.name);
  }

  async get(key: string): Promise<unknown> {
    return done(this.#store("readonly").get(key));
  }

  async put(key: string, value: unknown): Promise<void> {
    const store = this.#store("readwrite");
    const { transaction } = store;
    const committed = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
    store.put(value, key);
    await committed;
  }

  async delete(key: string): Promise<void> {
    await done(this.#store("readwrite").delete(key));
  }

  async all(): Promise<readonly (readonly [string, unknown])[]> {
    const store = this.#store("readonly");
    const [keys, values] = await Promise.all([done(store.getAllKeys()), done(store.getAll())]);
    return keys.map((key, index) => [String(key), values[index]] as const);
  }
}

/** The stores of one site, and the way to be rid of them. */
export interface Database {
  readonly keys: Store;
  /** Escalations that wait to be sent. */
  readonly outbox: Store;
  /** Marks of answers that wait to be sent. */
  readonly feedback: Store;
  remove(): Promise<void>;
}

export function memoryDatabase(): Database {
  return {
    keys: new MemoryStore(),
    outbox: new MemoryStore(),
    feedback: new MemoryStore(),
    remove: async () => undefined,
  };
}

/** Opens the site's database; rejects where the browser refuses storage. */
export async function openDatabase(site: string): Promise<Database> {
  const name = `fanlight:${site}`;
  const request = indexedDB.open(name, VERSION);
  request.onupgradeneeded = () => {
    const { result } = request;
    const missing = STORES.filter((store) => !result.objectStoreNames.contains(store));
    for (const store of missing) result.createObjectStore(store);
  };
  const database = await done(request);
  // Another tab that forgets everything must not be blocked by this one.
  database.onversionchange = () => database.close();
  return {
    keys: new IndexedStore(database, "keys"),
    outbox: new IndexedStore(database, "outbox"),
    feedback: new IndexedStore(database, "feedback"),
    remove: async () => {
      database.close();
      await done(indexedDB.deleteDatabase(name));
    },
  };
}
