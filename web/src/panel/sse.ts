/**
 * Server-sent events, read from a `fetch` body (EventSource can neither sign nor set headers).
 *
 * Decides: where an event ends, by the HTML standard's rules. Refuses: an event of over a million
 * characters, so that a broken stream cannot fill the memory.
 */

export interface ServerEvent {
  readonly event: string;
  readonly data: string;
  readonly id: string | undefined;
}

const LONGEST = 1_000_000;

/** Turns pieces of text, cut anywhere, into whole events. */
export class EventParser {
  #rest = "";
  #event = "";
  #data: string[] = [];
  #id: string | undefined;

  push(text: string): readonly ServerEvent[] {
    this.#rest += text;
    if (this.#rest.length > LONGEST) throw new RangeError("an event is too long");
    // A lone CR at the end may be the first half of CRLF: it waits.
    const lines = this.#rest.split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    return lines.flatMap((line) => this.#take(line) ?? []);
  }

  #take(line: string): ServerEvent | undefined {
    if (line === "") return this.#dispatch();
    if (line.startsWith(":")) return undefined;
    const [name, ...rest] = line.split(":");
    const value = rest.join(":").replace(/^ /, "");
    if (name === "event") this.#event = value;
    else if (name === "data") this.#data.push(value);
    else if (name === "id" && !value.includes("\0")) this.#id = value;
    return undefined;
  }

  #dispatch(): ServerEvent | undefined {
    const event = { event: this.#event || "message", data: this.#data.join("\n"), id: this.#id };
    const empty = this.#data.length === 0;
    this.#event = "";
    this.#data = [];
    return empty ? undefined : event;
  }
}

/** The events of a response, as they arrive; `heard` is called for every piece, heartbeats included. */
export async function* eventsOf(
  response: Response,
  heard: () => void = () => undefined,
): AsyncGenerator<ServerEvent> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (!reader) return;
  const parser = new EventParser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard();
      yield* parser.push(value);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** The data of an event as an object; anything else is an empty one. */
export function dataOf(event: ServerEvent): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(event.data);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
