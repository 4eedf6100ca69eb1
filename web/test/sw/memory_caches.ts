/** The Cache API in memory, as far as the service worker uses it. */

export class MemoryCache {
  readonly stored = new Map<string, Response>();
  refuse: Error | null = null;

  constructor(private readonly origin: string) {}

  #key(input: RequestInfo | URL): string {
    const url = new URL(input instanceof Request ? input.url : String(input), this.origin);
    return url.origin + url.pathname;
  }

  async match(input: RequestInfo | URL): Promise<Response | undefined> {
    return this.stored.get(this.#key(input))?.clone();
  }

  async put(input: RequestInfo | URL, response: Response): Promise<void> {
    if (this.refuse) throw this.refuse;
    this.stored.set(this.#key(input), response);
  }

  async delete(input: RequestInfo | URL): Promise<boolean> {
    return this.stored.delete(this.#key(input));
  }

  async keys(): Promise<Request[]> {
    return [...this.stored.keys()].map((url) => new Request(url));
  }
}

export class MemoryCaches {
  readonly all = new Map<string, MemoryCache>();
  refuse: Error | null = null;

  constructor(private readonly origin: string) {}

  async open(name: string): Promise<MemoryCache> {
    if (this.refuse) throw this.refuse;
    const found = this.all.get(name) ?? new MemoryCache(this.origin);
    this.all.set(name, found);
    return found;
  }

  async keys(): Promise<string[]> {
    if (this.refuse) throw this.refuse;
    return [...this.all.keys()];
  }

  async has(name: string): Promise<boolean> {
    return this.all.has(name);
  }

  async delete(name: string): Promise<boolean> {
    return this.all.delete(name);
  }

  /** The addresses in the cache `name`, in order of storing. */
  paths(name: string): string[] {
    return [...(this.all.get(name)?.stored.keys() ?? [])].map((url) => new URL(url).pathname);
  }
}
