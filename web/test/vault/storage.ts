/** Web storage in memory, and one that refuses, as a private mode or a full disk does. */

export class TestStorage implements Storage {
  readonly #values = new Map<string, string>();
  [name: string]: unknown;

  get length(): number {
    return this.#values.size;
  }

  clear(): void {
    this.#values.clear();
  }

  getItem(key: string): string | null {
    return this.#values.get(key) ?? null;
  }

  key(index: number): string | null {
    return [...this.#values.keys()][index] ?? null;
  }

  removeItem(key: string): void {
    this.#values.delete(key);
  }

  setItem(key: string, value: string): void {
    this.#values.set(key, value);
  }
}

export class BrokenStorage extends TestStorage {
  constructor(private readonly refuses: "read" | "write") {
    super();
  }

  override getItem(key: string): string | null {
    if (this.refuses === "read") throw new DOMException("refused", "SecurityError");
    return super.getItem(key);
  }

  override setItem(): void {
    throw new DOMException("full", "QuotaExceededError");
  }

  override removeItem(): void {
    throw new DOMException("refused", "SecurityError");
  }
}
