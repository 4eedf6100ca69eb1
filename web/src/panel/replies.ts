/**
 * The stream of people's replies to any conversation, open only while one may come.
 *
 * Decides: which tab holds it (one a browser), which conversations it is for, when it is opened again (from 1 s to 30 s
 * apart, at once when there are others to wait for), and where each event goes. Refuses: to run when nothing is open;
 * events it does not know are passed over.
 */
import { Problem } from "../trust/problem.ts";
import type { EscalationStatus } from "../vault/entry.ts";
import {
  type Kept,
  lastAt,
  laterEvent,
  linesOf,
  type Talk,
  talkOf,
  talksOf,
  withTalk,
} from "../vault/talks.ts";
import type { Vault } from "../vault/vault.ts";
import type { Gateway } from "./gateway.ts";
import { awaitsReply, withAnswered, withEntry, withEscalation } from "./lines.ts";
import { dataOf, eventsOf, type ServerEvent } from "./sse.ts";

export interface RepliesOptions {
  readonly gateway: Gateway;
  readonly vault: Vault;
  readonly usable: () => boolean;
  /** Opens a new session: the token ran out. */
  readonly reauthenticate: () => void;
  readonly onReply: (entryId: string) => void;
  readonly exclusively: (
    name: string,
    work: () => Promise<void>,
    signal: AbortSignal,
  ) => Promise<void>;
}

const SHORTEST_MS = 1000;
const LONGEST_MS = 30_000;
/** A stream that is silent for three heartbeats is dead, whatever the socket thinks. */
const SILENCE_MS = 50_000;
const STATUSES: readonly string[] = ["queued", "delivered", "resolved"];
/** So many the gateway hears of at once. */
const MOST = 16;

/** The conversations in which a person's reply may still come; of too many, the newest. */
function awaited(kept: Kept): readonly Talk[] {
  return talksOf(kept)
    .filter(({ entries }) => awaitsReply(entries))
    .sort((a, b) => lastAt(b) - lastAt(a))
    .slice(0, MOST);
}

function namesOf(talks: readonly Talk[]): readonly string[] {
  return talks.map(({ conversation_id }) => conversation_id).sort();
}

/** After which event all of them have been told everything; ids are whole numbers, of any length. */
function earliestEvent(talks: readonly Talk[]): string {
  const [first = "", ...others] = talks.map(({ last_event_id }) => last_event_id);
  return others.reduce((one, other) => (laterEvent(one, other) === one ? other : one), first);
}

export class Replies {
  #stop: AbortController | undefined;
  /** What the open stream is for, and the way to end it. */
  #heard: { readonly names: readonly string[]; readonly cut: () => void } | undefined;
  #wake: () => void = () => undefined;

  constructor(private readonly options: RepliesOptions) {}

  /** Listens if there is something to listen for; called again, it wakes a waiting stream, or has it hear what is new. */
  start(): void {
    this.#wake();
    const { vault, usable } = this.options;
    const names = namesOf(awaited(vault.kept));
    if (this.#heard && this.#heard.names.join() !== names.join()) this.#heard.cut();
    if (this.#stop || !usable() || names.length === 0) return;
    const stop = new AbortController();
    this.#stop = stop;
    const name = `fanlight.replies:${vault.kept.subject}`;
    this.options
      .exclusively(name, () => this.#listen(stop.signal), stop.signal)
      .catch(() => undefined)
      .finally(() => {
        if (this.#stop === stop) this.#stop = undefined;
      });
  }

  /** Stops listening: the conversation was cleared. */
  stop(): void {
    this.#stop?.abort();
    this.#stop = undefined;
  }

  async #listen(stop: AbortSignal): Promise<void> {
    let wait = SHORTEST_MS;
    for (;;) {
      const talks = awaited(this.options.vault.kept);
      if (stop.aborted || talks.length === 0) return;
      const outcome = await this.#once(talks, stop);
      if (stop.aborted || outcome === "nothing") return;
      if (outcome === "others") continue;
      if (outcome === "again") wait = SHORTEST_MS;
      else wait = Math.min(wait * 2, LONGEST_MS);
      await this.#pause(wait * (0.75 + Math.random() / 2), stop);
    }
  }

  /** One connection: `nothing` is open, it ended and may be opened `again`, there are `others`, or it `failed`. */
  async #once(
    talks: readonly Talk[],
    stop: AbortSignal,
  ): Promise<"nothing" | "again" | "others" | "failed"> {
    const silence = new Silence(stop);
    let others = false;
    const names = namesOf(talks);
    this.#heard = {
      names,
      cut: () => {
        others = true;
        silence.end();
      },
    };
    try {
      const response = await this.options.gateway.events(
        names,
        earliestEvent(talks),
        silence.signal,
      );
      if (!response) return "nothing";
      for await (const event of eventsOf(response, () => silence.broken())) {
        await this.#hear(event);
      }
      return "again";
    } catch (error) {
      if (others) return "others";
      const forbidden = error instanceof Problem && [403, 404].includes(error.status);
      return forbidden ? "nothing" : "failed";
    } finally {
      this.#heard = undefined;
      silence.end();
    }
  }

  async #hear(event: ServerEvent): Promise<void> {
    const data = dataOf(event);
    const turnId = String(data.turn_id ?? "");
    const { kept } = this.options.vault;
    const talk = talkOf(kept, turnId);
    const place = String(data.conversation_id ?? talk?.conversation_id ?? kept.conversation_id);
    if (event.event === "reauth") this.options.reauthenticate();
    else if (event.event === "human_reply") await this.#reply(event, turnId, place, data);
    else if (event.event === "escalation_status" && STATUSES.includes(String(data.status))) {
      const status = data.status as EscalationStatus;
      const id = String(data.escalation_id ?? "") || undefined;
      await this.options.vault.update((kept) => withEscalation(kept, turnId, { status, id }));
    }
    await this.#remember(event.id, place);
  }

  async #reply(
    event: ServerEvent,
    turnId: string,
    place: string,
    data: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const { vault, onReply } = this.options;
    const created = String(data.created_at ?? "");
    const id = `${String(data.escalation_id)}:${event.id ?? created}`;
    if (linesOf(vault.kept).some((entry) => entry.id === id)) return;
    const at = Date.parse(created);
    await vault.update((kept) =>
      withAnswered(
        withEntry(
          kept,
          {
            id,
            turn_id: turnId,
            role: "person",
            content: String(data.content ?? ""),
            author: String(data.author ?? ""),
            at: Number.isNaN(at) ? Date.now() : at,
            unseen: true,
          },
          place,
        ),
        turnId,
      ),
    );
    onReply(id);
  }

  async #remember(id: string | undefined, place: string): Promise<void> {
    const { vault } = this.options;
    const talk = talksOf(vault.kept).find(({ conversation_id }) => conversation_id === place);
    if (!id || talk?.last_event_id === id) return;
    await vault.update((kept) =>
      withTalk(kept, place, (talk) => ({
        ...talk,
        last_event_id: laterEvent(talk.last_event_id, id),
      })),
    );
  }

  #pause(ms: number, stop: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      stop.addEventListener("abort", this.#wake, { once: true });
    });
  }
}

/** Aborts a stream from which nothing, not even a heartbeat, has come for too long. */
class Silence {
  readonly #controller = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(stop: AbortSignal) {
    stop.addEventListener("abort", () => this.#controller.abort(), { once: true });
    this.broken();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  broken(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#controller.abort(), SILENCE_MS);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#controller.abort();
  }
}
