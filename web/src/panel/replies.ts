/**
 * The stream of people's replies, open only while one may come.
 *
 * Decides: which tab holds it (one a browser), when it is opened again (from 1 s to 30 s apart), and where
 * each event goes. Refuses: to run when nothing is open; events it does not know are passed over.
 */
import { Problem } from "../trust/problem.ts";
import type { EscalationStatus } from "../vault/entry.ts";
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

export class Replies {
  #stop: AbortController | undefined;
  #wake: () => void = () => undefined;

  constructor(private readonly options: RepliesOptions) {}

  /** Listens if there is something to listen for; called again, it only wakes a waiting stream. */
  start(): void {
    this.#wake();
    const { vault, usable } = this.options;
    if (this.#stop || !usable() || !awaitsReply(vault.kept.entries)) return;
    const stop = new AbortController();
    this.#stop = stop;
    const name = `fanlight.replies:${vault.kept.conversation_id}`;
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
    while (!stop.aborted && awaitsReply(this.options.vault.kept.entries)) {
      const outcome = await this.#once(stop);
      if (outcome === "nothing") return;
      if (outcome === "again") wait = SHORTEST_MS;
      else wait = Math.min(wait * 2, LONGEST_MS);
      await this.#pause(wait * (0.75 + Math.random() / 2), stop);
    }
  }

  /** One connection: `nothing` is open, it ended and may be opened `again`, or it `failed`. */
  async #once(stop: AbortSignal): Promise<"nothing" | "again" | "failed"> {
    const silence = new Silence(stop);
    const { conversation_id, last_event_id } = this.options.vault.kept;
    try {
      const response = await this.options.gateway.events(
        conversation_id,
        last_event_id,
        silence.signal,
      );
      if (!response) return "nothing";
      for await (const event of eventsOf(response, () => silence.broken())) {
        await this.#hear(event);
      }
      return "again";
    } catch (error) {
      const forbidden = error instanceof Problem && [403, 404].includes(error.status);
      return forbidden ? "nothing" : "failed";
    } finally {
      silence.end();
    }
  }

  async #hear(event: ServerEvent): Promise<void> {
    const data = dataOf(event);
    const turnId = String(data.turn_id ?? "");
    if (event.event === "reauth") this.options.reauthenticate();
    else if (event.event === "human_reply") await this.#reply(event, turnId, data);
    else if (event.event === "escalation_status" && STATUSES.includes(String(data.status))) {
      const status = data.status as EscalationStatus;
      const id = String(data.escalation_id ?? "") || undefined;
      await this.options.vault.update((kept) => withEscalation(kept, turnId, { status, id }));
    }
    await this.#remember(event.id);
  }

  async #reply(
    event: ServerEvent,
    turnId: string,
    data: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const { vault, onReply } = this.options;
    const created = String(data.created_at ?? "");
    const id = `${String(data.escalation_id)}:${event.id ?? created}`;
    if (vault.kept.entries.some((entry) => entry.id === id)) return;
    const at = Date.parse(created);
    await vault.update((kept) =>
      withAnswered(
        withEntry(kept, {
          id,
          turn_id: turnId,
          role: "person",
          content: String(data.content ?? ""),
          author: String(data.author ?? ""),
          at: Number.isNaN(at) ? Date.now() : at,
        }),
        turnId,
      ),
    );
    onReply(id);
  }

  async #remember(id: string | undefined): Promise<void> {
    const { vault } = this.options;
    if (!id || id === vault.kept.last_event_id) return;
    await vault.update((kept) => ({ ...kept, last_event_id: id }));
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
  }
}
