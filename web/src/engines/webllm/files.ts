/**
 * What WebLLM reads, out of the bytes that were looked at: it asks the browser's cache and the network, and is given
 * these files by both. Refuses everything else, so that nothing unseen reaches it and nothing is kept twice.
 */

/** The part of the browser's caches that WebLLM's own store uses. */
export interface FileCaches {
  open(name: string): Promise<FileCache>;
}

interface FileCache {
  match(request: Request | string): Promise<Response | undefined>;
  add(request: Request | string): Promise<void>;
  keys(): Promise<readonly Request[]>;
  delete(request: Request | string): Promise<boolean>;
}

export class ModelFiles implements FileCaches {
  constructor(
    private readonly files: ReadonlyMap<string, Blob>,
    /** The address that all of them lie under; nothing is ever asked for there. */
    readonly base: string,
  ) {}

  /** The response for an address; throws as a network that is gone does. */
  async fetch(request: Request | string): Promise<Response> {
    const found = this.#found(request);
    if (!found) throw new TypeError(`${urlOf(request)} is no file of the model`);
    return new Response(found);
  }

  async open(): Promise<FileCache> {
    const names = [...this.files.keys()];
    return {
      match: async (request) => {
        const found = this.#found(request);
        return found && new Response(found);
      },
      add: async (request) => void (await this.fetch(request)),
      keys: async () => names.map((name) => new Request(new URL(name, this.base))),
      delete: async () => false,
    };
  }

  #found(request: Request | string): Blob | undefined {
    const url = urlOf(request);
    return url.startsWith(this.base) ? this.files.get(url.slice(this.base.length)) : undefined;
  }
}

function urlOf(request: Request | string): string {
  return typeof request === "string" ? request : request.url;
}
