/** What every view may reach: the state it reads and the services it calls. */
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { KbTopic } from "../../engines/kb/protocol.ts";
import type { Conversation } from "../conversation.ts";
import type { Escalations } from "../escalations.ts";
import type { Feedback } from "../feedback.ts";
import type { Local } from "../local.ts";
import type { Memory } from "../memory.ts";
import type { Speaker } from "../speech.ts";
import type { PanelState } from "../state.ts";
import type { Talks } from "../talks.ts";

export interface PanelServices {
  readonly state: PanelState;
  readonly conversation: Conversation;
  readonly feedback: Feedback;
  readonly escalations: Escalations;
  readonly memory: Memory;
  readonly local: Local;
  readonly speaker: Speaker;
  readonly talks: Talks;
  /** Starts the knowledge base where data saver held it back. */
  readonly loadPack: () => void;
  /** What can be asked; rejects where that cannot be known. */
  readonly topics: () => Promise<readonly KbTopic[]>;
  /** Opens a session ahead of the first question. */
  readonly warm: () => void;
  /** Asks the embedding page to close the panel; absent on a page of its own. */
  readonly close: (() => void) | undefined;
}

export const PanelContext = createContext<PanelServices | undefined>(undefined);

export function usePanel(): PanelServices {
  const services = useContext(PanelContext);
  if (!services) throw new Error("a view was drawn outside the panel");
  return services;
}
